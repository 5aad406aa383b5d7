"""The workbook holds the run's own numbers, in full, and no text of a study becomes a formula, an error or broken XML."""

import copy
import json
import math
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree

import openpyxl
import pytest
import studies

import simulator
from simulator.experiments.report_numbers import report_numbers
from simulator.finished_run import read_run
from simulator.reporting.report.claims import front_headline
from simulator.reporting.report.workbook import write_workbook
from simulator.reporting.report.workbook_cells import MOST_TEXT, Shown, cell_text, number_format
from simulator.run_folder import save

ALWAYS = ["Summary", "Costs by part", "Percentiles", "Exceedance", "Sensitivities", "Through time", "Assumptions", "Trials",
          "Provenance"]
OF_SEVERAL = ["Pairs", "Value of information", "Break-even"]
# Twelve labels, one a platform.
HOSTILE = ["=1+1", "+A1", "-2", "@x", "<b>&\"'", "שלום עולם", "🚀", "x" * 200, "<r><t>x</t></r>", "Sheet!A1", "_x0041_",
           "=Summary!$A$1"]
PERCENTILES = ("p5", "p10", "p25", "p50", "p75", "p90", "p95")


def numbers_of(folder, data, what_ifs=(), budget_line=None):
    """What a report is written from, of a study that was run and kept."""
    file = folder / "study.yaml"
    file.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    study = simulator.load(file)
    kept = save(simulator.run(study, what_ifs=what_ifs), folder / "runs")
    return report_numbers(read_run(kept), budget_line, threads=2)


def rented(count, labels=(), **more):
    """Platforms that are rented at an uncertain price, none like the other."""
    return {f"p{k}": {"ownership": "rent", "throughput": 900 + k,
                      "rental_price": {"distribution": "uniform", "low": 1, "high": 2 + k / 10, **more},
                      **({"label": labels[k]} if labels else {})} for k in range(count)}


def small(platforms, **more):
    return {"schema": 1, "study": "small", "simulation": {"trials": 1024, "replicates": 16}, "shared": {"utilization": 0.5},
            "platforms": platforms, **more}


def two():
    data = studies.study(simulation={"trials": 2048, "replicates": 16, "horizon": 10}, description="Which one?",
                         correlations={"pairs": [["shared.utilization", "platforms.a.throughput", -0.2]]},
                         plan={"tokens_per_year": 1e12, "years": 3})
    data["shared"]["utilization"] |= {"source": "a paper", "date": "2026-01", "grade": "analyst", "note": "a note"}
    data["what_ifs"] = {"idle": {"description": "=half as busy", "set": {"shared.utilization": 0.3}, "cost": {"a": 0.01}}}
    return data


def hostile():
    told = {"source": HOSTILE[0], "note": HOSTILE[1]}
    data = small(rented(len(HOSTILE), HOSTILE, **told), description="=1+1", study="=1+1")
    for platform, source in zip(data["platforms"].values(), HOSTILE, strict=True):
        platform["rental_price"]["source"] = source
    return data


def certain():
    """Nothing is uncertain, and one costs a hundred times as much as the other."""
    data = studies.certain()
    data["platforms"]["a"]["rental_price"] = 100
    return data


def negative():
    data = studies.study(simulation={"trials": 1024, "replicates": 16, "horizon": 10})
    data["shared"]["energy_price"] = {"distribution": "uniform", "low": -1, "high": 0.2}
    return data


CASES = {"two": (two, {"what_ifs": "all", "budget_line": 0.2}), "hostile": (hostile, {"budget_line": 0.5}),
         "one": (lambda: small(rented(1)), {}), "certain": (certain, {}), "negative": (negative, {})}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """By the name of a case: its numbers, the file, and the workbook read back; made when first asked for."""
    made = {}

    def get(case):
        if case not in made:
            make, options = CASES[case]
            folder = tmp_path_factory.mktemp(case)
            numbers, file = numbers_of(folder, copy.deepcopy(make()), **options), folder / "report.xlsx"
            write_workbook(numbers, file, "Report to the board")
            made[case] = numbers, file, openpyxl.load_workbook(file)
        return made[case]

    return get


