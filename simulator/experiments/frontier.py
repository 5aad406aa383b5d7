"""Cost against interactivity: the study run on common draws along the measured frontiers of its platforms.

At an interactivity each platform that has a frontier runs with the throughput read off it, lognormal with the frontier's
spread; only inside its measured range. A platform without one is known at one interactivity only, its own, and is run there: a
flat line would claim that its throughput does not fall.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

from simulator.analysis.intervals import Estimate, with_normal_bounds
from simulator.engine.run import run
from simulator.experiments.crossings import Crossing, crossings, log_of, log_of_ratio
from simulator.quantities import COST
from simulator.results import Run
from simulator.study.frontier import Frontier
from simulator.study.frontier_reading import throughput_distribution
from simulator.study.model import Platform, Study

GRID_POINTS = 13
PERCENTILES = ("p5", "p50", "p95")
_NEAR = 0.03  # relatively nearer than this to an end or an operating point, an evenly spaced interactivity is not run too
_OTHERWISE = "operating points differ in interactivity"  # what the study's own points say does not matter here


class NoFrontierError(ValueError):
    """A study in which no platform has a frontier."""


@dataclass(frozen=True)
class Row:
    """One platform at one interactivity [token/s/user].

    throughput            median, token/s/GPU; None for a platform without a frontier
    cost                  cost_per_million_tokens by percentile: p5, p50, p95
    probability_cheapest  among the platforms that were measured there; None where it is alone
    on_grid               whether the interactivity is one of the evenly spaced, or an end; the others are measured points
    """

    platform: str
    interactivity: float
    throughput: float | None
    cost: dict[str, Estimate]
    probability_cheapest: Estimate | None
    on_grid: bool


@dataclass(frozen=True)
class PairRow:
    """Two platforms at one interactivity: median of the ratio of their costs, and the chance that the first costs less."""

    interactivity: float
    ratio: Estimate | None
    probability_cheaper: Estimate


@dataclass(frozen=True)
class Flip:
    """Where the ranking of a pair flips.

    of              "median" (the two median costs are equal) or "probability" (each is cheaper in half of the futures)
    cheaper_below   the platform that costs less at lower interactivity
    interactivity   with its simulation error, token/s/user
    """

    of: str
    cheaper_below: str
    cheaper_above: str
    interactivity: Estimate


@dataclass(frozen=True)
class Pair:
    """Two platforms over the interactivities at which both were measured; no rows where there are none."""

    first: str
    second: str
    rows: tuple[PairRow, ...]
    flips: tuple[Flip, ...]

    @property
    def name(self) -> str:
        """As results name pairs."""
        return f"{self.first}/{self.second}"


@dataclass(frozen=True)
class FrontierResult:
    """Cost against interactivity.

    study    as it was given;  rows, pairs  in the order of its platforms
    left_out labels of platforms with neither a frontier nor an interactivity
    """

    study: Study
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]

    def rows_of(self, platform: str) -> list[Row]:
        """Rows of one platform, by rising interactivity."""
        return [row for row in self.rows if row.platform == platform]


def frontier_costs(study: Study, threads: int = 0, progress: Callable[[float], None] | None = None) -> FrontierResult:
    """Run a study along the frontiers of its platforms.

    progress  called with the share of the runs that are done, 0..1
    Raises NoFrontierError where no platform has a frontier, StudyError where a throughput read off is not usable, RunError.
    """
    measured = {platform.name: platform.frontier for platform in study.platforms if platform.frontier}
    if not measured:
        raise NoFrontierError("found no platform with a frontier; expected at least one: 'tco import' makes them from benchmark "
                              "results")
    own = {p.name: point for p in study.platforms if (point := _own_interactivity(p)) is not None}
    grid, shown = _grid(measured, own)
    runs: dict[float, Run] = {}
    for done, x in enumerate(grid):
        runs[x] = _run_at(study, measured, own, x, threads)
        if progress:
            progress((done + 1) / len(grid))
    names = [platform.name for platform in study.platforms]
    rows = tuple(_row(found, name, x, measured.get(name), x in shown) for name in names for x, found in runs.items()
                 if name in _names(found))
    pairs = tuple(_pair(second, first, runs, measured) for first, second in combinations(names, 2))
    left_out = tuple(p.label for p in study.platforms if p.name not in measured and p.name not in own)
    warnings = [warning for warning in study.warnings if not warning.startswith(_OTHERWISE)]
    warnings += [f"{pair.name}: where each costs less in half of the futures is not looked for, since costs that are not "
                 "positive have no ratio" for pair in pairs if any(row.ratio is None for row in pair.rows)]
    return FrontierResult(study, rows, pairs, left_out, tuple(warnings))


def _own_interactivity(platform: Platform) -> float | None:
    return platform.operating_point.interactivity if platform.operating_point else None


def _grid(measured: dict[str, Frontier], own: dict[str, float]) -> tuple[list[float], set[float]]:
    """Interactivities to run at, rising, and those of them to be shown.

    Ends come first, so that each is met exactly; then the platforms' own points, the evenly spaced ones, and the measured ones
    in between, without which a line would cut the corners of a steep frontier.
    """
    low, high = min(f.low for f in measured.values()), max(f.high for f in measured.values())
    ends = [end for frontier in measured.values() for end in (frontier.low, frontier.high)]
    inside = [x for name, x in own.items() if name not in measured or measured[name].contains(x)]
    evenly = [low * (high / low) ** (k / (GRID_POINTS - 1)) for k in range(1, GRID_POINTS - 1)]
    spaced = [x for x in evenly if any(frontier.contains(x) for frontier in measured.values())]
    grid: list[float] = []
    shown: set[float] = set()
    between = [x for frontier in measured.values() for x in frontier.interactivity]
    for wanted, apart, show in ((ends, 0.0, True), (inside, 0.0, True), (spaced, _NEAR, True), (between, 0.0, False)):
        for x in wanted:
            if all(abs(x / other - 1) > apart for other in grid):
                grid.append(x)
                shown |= {x} if show else set()
    return sorted(grid), shown


def _run_at(study: Study, measured: dict[str, Frontier], own: dict[str, float], x: float, threads: int) -> Run:
    """The platforms that were measured at an interactivity, on the draws that all interactivities share."""
    values: dict[str, object] = {}
    there = [name for name in own if name not in measured and own[name] == x]
    for name, frontier in measured.items():
        if frontier.contains(x):
            there.append(name)
            values[f"platforms.{name}.throughput"] = throughput_distribution(frontier.throughput_at(x), frontier.spread)
            if name in own:
                values[f"platforms.{name}.operating_point.interactivity"] = x
    at = study.with_inputs(values)
    return run(replace(at, platforms=tuple(p for p in at.platforms if p.name in there)), threads, costs_alone=True)


def _names(found: Run) -> list[str]:
    return [platform.name for platform in found.study.platforms]


def _row(found: Run, name: str, x: float, frontier: Frontier | None, on_grid: bool) -> Row:
    cost = {p: found.estimate(name, COST.name, p) for p in PERCENTILES}
    chance = found.estimate(name, "probability_cheapest") if len(_names(found)) > 1 else None
    return Row(name, x, frontier.throughput_at(x) if frontier else None, cost, chance, on_grid)


def _pair(first: str, second: str, runs: dict[float, Run], measured: dict[str, Frontier]) -> Pair:
    """A pair, later/earlier in the study's order as results name it, wherever both were run."""
    both = {x: found for x, found in runs.items() if {first, second} <= set(_names(found))}
    name = f"{first}/{second}"
    rows = tuple(PairRow(x, found.find(name, "ratio", "p50"), found.estimate(name, "probability_cheaper"))
                 for x, found in both.items())
    flips: list[Flip] = []
    if len(both) > 1 and first in measured and second in measured:
        a, b = measured[first], measured[second]

        def shape(x: float) -> float:
            """Log of the ratio of costs, up to a constant: cost per token goes as 1 ÷ throughput."""
            return math.log(b.throughput_at(x) / a.throughput_at(x))

        medians = [(found.estimate(first, COST.name, "p50"), found.estimate(second, COST.name, "p50")) for found in both.values()]
        logs = {"median": [log_of_ratio(*pair) for pair in medians],
                "probability": [log_of(row.ratio) if row.ratio else None for row in rows]}
        for of, found_logs in logs.items():
            known = [log for log in found_logs if log is not None]
            if len(known) == len(both):  # a cost that income makes negative has no ratio
                flips += [_flip(of, first, second, crossing) for crossing in crossings(list(both), known, shape)]
    return Pair(first, second, rows, tuple(flips))


def _flip(of: str, first: str, second: str, crossing: Crossing) -> Flip:
    """`crossing` is one of the log of the first's cost ÷ the second's."""
    below, above = (first, second) if crossing.rising else (second, first)
    return Flip(of, below, above, with_normal_bounds(crossing.at, crossing.standard_error))
