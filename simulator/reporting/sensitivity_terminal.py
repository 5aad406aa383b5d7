"""What drives costs, where the ranking flips and what it is worth to know, as it is read in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.applicability import MOST_PAIRS
from simulator.experiments.sensitivity.break_even import BreakEven
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.experiments.sensitivity.one_at_a_time import Bar
from simulator.reporting.input_names import input_name
from simulator.reporting.reverse_stress_wording import reverse_stress_in_words
from simulator.reporting.robustness_wording import robustness_in_words
from simulator.reporting.sensitivity_rows import Drivers, InputRow, drivers_of_pair, drivers_of_platform
from simulator.reporting.sensitivity_wording import (
    COLUMNS,
    NOTHING_UNCERTAIN,
    map_in_words,
    never_flips,
    percentage,
    range_in_words,
    value_in_words,
    value_of_information_in_words,
    whole_percentage,
)
from simulator.reporting.wording import digits, plain_number, to_digits

_MANY_PLATFORMS, _MOST_ROWS, _FEW_ROWS = 3, 10, 5
_COLUMNS: tuple[tuple[str, str, Callable[[InputRow], str]], ...] = (
    ("bar", "P10 → P90", lambda row: _ends(row.bar) if row.bar else ""),
    ("variance", "share of variance", lambda row: percentage(row.variance) if row.variance else ""),
    ("tail", "share of tail", lambda row: percentage(row.tail) if row.tail else ""),
    ("first", "first", lambda row: percentage(row.first) if row.first else ""),
    ("total", "total", lambda row: percentage(row.total) if row.total else ""),
    ("rank_correlation", "rank correlation", lambda row: _coefficient(row.rank_correlation) if row.rank_correlation else ""))


def sensitivity_summary(found: Sensitivity) -> RenderableType:
    """Tables by platform and by pair, and the sentences that they support."""
    study = found.study
    rows = _MOST_ROWS if len(study.platforms) <= _MANY_PLATFORMS else _FEW_ROWS
    blocks: list[RenderableType] = [Text(study.name, style="bold")]
    if found.is_certain:
        blocks += [Text(NOTHING_UNCERTAIN)]
    shown: list[Drivers] = []
    for position, platform in enumerate(study.platforms):
        drivers = drivers_of_platform(found, position)
        if drivers.rows:
            shown.append(drivers)
            blocks += _titled(f"What drives the cost of {platform.label}, USD per million tokens",
                              _table(found, drivers, rows, platform.name), *_groups(drivers))
    if shown:
        blocks += [Text(""), *(Text(line, style="dim") for line in _answers(shown))]
    blocks += _pairs(found, min(rows, _FEW_ROWS))
    if found.crossover:
        blocks += _titled("Over two inputs at once", Text(map_in_words(study, found.crossover)))
    worth = value_of_information_in_words(found)
    blocks += _titled("What it is worth to know more before choosing", *map(Text, worth)) if worth else []
    if found.reverse_stress:
        blocks += _titled("When the choice would be wrong", Text(reverse_stress_in_words(study, found.reverse_stress)))
    if found.robustness:
        blocks += _titled("If the world is not as the study says", Text(robustness_in_words(study, found.robustness)))
    return Group(*blocks, Text(""), Text(_foot(found), style="dim"))


def _titled(title: str, *blocks: RenderableType) -> list[RenderableType]:
    return [Text(""), Text(title, style="italic"), *blocks]


def _table(found: Sensitivity, drivers: Drivers, most: int, owner: str = "") -> RenderableType:
    """The inputs that matter most, with what each method says; and how much the others come to."""
    columns = [column for column in _COLUMNS if any(getattr(row, column[0]) for row in drivers.rows)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for name, heading, _ in columns:
        of_log = " of log cost" if drivers.of_log and owner and name in ("variance", "first", "total") else ""
        table.add_column(heading + of_log, justify="right")
    for row in drivers.rows[:most]:
        table.add_row(Text(input_name(found.study, row.input, owner)), *(cell(row) for _, _, cell in columns))
    others = drivers.rows[most:]
    if not others:
        return table
    together = [row.variance.value for row in others if row.variance]
    share = f", together {whole_percentage(sum(together))} of the variance" if together else ""
    return Group(table, Text(f"… {len(others)} more{share}", style="dim"))


def _groups(drivers: Drivers) -> list[RenderableType]:
    if not drivers.groups:
        return []
    return [Text("By group: " + ", ".join(f"{name} {percentage(share)}" for name, share, _ in drivers.groups))]


def _answers(shown: Sequence[Drivers]) -> list[str]:
    """What each column that is shown answers."""
    rows = [row for drivers in shown for row in drivers.rows]
    lines = [text for column, text in COLUMNS.items() if any(getattr(row, column) for row in rows)]
    if any(drivers.of_log for drivers in shown):
        lines.append("Where a few futures carry nearly all of the variance of a cost, that of its logarithm is shared out.")
    return lines


def _pairs(found: Sensitivity, rows: int) -> list[RenderableType]:
    """Of each pair that is compared: what drives the ratio, and which value of an input makes both cost the same."""
    blocks: list[RenderableType] = []
    labels = [platform.label for platform in found.study.platforms]
    many = len(found.study.pairs) > MOST_PAIRS
    for pair in found.study.pairs:
        values = (found.break_even or {}).get(pair)
        if many and values is None:
            continue
        drivers = drivers_of_pair(found, pair)
        tabled = bool(drivers.rows) and not many
        parts: list[RenderableType] = [_table(found, drivers, rows)] if tabled else []
        parts += _break_even(found, pair, values) if values is not None else []
        if parts:
            what = " and ".join(filter(None, ("what drives the ratio of costs" if tabled else "",
                                              "where the ranking flips" if values is not None else "")))
            blocks += _titled(f"{labels[pair[0]]} against {labels[pair[1]]}: {what}", *parts)
    return blocks


def _break_even(found: Sensitivity, pair: tuple[int, int], values: tuple[BreakEven, ...]) -> list[RenderableType]:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "both cost the same at", "cheaper above it", "looked at"):
        table.add_column(heading)
    later, earlier = (found.study.platforms[position].label for position in pair)
    for one in values:
        for flip in one.on_draws:
            table.add_row(Text(input_name(found.study, one.input)),
                          value_in_words(found.study, one.input, flip.value.value, flip.value.standard_error),
                          Text(later if flip.later_is_cheaper_above else earlier), range_in_words(found.study, one))
    never = never_flips(found.study, pair, values)
    return [*([table] if table.row_count else []), *([Text(never)] if never else [])]


def _ends(bar: Bar) -> str:
    return f"{to_digits(bar.at_p10)} → {to_digits(bar.at_p90)}"


def _coefficient(estimate: Estimate) -> str:
    return plain_number(estimate.value, min(digits(estimate.value, estimate.standard_error), 2))


def _foot(found: Sensitivity) -> str:
    simulation = found.study.simulation
    ranges = (" A ranking is looked at with inputs between their P0.1 and P99.9, certain ones between a quarter and four times "
              "their value." if found.break_even is not None or found.crossover else "")
    return f"± is the standard error of the simulation.{ranges} Seed {simulation.seed}. Details: docs/sensitivity.md."