def table(sheet, first=1):
    """Rows below the headings in row `first`, each by heading."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=first)]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def reported(numbers, scenario="base"):
    found = json.loads((numbers.finished.folder / "summary.json").read_text())
    return found["scenarios"][scenario]


@pytest.mark.parametrize("case", CASES)
def test_every_book_is_whole(written, case):
    numbers, file, book = written(case)
    several = len(numbers.run.study.platforms) > 1
    expected = {*ALWAYS, *(["Pairs", "Break-even"] if several else [])}
    expected |= {name for name, applies in (("What-ifs", case == "two"), ("Correlations", case == "two"),
                                            ("Value of information", several and case != "certain")) if applies}
    assert {*book.sheetnames} == expected
    for sheet in book:
        assert len(sheet.title) <= 31 and sheet.freeze_panes and sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToHeight == 0 and sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.title == "Summary" or sheet.print_title_rows == "$1:$1"
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.data_type in "sn", f"{sheet.title} {cell.coordinate} {cell.value}"
            assert cell.value is None or isinstance(cell.value, str) or math.isfinite(cell.value)
            assert not isinstance(cell.value, str) or len(cell.value) <= MOST_TEXT
    with zipfile.ZipFile(file) as parts:
        for name in parts.namelist():
            if name.endswith((".xml", ".rels")):
                text = parts.read(name)
                ElementTree.fromstring(text)
                assert b"NaN" not in text and b">nan<" not in text and b"#NUM!" not in text and b"#DIV/0!" not in text
                assert b"<f>" not in text or name.startswith("xl/charts/"), "cells have no formulas"


@pytest.mark.parametrize("case", CASES)
def test_charts_are_there(written, case):
    numbers, _, book = written(case)
    charts = {sheet.title: len(sheet._charts) for sheet in book}
    count = len(numbers.run.study.platforms)
    assert charts["Summary"] == charts["Costs by part"] == charts["Exceedance"] == 1
    assert charts["Sensitivities"] == (0 if case == "certain" else count)
    assert charts["Through time"] == len(numbers.through_time.costs) + len(numbers.through_time.prices)
    for sheet in book:
        for chart in sheet._charts:
            assert chart.title and chart.x_axis.title and chart.y_axis.title and chart.series
    (curves,) = book["Exceedance"]._charts
    assert (curves.x_axis.scaling.logBase == 10) == (case == "certain")
    (ranges,) = book["Summary"]._charts
    assert ranges.grouping == ("clustered" if case == "negative" else "stacked")


@pytest.mark.parametrize("case", CASES)
def test_summary_has_the_numbers_of_the_run(written, case):
    numbers, _, book = written(case)
    sheet = book["Summary"]
    header = next(row for row in range(1, 12) if sheet.cell(row, 1).value == "Platform")
    rows = [row for row in table(sheet, header) if row["P5 [USD per million tokens]"] is not None]
    platforms = reported(numbers)["platforms"]
    medians = {name: found["cost_per_million_tokens"]["p50"]["value"] for name, found in platforms.items()}
    assert [row["Platform"] for row in rows] == [cell_text(platforms[name]["label"])
                                                 for name in sorted(medians, key=medians.get)]
    for row, name in zip(rows, sorted(medians, key=medians.get), strict=True):
        found = platforms[name]
        cost = found["cost_per_million_tokens"]
        assert [row[f"{p.upper()} [USD per million tokens]"] for p in PERCENTILES] == [cost[p]["value"] for p in PERCENTILES]
        assert row["Mean [USD per million tokens]"] == cost["mean"]["value"]
        assert row["Standard error of the mean [USD per million tokens]"] == cost["mean"]["standard_error"]
        assert ("Probability of being cheapest [%]" in row) == (case != "one")
        if case != "one":
            assert row["Probability of being cheapest [%]"] == found["probability_cheapest"]["value"]
            assert row["Expected regret [USD per million tokens]"] == found["expected_regret"]["value"]
    assert sheet["A1"].value == "Report to the board" and sheet["A2"].value == numbers.run.study.name
    assert sheet["A4" if numbers.run.study.description else "A3"].value == front_headline(numbers.run, numbers.sensitivity)
    texts = [sheet.cell(row, 1).value for row in range(1, sheet.max_row + 1)]
    assert {*numbers.run.warnings} <= {*texts}


def test_percentiles_are_all_that_was_reported(written):
    numbers, _, book = written("two")
    rows = table(book["Percentiles"])
    records = list(numbers.run.records)
    assert len(rows) == len(records) and book["Percentiles"].auto_filter.ref == f"A1:I{len(rows) + 1}"
    labels = {platform.name: platform.label for platform in numbers.run.study.platforms}
    for row, record in zip(rows, records, strict=True):
        entry = reported(numbers, record.scenario)[f"{record.kind}s"][record.owner]
        entry = entry[record.group] if record.group else entry
        entry = entry[record.quantity][record.statistic] if record.statistic else entry[record.quantity]
        entry = entry["violation"] if record.group == "dominance" else entry
        assert [*row.values()][4:8] == [entry[key] for key in ("value", "standard_error", "low", "high")]
        assert row["Scenario"] == record.scenario
        assert [*row.values()][1] == " / ".join(labels[name] for name in record.owner.split("/"))
    assert {"Cost per million tokens", "Part of the cost: Energy", "Change: Cost per million tokens"} <= {
        row["Quantity"] for row in rows}


def test_parts_pairs_and_what_ifs(written):
    numbers, _, book = written("two")
    base = reported(numbers)
    parts = {row["Platform"]: row for row in table(book["Costs by part"]) if row["Platform"]}
    for name, found in base["platforms"].items():
        row = parts[found["label"]]
        assert row["All, mean [USD per million tokens]"] == found["cost_per_million_tokens"]["mean"]["value"]
        own = {part: row[f"{part.capitalize()}, mean [USD per million tokens]"] for part in found["parts"]}
        assert own == {part: entry["mean"]["value"] for part, entry in found["parts"].items()}, name
    (pair,) = table(book["Pairs"])
    found = base["pairs"]["b/a"]
    assert (pair["Platform"], pair["Against"]) == ("b", "a")
    assert pair["Cost ÷ cost of the other: P50 [1]"] == found["ratio"]["p50"]["value"]
    assert pair["Cost − cost of the other: Mean [USD per million tokens]"] == found["difference"]["mean"]["value"]
    assert pair["Probability that the platform is cheaper [%]"] == found["probability_cheaper"]["value"]
    rows = {(row["Scenario"], row["Platform"]): row for row in table(book["What-ifs"])}
    assert [*rows] == [("base", "a"), ("base", "b"), ("idle", "a"), ("idle", "b")]
    idle = reported(numbers, "idle")["platforms"]["a"]
    change = idle["change"]["cost_per_million_tokens"]["mean"]
    row = rows["idle", "a"]
    assert row["Change of the mean [USD per million tokens]"] == change["value"]
    assert row["P95 [USD per million tokens]"] == idle["cost_per_million_tokens"]["p95"]["value"]
    assert row["What it is"] == "=half as busy" and row["What the what-if costs beside [USD per million tokens]"] == 0.01
    assert rows["base", "a"]["Change of the mean [USD per million tokens]"] is None
    assert rows["idle", "b"]["What the what-if costs beside [USD per million tokens]"] is None


def test_what_was_asked_beside_the_run(written):
    numbers, _, book = written("two")
    sheet = book["Exceedance"]
    rows = table(sheet)
    estimate = numbers.exceedance.estimates[min(numbers.exceedance.curves, key=lambda name: numbers.run.estimate(
        name, "cost_per_million_tokens", "p50").value)][0]
    assert rows[0]["Probability of costing more [%]"] == estimate.value and [*rows[0].values()][1] == 0.2
    for name, curve in numbers.exceedance.curves.items():
        levels = [row[f"Cost of {name} [USD per million tokens]"] for row in rows[:len(curve.levels)]]
        shares = [row[f"Probability of more, {name} [%]"] for row in rows[:len(curve.levels)]]
        assert levels == curve.levels.tolist() and shares == curve.probability.tolist()
    first = table(book["Sensitivities"])[0]
    assert first["Swing [USD per million tokens]"] > 0 and 0 < first["Share of the variance [%]"] <= 1
    worth = table(book["Value of information"])
    assert worth[0]["Kind"] == "all (EVPI)" and worth[0]["Worth at most [unit]"] == numbers.sensitivity.decision.evpi.value
    assert {row["Basis"] for row in worth} == {"million tokens", "whole plan"}
    flips = {row["Input"]: row for row in table(book["Break-even"])}
    (values,) = numbers.sensitivity.break_even.values()
    value = next(one for one in values if one.input == "platforms.b.rental_price")
    row = flips["Rental price of b"]
    assert [*row.values()][4] == (value.on_draws[0].value.value if value.on_draws else None) and row["Unit"] == "USD/GPU/hour"
    years = table(book["Through time"])
    fan = numbers.through_time.costs["a"]
    assert [[row[f"P{p} [unit]"] for p in (5, 25, 50, 75, 95)] for row in years
            if row["Cost of, or price"] == "a"] == fan.values.tolist()
    assert next(row["Unit"] for row in years if row["Cost of, or price"] == "Energy price") == "USD/kWh"


def test_assumptions_trials_and_provenance(written):
    numbers, _, book = written("two")
    study = numbers.run.study
    rows = {row["Path"]: row for row in table(book["Assumptions"])}
    assert {*study.inputs()} <= {*rows}
    given = study.inputs()["shared.utilization"]
    row = rows["shared.utilization"]
    assert [row[f"P{p} [unit]"] for p in (5, 50, 95)] == [given.value.quantile(p) for p in (0.05, 0.5, 0.95)]
    assert (row["Source"], row["Date"], row["Grade of the evidence"], row["Note"]) == ("a paper", "2026-01", "analyst", "a note")
    assert row["Given as"] == "beta" and row["Platform"] == "shared" and row["Input"] == "Utilization"
    assert rows["platforms.a.pue"]["P5 [unit]"] == rows["platforms.a.pue"]["P95 [unit]"] == 1.2
    assert rows["shared.energy_price"]["Given as"] == "process, long run"
    assert rows["shared.energy_price.volatility"]["P50 [unit]"] == 1.05
    assert rows["platforms.a.capex"]["Platform"] == "a"
    (pair,) = table(book["Correlations"])
    assert pair["Rank correlation [1]"] == -0.2 and {pair["Input"], pair["Goes with"]} == {"Utilization", "Throughput of a"}
    trials = table(book["Trials"])
    assert [row["Cost of b [USD per million tokens]"] for row in trials] == numbers.sample.costs[1].tolist()
    place = next(k for k, factor in enumerate(numbers.sample.factors) if factor.path == "shared.utilization")
    assert [row["Utilization [%]"] for row in trials] == numbers.sample.values[numbers.sample.columns[place][0]].tolist()
    assert "Energy price, mean over 60 months [USD/kWh]" in trials[0] and trials[-1]["Replicate"] == 16
    said = {row["What"]: row["Which"] for row in table(book["Provenance"])}
    assert said["To run it again"] == f"tco rerun {numbers.finished.folder.name}" and said["Seed"] == "0"
    assert said["Digest of the study"] == study.digest and said["Trials"] == 2048


def test_texts_of_a_study_stay_texts(written):
    _, _, book = written("hostile")
    cells = {cell.value.strip(): cell for row in book["Assumptions"].iter_rows() for cell in row if isinstance(cell.value, str)}
    for text in HOSTILE:
        cell = cells[text]
        assert cell.data_type == "s" and bool(cell.quotePrefix) == text.startswith(("=", "+", "-", "@"))
    summary = [row[0].value for row in book["Summary"].iter_rows()]
    assert summary.count("=1+1") == 3, "name, description and label"
    for sheet in book:
        assert not any(link for row in sheet.iter_rows() for cell in row if (link := cell.hyperlink))


def test_names_in_charts_are_references_or_fixed_words(written):
    _, file, _ = written("hostile")
    with zipfile.ZipFile(file) as parts:
        for name in parts.namelist():
            if name.startswith("xl/charts/"):
                root = ElementTree.fromstring(parts.read(name))
                said = "".join(node.text or "" for node in root.iter() if node.tag.endswith("}t"))
                assert not any(text in said for text in HOSTILE), name
                sheets = {node.text.partition("!")[0].strip("'") for node in root.iter() if node.tag.endswith("}f")}
                assert sheets <= {*ALWAYS, *OF_SEVERAL, "Correlations", "What-ifs"}, "no label became a formula"


def test_the_same_numbers_give_the_same_bytes(written, tmp_path):
    numbers, file, book = written("two")
    write_workbook(numbers, tmp_path / "again.xlsx", "Report to the board")
    assert (tmp_path / "again.xlsx").read_bytes() == file.read_bytes()
    finished = datetime.fromisoformat(numbers.finished.manifest["finished"]).astimezone(UTC).replace(tzinfo=None)
    assert book.properties.created == book.properties.modified == finished and book.properties.title == "Report to the board"


def test_a_title_is_the_name_of_the_study_where_none_is_given(written, tmp_path):
    numbers, _, _ = written("one")
    write_workbook(numbers, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert book["Summary"]["A1"].value == book.properties.title == "small"


def test_what_cannot_be_written_raises(written, tmp_path):
    numbers, _, _ = written("one")
    with pytest.raises(OSError):
        write_workbook(numbers, tmp_path / "nowhere" / "book.xlsx")


def test_formats_show_three_digits_that_the_error_supports(written):
    for shown, form in ((Shown(0.04567), "#,##0.0000"), (Shown(1.234), "#,##0.00"), (Shown(12345.6), "#,##0"),
                        (Shown(0.04567, 0.004), "#,##0.00"), (Shown(0.0), "#,##0"), (Shown(1e-12), "0.00E+00"),
                        (Shown(3e15), "0.00E+00"), (Shown(1.5, math.inf), "#,##0.00"), (Shown(1.5, math.nan), "#,##0.00"),
                        (Shown(0.5, is_share=True), "0.0 %"), (Shown(1.0, is_share=True), "0 %"),
                        (Shown(0.0, is_share=True), "0 %"), (Shown(0.9999, is_share=True), "0.0000 %"),
                        (Shown(-0.0123, is_share=True), "0.00 %"), (Shown(0.72, 0.02, True), "0 %")):
        assert number_format(shown) == form, shown
    _, _, book = written("two")
    assert {cell.number_format for cell in next(book["Pairs"].iter_rows(min_row=2))[10:]} <= {"0 %", "0.0 %", "0.00 %"}


def test_a_cell_takes_any_text():
    assert cell_text("a\x00b\x1fc\ud800\uffffd") == "a\ufffdb\ufffdc\ufffd\ufffdd"
    assert cell_text("a\r\nb\rc\td") == "a\nb\nc\td"
    assert cell_text("x" * MOST_TEXT) == "x" * MOST_TEXT
    assert cell_text("x" * (MOST_TEXT + 1)) == "x" * (MOST_TEXT - 1) + "…"
    cut = cell_text("🚀" * MOST_TEXT)
    assert len(cut.encode("utf-16-le")) // 2 <= MOST_TEXT and cut.endswith("🚀…")
    assert cell_text("<r>&</r>").startswith("<r>") and not cell_text("<r>&</r>").endswith("</r>")
