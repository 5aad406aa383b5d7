"""What changed between two finished runs: inputs, evidence, settings, versions, results, ranking; and what explains it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from simulator.analysis.intervals import Estimate, change, with_normal_bounds
from simulator.engine.run import run
from simulator.experiments.attribution import STATISTICS, Attribution, attribute
from simulator.finished_run import FinishedRun
from simulator.quantities import COST, RATIO
from simulator.results import Run
from simulator.run_folder import machine_type
from simulator.study.differences import Differences, differences

# Of what a change is given, by quantity and statistic.
OF_PLATFORM = (*((COST.name, statistic) for statistic in STATISTICS), ("probability_cheapest", ""))
OF_PAIR = (*((RATIO.name, statistic) for statistic in ("p5", "p50", "p95")), ("probability_cheaper", ""))
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NumberChange:
    """One reported number in both runs, and by how much it moved.

    is_paired  whether the error is that of the difference on the same draws, not that of two numbers that know nothing of each
               other
    """

    owner: str
    quantity: str
    statistic: str
    old: Estimate
    new: Estimate
    change: Estimate
    is_paired: bool

    @property
    def is_within_error(self) -> bool:
        """Whether the change may be of the simulation alone: 0 lies in its 95 % interval."""
        return self.change.low <= 0 <= self.change.high

    @property
    def is_the_same(self) -> bool:
        return self.change.value == 0 == self.change.standard_error


@dataclass(frozen=True)
class Comparison:
    """Two finished runs side by side.

    versions      of what has another one: name, in the first, in the second
    same_draws    whether both have the same trials: seed, sampler and counts
    results       of the platforms and pairs that both have
    rankings      names of the platforms by median cost, cheapest first, of both runs
    attribution   None where nothing changed that costs depend on, no platform is in both, or nothing was run again
    notes         what is to be said of the numbers
    """

    first: FinishedRun
    second: FinishedRun
    differences: Differences
    versions: tuple[tuple[str, str, str], ...]
    same_draws: bool
    results: tuple[NumberChange, ...]
    rankings: tuple[tuple[str, ...], tuple[str, ...]]
    attribution: Attribution | None
    notes: tuple[str, ...]


def compare(first: FinishedRun, second: FinishedRun, rerun: bool = True, threads: int = 0,
            progress: Callable[[float], None] | None = None) -> Comparison:
    """Compare two finished runs.

    rerun     whether studies may be run again: for the errors of differences on the same draws, and to say what explains them
    progress  called with the share of what is to be run that is done, 0..1
    Raises RunError.
    """
    found = differences(first.study, second.study)
    same_draws = replace(first.study.simulation, horizon=0.0) == replace(second.study.simulation, horizon=0.0)
    notes: list[str] = []

    def part_of(done: float, share: float) -> Callable[[float], None] | None:
        return (lambda part: progress(done + share * part)) if progress else None

    again: tuple[Run, Run] | None = None
    if rerun and same_draws and found.common:
        again = (run(first.study, threads, part_of(0, 0.25), costs_alone=True),
                 run(second.study, threads, part_of(0.25, 0.25), costs_alone=True))
    results = tuple(_results(first, second, again))
    if again and not all(each.is_paired for each in results):
        notes.append("a run does not come out again (tco verify says how): errors of its changes are put together from both runs")
    attribution = attribute(first.study, second.study, found, threads, part_of(0.5, 0.5)) if rerun else None
    return Comparison(first, second, found, tuple(_versions(first, second)), same_draws, results,
                      (_ranking(first), _ranking(second)), attribution, tuple(notes))


def _versions(first: FinishedRun, second: FinishedRun) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys((*first.made_with, *second.made_with)):
        then, now = (each.made_with.get(name, "not there") for each in (first, second))
        if then != now:
            yield name, then, now
    then, now = (machine_type(each.manifest.get("machine", {})) for each in (first, second))
    if then != now:
        yield "machine", then, now


def _results(first: FinishedRun, second: FinishedRun, again: tuple[Run, Run] | None) -> Iterator[NumberChange]:
    for kind, wanted in (("platforms", OF_PLATFORM), ("pairs", OF_PAIR)):
        there, also = (each.summary["scenarios"].get("base", {}).get(kind, {}) for each in (first, second))
        for owner in there:
            alone = kind == "platforms" and len(there) == len(also) == 1
            for quantity, statistic in wanted if owner in also else ():
                if alone and quantity != COST.name:
                    continue  # who has no rival is always cheapest
                old, new = (each.find(owner, quantity, statistic) for each in (first, second))
                if old and new:
                    yield _moved(owner, quantity, statistic, old, new, again)


def _moved(owner: str, quantity: str, statistic: str, old: Estimate, new: Estimate,
           again: tuple[Run, Run] | None) -> NumberChange:
    if again:
        before, after = (each.find(owner, quantity, statistic) for each in again)
        if before and after and _agree(before, old) and _agree(after, new):
            return NumberChange(owner, quantity, statistic, old, new, change(before, after), True)
    apart = with_normal_bounds(new.value - old.value, math.hypot(old.standard_error, new.standard_error))
    return NumberChange(owner, quantity, statistic, old, new, apart, False)


def _agree(one: Estimate, other: Estimate) -> bool:
    return abs(one.value - other.value) <= _ROUNDING * abs(other.value)


def _ranking(finished: FinishedRun) -> tuple[str, ...]:
    costs = {platform.name: finished.find(platform.name, COST.name, "p50") for platform in finished.study.platforms}
    known = {name: cost.value for name, cost in costs.items() if cost}
    return tuple(sorted(known, key=known.__getitem__))
