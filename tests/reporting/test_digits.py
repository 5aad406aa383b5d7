"""No number is printed with more digits than its error supports, and one module decides how many that is."""

import ast
import math
import re
from pathlib import Path

import pytest

import simulator
from simulator.analysis.intervals import Estimate
from simulator.quantities import COST, PARTS, RESULTS
from simulator.reporting import terminal, wording

SOURCES = Path(simulator.__file__).parent
STUDIES = sorted((Path(__file__).parents[2] / "configs" / "studies").glob("*.yaml"))
WHOLE = ","  # whole numbers, thousands set apart
# What may format numbers by itself, and why.
ALLOWED = {
    ("reporting/wording.py", ",.10g"): "as_given: numbers as they were written",
    ("reporting/wording.py", ".10g"): "as_given: the same",
    ("reporting/wording.py", ".2g"): "tiny: a difference of rounding",
    ("reporting/wording.py", ",.{}f"): "plain_number: with the decimals that were decided",
    ("reporting/frontier_chart.py", "02x"): "a colour",
    ("reporting/ranges.py", ".2f"): "a place on paper",
    ("reporting/ranges.py", "g"): "a width on paper",
}


def formats(source):
    """Format specifications in a file: of f-strings, `format` and `%`."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FormattedValue) and node.format_spec:
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.format_spec.values)
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "format":
                yield "format()"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
            yield "%"


@pytest.mark.parametrize("source", [*(SOURCES / "reporting").glob("*.py"), *(SOURCES / "cli").glob("*.py")], ids=lambda s: s.name)
def test_only_wording_formats_numbers(source):
    name = source.relative_to(SOURCES).as_posix()
    assert not [spec for spec in formats(source) if spec != WHOLE and (name, spec) not in ALLOWED]


def allowed(text, value, error):
    """Whether a printed number has no digit of which one unit is less than 1.96 errors, but for its first."""
    digits = text.replace(",", "")
    whole, _, decimals = digits.partition(".")
    significant = digits.replace(".", "").lstrip("-0")
    unit = 10.0**-len(decimals) if decimals else 10.0 ** (len(whole) - len(whole.rstrip("0"))) if float(digits) else 1.0
    if not error:
        return len(significant.rstrip("0") if not decimals else significant) <= 3
    return unit >= 1.96 * error * (1 - 1e-9) or len(significant.rstrip("0")) <= 1


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
@pytest.mark.parametrize("options", [("sampler=random", "trials=512"), ("sampler=sobol", "trials=2048")], ids=" ".join)
def test_the_shipped_studies_print_no_digit_too_many(file, options):
    run = simulator.run(simulator.load(file, overrides=[f"simulation.{option}" for option in options]))
    names = terminal.by_median(run)

    def check(cell, *estimates):
        printed = re.findall(r"-?[\d,]*\d(?:\.\d+)?", cell)
        assert len(printed) >= len(estimates)
        for text, estimate in zip(printed, estimates, strict=False):
            assert allowed(text, estimate.value, estimate.standard_error), (cell, estimate)

    def cells(table):
        return list(zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True))

    for name, row in zip(names, cells(terminal._costs(run, "base")), strict=True):
        for statistic, cell in zip(("p5", "p50", "p95", "mean"), row[1:], strict=False):
            check(cell, run.estimate(name, COST.name, statistic))
        if len(names) > 1 and "er" not in row[5]:  # "over 99 %", "under 1 %" state bounds
            chance = run.estimate(name, "probability_cheapest")
            printed, digits = float(row[5].split()[0]), len(row[5].split()[0].partition(".")[2])
            rest = min(printed, 100 - printed)  # near 1 it is the rest that has digits: 98 % is 2 % of the other kind
            check(f"{rest:.{digits}f}", Estimate(100 * min(chance.value, 1 - chance.value), 100 * chance.standard_error, 0, 0))
    table = terminal._parts(run, "base")
    shown = [part for part in PARTS if part in {column.header for column in table.columns}]
    for name, row in zip(names, cells(table), strict=True):
        mean = run.estimate(name, COST.name, "mean").value
        for part, cell in zip(shown, row[1:], strict=True):
            if cell:
                found = run.estimate(name, f"parts.{part}", "mean")
                check(cell, found, *([found.scaled(100 / mean)] if "%" in cell else []))
    for result in RESULTS[1:]:
        for name in names:
            found = [run.find(name, result.name, p) for p in ("p50", "p5", "p95")]
            if all(found) and found[1].value != found[2].value:
                check(terminal._spread(run, name, result.name, "base"), *found)


@pytest.mark.parametrize(("value", "error", "text"), [
    (0.5, 0.0078, "50 %"), (0.72, 0.02, "70 %"), (0.724, 0.004, "72 %"), (0.0312, 0.0001, "3.1 %"), (0.03, 0.02, "3 %"),
    (0.97, 0.008, "97 %")])
def test_percentages_have_no_blurred_digit(value, error, text):
    assert wording.percent(Estimate(value, error, value - 2 * error, value + 2 * error)) == text


@pytest.mark.parametrize(("value", "error", "text"), [
    (2.6418, 0.1523, "2.64 ± 0.15"), (39.17, 2.5, "39.2 ± 2.5"), (1234.0, 560.0, "1,230 ± 560"), (0.5006, 0.046, "0.501 ± 0.046"),
    (7.112, 0.0, "7.11"), (7.112, math.inf, "7.11"), (0.0, 0.012, "0.000 ± 0.012")])
def test_a_number_beside_its_error_goes_as_far_as_the_error(value, error, text):
    assert wording.with_error(value, error) == text


@pytest.mark.parametrize(("value", "text"), [(0.1, "0.1"), (4.2, "4.2"), (2.652, "2.652"), (35, "35"), (1e6, "1,000,000"),
                                             (0.1 + 0.2, "0.3")])
def test_numbers_as_given_stay_as_they_are(value, text):
    assert wording.as_given(value) == text
