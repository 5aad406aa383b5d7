"""A sweep as it is read in a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.intervals import Estimate
from simulator.experiments.sweep import Flip, SweepResult, flips
from simulator.quantities import COST, RATIO
from simulator.reporting.wording import digits, number, percent, plain_number, short
from simulator.study.model import SweptInput

_MOST_COLUMNS = 10  # of a grid that is printed as one
_MOST_ROWS = 60
_WITH_BAND = 2  # platforms of which P5 to P95 fit too


def sweep_summary(result: SweepResult) -> RenderableType:
    """A line for every value of one input; of two inputs the chance of the first platform, or who is cheapest, as a grid."""
    swept = result.sweep.swept
    named = "" if result.sweep.name == "ad_hoc" else f", {result.sweep.name}"
    blocks: list[RenderableType] = [Text(f"{result.study.name}{named}", style="bold")]
    blocks += [Text(result.sweep.description)] if result.sweep.description else []
    blocks += [Text(""), *(_grids(result) if len(swept) == 2 and result.sweep.shape[1] <= _MOST_COLUMNS else _lines(result))]
    found = [flip_in_words(result, flip) for flip in flips(result) if flip.of == "median"]
    blocks += [Text(line, style="bold") for line in found]
    simulation = result.study.simulation
    blocks += [Text(""), Text(f"{simulation.trials:,} trials at each of {len(result.digests):,} points (seed {simulation.seed}), "
                              "the same draws at all; digits that the simulation error blurs are not shown.", style="dim")]
    return Group(*blocks)


def heading(given: SweptInput) -> str:
    """A swept input as it is read, with its unit."""
    return given.path + (f" [{given.unit}]" if given.unit not in ("", "1") else "")


def coordinate(given: SweptInput, k: int) -> str:
    """A value of a swept input."""
    value = given.coordinates[k]
    return short(value) if isinstance(value, float) else str(value)


def flip_in_words(result: SweepResult, flip: Flip) -> str:
    """Where the cheaper platform changes, in a sentence."""
    labels = result.study.labels
    given = result.sweep.swept[0]
    unit = f" {given.unit}" if given.unit not in ("", "1") else ""
    at = plain_number(flip.at.value, digits(flip.at.value, flip.at.standard_error, 2))
    x = sorted(map(float, given.coordinates))
    low, high = max(v for v in x if v <= flip.at.value), min(v for v in x if v >= flip.at.value)
    between = "" if low == high else f" (between {short(low)} and {short(high)})"
    return (f"At {given.path} of about {at}{unit}{between} the median costs are equal: below, {labels[flip.cheaper_below]} costs "
            f"less, above, {labels[flip.cheaper_above]}.")


def _lines(result: SweepResult) -> list[RenderableType]:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    swept = result.sweep.swept
    for given in swept:
        table.add_column(Text(heading(given)), justify="right")
    platforms = result.study.platforms
    for platform in platforms:
        table.add_column(Text(platform.label), justify="right")
    if len(platforms) > 1:
        table.add_column("cheapest")
    for shown, position in enumerate(result.points()):
        if shown == _MOST_ROWS:
            break
        cells = [Text(coordinate(given, k)) for given, k in zip(swept, position, strict=True)]
        cells += [Text(_cost(result, position, platform.name, len(platforms) <= _WITH_BAND)) for platform in platforms]
        table.add_row(*cells, *([Text(" in ".join(_cheapest(result, position)))] if len(platforms) > 1 else []))
    left = len(result.digests) - _MOST_ROWS
    more = [Text(f"… and {left:,} further points: in sweep.parquet")] if left > 0 else []
    band = " (P5 to P95)" if len(platforms) <= _WITH_BAND else ""
    return [Text(f"Cost per million tokens, USD: P50{band}", style="italic"), table, *more]


def _grids(result: SweepResult) -> list[RenderableType]:
    """Median cost of one platform, or for two their ratio and the chance that the cheaper one is; for more who is cheapest."""
    platforms = result.study.platforms
    if len(platforms) == 1:
        return _grid(result, f"{platforms[0].label}: median cost per million tokens, USD",
                     lambda at: number(result.estimate(at, platforms[0].name, COST.name, "p50")))
    if len(platforms) > 2:
        letters = {platform.label: chr(ord("A") + k % 26) for k, platform in enumerate(platforms)}

        def cell(at: tuple[int, int]) -> str:
            label, chance = _cheapest(result, at)
            return f"{letters[label]} {chance}"

        there = sorted({_cheapest(result, at)[0] for at in result.points()}, key=list(letters).index)
        return [*_grid(result, "Cheapest, and in how many futures", cell),
                Text(" · ".join(f"{letters[label]}: {label}" for label in there))]
    (pair,) = result.pairs
    later, earlier = platforms[1].label, platforms[0].label
    ratios = _grid(result, f"Cost of {later} ÷ cost of {earlier}, median",
                   lambda at: _or_nothing(result.estimate(at, pair, RATIO.name, "p50")))
    return [*ratios, Text(""), *_grid(
        result, f"How often {later} costs less", lambda at: percent(result.estimate(at, pair, "probability_cheaper")))]


def _grid(result: SweepResult, title: str, cell: Callable[[tuple[int, int]], str]) -> list[RenderableType]:
    rows, columns = result.sweep.swept
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", justify="right")
    for k in range(len(columns.values)):
        table.add_column(Text(coordinate(columns, k)), justify="right")
    for k in range(len(rows.values)):
        table.add_row(Text(coordinate(rows, k)), *(Text(cell((k, other))) for other in range(len(columns.values))))
    return [Text(title, style="italic"), Text(f"down: {heading(rows)} · across: {heading(columns)}"), table]


def _or_nothing(estimate: Estimate) -> str:
    """A number, or nothing where it does not apply."""
    return number(estimate) if math.isfinite(estimate.value) else ""


def _cost(result: SweepResult, position: tuple[int, ...], name: str, with_band: bool) -> str:
    low, middle, high = (result.estimate(position, name, COST.name, p) for p in ("p5", "p50", "p95"))
    return number(middle) + (f" ({number(low)} to {number(high)})" if with_band and low.value != high.value else "")


def _cheapest(result: SweepResult, position: tuple[int, ...]) -> tuple[str, str]:
    """The platform that is cheapest most often, and how often."""
    chances = {p.label: result.estimate(position, p.name, "probability_cheapest") for p in result.study.platforms}
    best = max(chances, key=lambda label: chances[label].value)
    return best, percent(chances[best])
