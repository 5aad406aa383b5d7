"""Two runs side by side, as they are read in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.intervals import Estimate
from simulator.experiments.attribution import Attribution, Part
from simulator.experiments.compare import Comparison, NumberChange
from simulator.reporting.listing import range_cells
from simulator.reporting.what_ifs import signed
from simulator.reporting.wording import as_given, label_of, listed, number, percent, plain_number, plural
from simulator.study.differences import EVIDENCE, OTHER, SETTING, WORLD, Change
from simulator.study.families import Marginal
from simulator.study.model import Process
from simulator.study.problems import quoted, shown
from simulator.study.processes import STATIONARY, parameter_quantity

_LONGEST = 100  # characters of a text
_SIDE_BY_SIDE = 4  # platforms of which all pairs are shown


def comparison(found: Comparison) -> RenderableType:
    """What changed, what came out, who is cheapest, and what explains it."""
    name, *lines = _head(found)
    blocks: list[RenderableType] = [Text(name, style="bold"), *map(Text, lines)]
    differ = found.differences
    if inputs := [row for change in differ.of_kind(WORLD) for row in _inputs(found, change)]:
        blocks += _titled("Inputs that changed: P50 (P5 to P95)", _table(("", "first", "second", "unit"), inputs, "llll"))
    if settings := differ.of_kind(SETTING):
        blocks += _titled("Simulation", _table(("", "first", "second"), map(_texts, settings), "lll"))
    if found.versions:
        blocks += _titled("Versions", _table(("", "first", "second"), found.versions, "lll"))
    blocks += [Text(""), *map(Text, elsewhere)] if (elsewhere := _elsewhere(found)) else []
    if found.results:
        blocks += _titled("What came out", _results(found))
    blocks += [Text(""), *map(Text, _ranking(found))]
    if found.attribution:
        blocks += _titled(f"What explains the change of the mean cost, USD per million tokens ({_method(found.attribution)})",
                          *_spaced(_explained(found, found.attribution, name) for name in differ.common))
    return Group(*blocks, *(Text(line, style="dim") for line in _foot(found)))


def _head(found: Comparison) -> Iterator[str]:
    names = [each.study.name for each in (found.first, found.second)]
    yield names[0] if names[0] == names[1] else f"{names[0]} and {names[1]}"
    for word, each in (("first", found.first), ("second", found.second)):
        yield f"{word}: {each.folder}"
    differ = found.differences
    labels = found.first.study.labels | found.second.study.labels
    for word, only in (("first", differ.removed), ("second", differ.added)):
        if only:
            yield f"Only in the {word}: {listed([labels[name] for name in only])}."
    if not differ.common:
        yield "No platform is in both runs."
    if not (differ.changes or differ.removed or differ.added):
        yield "The studies are the same."
    elif differ.common and not differ.of_kind(WORLD):
        yield "No input changed."


def _elsewhere(found: Comparison) -> list[str]:
    """What differs and moves no cost, in a sentence each."""
    lines = []
    for words, kind in (("Evidence alone (source, date, grade or note) differs of", EVIDENCE),
                        ("Without effect on costs, and different", OTHER)):
        changes = found.differences.of_kind(kind)
        if changes:
            lines.append(f"{words}: {', '.join(change.name for change in changes)}.")
    return lines


def _inputs(found: Comparison, change: Change) -> Iterator[tuple[str, ...]]:
    """An input's rows: one, or of a process one for each parameter that differs; of what is no input its words."""
    given = [each.study.inputs().get(change.name) for each in (found.first, found.second)]
    unit = next((each.quantity.unit for each in given if each), "1")
    values = [each.value if each else None for each in given]
    if change.path[0] == "correlations":
        yield from _correlations(change)
    elif not any(given):
        yield _texts(change)
    elif all(value is None or isinstance(value, Marginal) for value in values):
        cells = [_marginal(value) if isinstance(value, Marginal) else "not stated" for value in values]
        if cells[0] == cells[1]:
            cells = list(_texts(change)[1:])
        yield change.name, *cells, "" if unit == "1" else unit
    else:
        yield from _process(found, change.name)


def _correlations(change: Change) -> Iterator[tuple[str, ...]]:
    """The pairs whose rank correlation differs, and the copula where that does."""
    sides = []
    for block in (change.old, change.new):
        stated = block if isinstance(block, dict) else {}
        pairs = {" ~ ".join(map(str, sorted(map(str, pair[:2])))): pair[2] for pair in stated.get("pairs", [])}
        sides.append({**({"copula": stated.get("copula", "gaussian")} if stated else {}), **pairs})
    for name in dict.fromkeys((*sides[0], *sides[1])):
        was, now = (side.get(name) for side in sides)
        if was != now:
            yield f"correlations: {name}", _plain(was), _plain(now), ""


def _process(found: Comparison, path: str) -> Iterator[tuple[str, ...]]:
    """The parameters that differ of a price that moves, or of one that is a process on one side alone."""
    given = [each.study.inputs().get(path) for each in (found.first, found.second)]
    quantity = next(each.quantity for each in given if each)
    sides = [_parameters(each.value) if each else {} for each in given]
    for part in dict.fromkeys((*sides[0], *sides[1])):
        was, now = (side.get(part) for side in sides)
        if was == now:
            continue
        name, unit = (f"{path}.{part}", parameter_quantity(part, quantity).unit) if part else (path, quantity.unit)
        cells = ["not stated" if value is None else value if isinstance(value, str) else _marginal(value) for value in (was, now)]
        yield name, *cells, "" if unit == "1" else unit


