"""A resolved study as it is read in a terminal: every input with its range and where it was written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.quantities import INPUTS, WORDS
from simulator.reporting.wording import as_given, digits, plain_number
from simulator.study.document import Setting
from simulator.study.families import Marginal
from simulator.study.model import Input, Platform, Process, Study, SweptInput
from simulator.study.processes import parameter_quantity

_BAR = 18  # characters
_SHARES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Line:
    """One number that may be uncertain: what it is given as, of which kind of evidence, where it was written, and, for an input
    as a whole, its grade and date."""

    name: str
    path: str
    unit: str
    marginal: Marginal
    what: str
    place: str
    kind: str = ""
    grade: str = ""
    date: str = ""


def listing(study: Study) -> RenderableType:
    """Shared inputs and markets, then what each platform has of its own, correlations, and what is not modelled."""
    blocks: list[RenderableType] = [Text(study.name, style="bold")]
    blocks += [Text(study.description)] if study.description else []
    inputs = study.inputs()
    for title, belongs in (("markets", "markets."), ("shared", "shared.")):
        lines = [line for path, given in inputs.items() if path.startswith(belongs) for line in lines_of(study, given, belongs)]
        blocks += _titled(title, _table(lines)) if lines else []
    for platform in study.platforms:
        own = f"platforms.{platform.name}."
        lines = [line for given in platform.all_inputs() if given.path.startswith(own) for line in lines_of(study, given, own)]
        blocks += _titled(f"platforms.{platform.name}: {platform.label}, {_words(platform)}", _table(lines))
    pairs = study.document.tree.get("correlations", {})
    if study.correlations.inputs.members or study.correlations.shocks.members:
        degrees = study.correlations.degrees
        copula = f"t copula, {as_given(degrees)} degrees of freedom" if degrees else "Gaussian copula"
        blocks += _titled(f"rank correlations ({copula})", _pairs(pairs["pairs"]))
    if study.what_ifs:
        blocks += _titled("what-ifs (tco run --what-if NAME)", _alternatives(
            (what_if.name, what_if.description, f"over {what_if.extends}" if what_if.extends else "", what_if.settings)
            for what_if in study.what_ifs))
    if study.sweeps:
        blocks += _titled("sweeps (tco sweep STUDY NAME)", _alternatives(
            (sweep.name, sweep.description, f"{math.prod(sweep.shape):,} points", sweep.swept) for sweep in study.sweeps))
    simulation = study.simulation
    blocks += [Text(""), Text(
        f"{simulation.trials:,} trials in {simulation.replicates} replicates, sampler {simulation.sampler}, seed "
        f"{simulation.seed}, horizon {as_given(simulation.horizon)} years; digest {study.digest}", style="dim")]
    return Group(*blocks)


def _titled(title: str, block: RenderableType) -> list[RenderableType]:
    return [Text(""), Text(title, style="italic"), block]


def _words(platform: Platform) -> str:
    """What a platform says in words: ownership, and how it is written off and kept up where that matters."""
    words = [{"buy": "bought", "rent": "rented"}[platform.ownership]]
    if "tax_rate" in platform.inputs and platform.ownership == "buy":
        words.append(f"depreciation {platform.depreciation}")
    if platform.attrition != WORDS["attrition"][0]:
        words.append(f"attrition {platform.attrition}")
    return ", ".join(words)


def lines_of(study: Study, given: Input, belongs: str = "") -> Iterator[Line]:
    """The lines of an input: one, or for a process the price that is paid in the long run, and one a parameter, whose names are
    set in. `belongs`: what all paths have in common, which is no part of their names."""
    name, evidence, unit = given.path.removeprefix(belongs), given.evidence, given.quantity.unit
    if isinstance(given.value, Marginal):
        what = ", ".join(filter(None, (_stated(study, given.path), "nominal" if given.is_nominal else "")))
        place = _place(study, given.path) or str(given.place)
        yield Line(name, given.path, unit, given.value, what, place, given.kind, evidence.grade, evidence.date)
        return
    paid = _long_run(given.value)
    jumps = ", without jumps" if given.value.has_jumps else ""
    yield Line(name, given.path, unit, paid, f"process, long run{jumps}", str(given.place), given.kind, evidence.grade,
               evidence.date)
    for part, marginal in given.value.parameters.items():
        if marginal.parameters != (0.0,):
            path = f"{given.path}.{part}"
            yield Line(f"  {part}", path, parameter_quantity(part, given.quantity).unit, marginal, _stated(study, path),
                       _place(study, path))
    if given.value.starts_anywhere:
        path = f"{given.path}.start"
        yield Line("  start", path, unit, paid, "stationary", _place(study, path))


def _stated(study: Study, path: str) -> str:
    """The distribution as the study names it; nothing for a number."""
    found = study.document.tree
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    kinds = found if isinstance(found, dict) else {}
    if "probability" in kinds:
        return "epidemic"
    return str(kinds.get("distribution", "")).replace("_", " ")


def _place(study: Study, path: str) -> str:
    """Where a value was written; and where a part of it was replaced from elsewhere."""
    key = tuple(path.split("."))
    places = study.document.places
    here = places.get(key)
    if here is None:
        return ""
    elsewhere = {str(place) for inside, place in places.items() if inside[:len(key)] == key and place.file != here.file}
    return ", ".join((str(here), *sorted(elsewhere)))


def _long_run(process: Process) -> Marginal:
    """What is paid in the long run with all parameters at their medians, by its percentiles: discrete, of 999 values."""
    at = {name: marginal.quantile(0.5) for name, marginal in process.parameters.items()}
    spread = at["volatility"] / math.sqrt(2 * at["reversion_rate"])
    strike = at.get("strike", at["median"] * math.exp(spread**2 / 2))
    scores = Marginal("normal", (0.0, spread))
    count = 999
    values = [at["delivery"] + at["hedged_share"] * strike + (1 - at["hedged_share"]) * at["median"] * math.exp(
        scores.quantile((k + 0.5) / count)) for k in range(count)]
    if values[0] == values[-1]:
        return Marginal("constant", (values[0],))
    return Marginal("discrete", (*values, *((k + 1) / count for k in range(count))))


def _table(lines: list[Line]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "P5", "P50", "P95"):
        table.add_column(heading, justify="right" if heading else "left", overflow="fold")
    for heading in ("", "unit", "given as", "from", "grade", "date"):
        table.add_column(heading, overflow="fold")
    order = {quantity.name: position for position, quantity in enumerate(INPUTS)}
    owner, owners = "", {}
    for line in lines:  # parameters stay with their process
        owner = owner if line.name.startswith(" ") else line.name
        owners[line.name, line.place] = owner
    for line in sorted(lines, key=lambda line: order.get(owners[line.name, line.place], len(order))):
        unit = line.unit if line.unit != "1" else ""
        table.add_row(Text(line.name), *range_cells(line.marginal), Text(_bar(line.marginal)), Text(unit),
                      Text(", ".join(filter(None, (line.what, line.kind)))), Text(line.place), Text(line.grade), Text(line.date))
    return table


def range_cells(marginal: Marginal) -> list[str]:
    """P5, P50 and P95 to three digits of the largest; of a certain number itself."""
    if marginal.is_constant:
        return ["", as_given(marginal.parameters[0]), ""]
    values = [marginal.quantile(p) for p in _SHARES]
    decimals = max(digits(max(map(abs, values)), 0.0), digits(values[2] - values[0], 0.0, 2))
    return [plain_number(value, decimals) for value in values]


def _bar(marginal: Marginal) -> str:
    """P5 to P95 as a line with the median, between the outermost values of P1 and P99."""
    if marginal.is_constant:
        return ""
    low, high = marginal.quantile(0.01), marginal.quantile(0.99)
    if not high > low:
        return ""

    def place(p: float) -> int:
        return round((marginal.quantile(p) - low) / (high - low) * (_BAR - 1))

    first, middle, last = (place(p) for p in _SHARES)
    cells = ["─" if first <= k <= last else "·" for k in range(_BAR)]
    cells[middle] = "●"
    return "".join(cells)


def _alternatives(found: Iterable[tuple[str, str, str, Sequence[Setting | SweptInput]]]) -> Table:
    """What-ifs or sweeps: name, what it is, the inputs that it changes, where it was written."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(4):
        table.add_column("", overflow="fold")
    for name, description, beside, changed in found:
        paths = ", ".join(value.path for value in changed)
        table.add_row(Text(name), Text(" ".join(filter(None, (description, f"({beside})" if beside else "")))), Text(paths),
                      Text(str(changed[0].place) if changed else ""))
    return table


def _pairs(pairs: list[list[object]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column("")
    for first, second, rank in pairs:
        table.add_row(Text(str(first)), Text(str(second)), Text(_signed(rank)))
    table.show_header = False
    return table


def _signed(rank: object) -> str:
    if not isinstance(rank, int | float):
        return str(rank)
    return f"{'+' if rank >= 0 else ''}{as_given(rank)}"