def _parameters(value: Marginal | Process) -> dict[str, Marginal | str]:
    """Of a process its parameters by name; of a number itself, under ""."""
    if isinstance(value, Marginal):
        return {"": value}
    return {**value.parameters, **({"start": STATIONARY} if value.starts_anywhere else {})}


def _marginal(marginal: Marginal) -> str:
    if marginal.is_constant:
        return as_given(marginal.parameters[0])
    low, middle, high = range_cells(marginal)
    return f"{middle} ({low} to {high})"


def _texts(change: Change) -> tuple[str, ...]:
    """A change of what is no number, in words."""
    return change.name, _plain(change.old), _plain(change.new)


def _plain(value: object) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, str):
        return quoted(value, _LONGEST)
    if isinstance(value, dict) and set(value) <= {"family", "degrees_of_freedom", "value", "unit"}:
        return " ".join(_plain(part) for part in value.values())
    return as_given(value, thousands=False) if isinstance(value, (int, float)) and not isinstance(value, bool) else shown(value)


def _results(found: Comparison) -> Table:
    labels = _labels(found)
    rows, before = [], ("", "")
    for each in _shown(found):
        owner = " ÷ ".join(labels[name] for name in each.owner.split("/"))
        what = label_of(each.quantity)
        what = what[0].upper() + what[1:]
        statistic = each.statistic.upper() if each.statistic.startswith("p") else each.statistic
        heading = (owner, what)
        rows.append(("" if owner == before[0] else owner, "" if heading == before else what, statistic, *_numbers(each)))
        before = heading
    return _table(("", "", "", "first", "second", "change", ""), rows, "lllrrrl")


def _shown(found: Comparison) -> tuple[NumberChange, ...]:
    """All results, or of many platforms only the pairs with the one that was cheapest."""
    if len(found.differences.common) <= _SIDE_BY_SIDE:
        return found.results
    least = next(name for name in found.rankings[0] if name in found.differences.common)
    return tuple(each for each in found.results if "/" not in each.owner or least in each.owner.split("/"))


def _numbers(each: NumberChange) -> tuple[str, str, str, str]:
    mark = "" if each.is_the_same or not each.is_within_error else "within simulation error"
    if each.statistic:
        return number(each.old), number(each.new), "same" if each.is_the_same else signed(each.change), mark
    change = "same" if each.is_the_same else f"{signed(each.change.scaled(100))} points"
    return percent(each.old), percent(each.new), change, mark


def _ranking(found: Comparison) -> Iterator[str]:
    labels = _labels(found)
    first, second = ([labels[name] for name in names] for names in found.rankings)
    if first == second:
        yield f"Ranking by median cost: {', '.join(first)}, in both." if len(first) > 1 else ""
    else:
        yield f"Ranking by median cost: {', '.join(first)}; in the second {', '.join(second)}."


def _explained(found: Comparison, attribution: Attribution, name: str) -> Table:
    key = (name, "mean")
    whole = attribution.whole[key]

    def size(part: Part) -> float:
        return abs(part.effect[key].value)

    rows = [(_name(part), signed(part.effect[key]), _share(part.effect[key], whole), signed(part.first_in[key]),
             signed(part.last_in[key])) for part in sorted(attribution.parts, key=size, reverse=True)]
    rows.append(("all", signed(whole), "", "", ""))
    return _table((_labels(found)[name], "explains", "of all", "if made alone", "if made last"), rows, "lrrrr")


def _share(part: Estimate, whole: Estimate) -> str:
    """In percent of the whole; nothing where the whole is within its error, or parts cancel so that a share says little."""
    if whole.low <= 0 <= whole.high or abs(part.value) > 10 * abs(whole.value):
        return ""
    return f"{plain_number(100 * part.value / whole.value, 0)}%".replace("-", "−")


def _name(part: Part) -> str:
    if len(part.changes) == 1:
        return part.changes[0].name
    owners = dict.fromkeys(".".join(map(str, change.owner)) for change in part.changes)
    return f"{', '.join(owners)}: {plural(len(part.changes), 'change')} together"


def _method(found: Attribution) -> str:
    how = "averaged over all orders" if found.method == "shapley" else "averaged over the order of the list and its reverse"
    return f"{how}; {found.trials:,} trials"


def _foot(found: Comparison) -> Iterator[str]:
    paired = [each.is_paired for each in found.results]
    if paired and all(paired):
        yield "±: simulation error of the change at 95 %, of the difference on the same draws."
    elif paired:
        yield "±: simulation error of the change at 95 %, put together from those of both runs."
    if len(_shown(found)) < len(found.results):
        yield "Pairs are shown with the platform that was cheapest; --json has all."
    if found.attribution and found.attribution.method != "shapley":
        yield "Parts of so many changes depend a little on the order of the list, which ± does not say; they add up all the same."
    together = [part for part in found.attribution.parts if len(part.changes) > 1] if found.attribution else []
    for part in together:
        yield f"{_name(part)}: {', '.join(change.name for change in part.changes)}."


def _labels(found: Comparison) -> dict[str, str]:
    return found.second.study.labels | found.first.study.labels


def _titled(title: str, *blocks: RenderableType) -> list[RenderableType]:
    return [Text(""), Text(title, style="italic"), *blocks]


def _spaced(blocks: Iterable[RenderableType]) -> Iterator[RenderableType]:
    for position, block in enumerate(blocks):
        yield from ([Text("")] if position else [])
        yield block


def _table(headings: tuple[str, ...], rows: Iterable[Sequence[str]], sides: str) -> Table:
    """`sides`: l or r for each column. Cells that a row lacks at its end are empty."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading, side in zip(headings, sides, strict=True):
        table.add_column(Text(heading), justify="left" if side == "l" else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, (*row, *("" for _ in range(len(headings) - len(row))))))
    return table
