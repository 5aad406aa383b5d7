"""Sweeps: a study at every value of one input, or of several together, on the same draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, with_normal_bounds
from simulator.engine.run import run
from simulator.experiments.cluster import Cluster
from simulator.experiments.crossings import crossings, log_of, log_of_ratio
from simulator.quantities import COST, RATIO
from simulator.results import PERCENTILES, Run
from simulator.study.model import Study, Sweep, SweptInput
from simulator.study.sweeps import settings_at

Array = np.ndarray[Any, np.dtype[np.float64]]
_PERCENTS = tuple(f"p{100 * p:g}" for p in PERCENTILES)
# What every point gives: (quantity, statistic), of each platform and of each pair.
OF_PLATFORM = (*((COST.name, s) for s in ("mean", *_PERCENTS)), ("probability_cheapest", ""), ("expected_regret", ""))
OF_PAIR = (*((RATIO.name, s) for s in _PERCENTS), ("probability_cheaper", ""))


@dataclass(frozen=True)
class SweepResult:
    """A sweep's results.

    of_platform  float64[*shape, platforms, len(OF_PLATFORM), 4]: at each point value, standard error, low and high; NaN where
                 a number does not apply
    of_pair      float64[*shape, pairs, len(OF_PAIR), 4]
    digests      of the study at each point, by its position in `points`
    """

    study: Study
    sweep: Sweep
    of_platform: Array
    of_pair: Array
    digests: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def platforms(self) -> list[str]:
        return [platform.name for platform in self.study.platforms]

    @property
    def pairs(self) -> list[str]:
        """Pairs as results name them: later/earlier in the study's order."""
        return [self.study.pair_name(pair) for pair in self.study.pairs]

    def points(self) -> Iterator[tuple[int, ...]]:
        """Positions along each input, the last one fastest."""
        return product(*map(range, self.sweep.shape))

    def estimate(self, position: Sequence[int], owner: str, quantity: str, statistic: str = "") -> Estimate:
        """One number at one point, of a platform or a pair. Raises ValueError where there is none of that name."""
        if owner in self.platforms:
            found = self.of_platform[(*position, self.platforms.index(owner), OF_PLATFORM.index((quantity, statistic)))]
        else:
            found = self.of_pair[(*position, self.pairs.index(owner), OF_PAIR.index((quantity, statistic)))]
        value, error, low, high = map(float, found)
        return Estimate(value, error, low, high)


def run_sweep(study: Study, sweep: Sweep, threads: int = 0, progress: Callable[[float], None] | None = None,
              on: Cluster | None = None) -> SweepResult:
    """Run a study at every point of a sweep. Its values come on top of all others.

    progress  called with the share of the points that are done, 0..1
    on        workers elsewhere, which take a point each
    Raises StudyError where a combination of values is not usable, RunError.
    """
    of_platform = np.full((*sweep.shape, len(study.platforms), len(OF_PLATFORM), 4), np.nan)
    of_pair = np.full((*sweep.shape, len(study.pairs), len(OF_PAIR), 4), np.nan)
    result = SweepResult(study, sweep, of_platform, of_pair, (), ())
    count = math.prod(sweep.shape)
    digests, said = [], dict.fromkeys(study.warnings)
    shared = study, sweep
    runs = (on.each(_alone, shared, result.points(), lambda position: f"the point {position}", study.simulation.trials) if on
            else ((position, _at(shared, position, threads)) for position in result.points()))
    for done, (position, found) in enumerate(runs):
        of_platform[position], of_pair[position] = found.of_platform, found.of_pair
        digests.append(found.digest)
        said |= dict.fromkeys(found.warnings)
        if progress:
            progress((done + 1) / count)
    return replace(result, digests=tuple(digests), warnings=tuple(said))


@dataclass(frozen=True)
class _Point:
    """What one point comes to, as in `SweepResult`: little, since it may come from elsewhere."""

    digest: str
    warnings: tuple[str, ...]
    of_platform: Array
    of_pair: Array


def _alone(shared: tuple[Study, Sweep], position: tuple[int, ...]) -> _Point:
    """One point in one thread."""
    return _at(shared, position, 1)


def _at(shared: tuple[Study, Sweep], position: tuple[int, ...], threads: int) -> _Point:
    study, sweep = shared
    found = run(study.with_settings(settings_at(sweep.swept, position)), threads, costs_alone=True)
    platforms, pairs = [platform.name for platform in study.platforms], [study.pair_name(pair) for pair in study.pairs]
    return _Point(found.study.digest, found.warnings, _numbers(found, platforms, OF_PLATFORM), _numbers(found, pairs, OF_PAIR))


def _numbers(found: Run, owners: Sequence[str], wanted: Sequence[tuple[str, str]]) -> Array:
    """Numbers of a run, float64[owners, wanted, 4]; NaN where one does not apply."""
    into = np.full((len(owners), len(wanted), 4), np.nan)
    for position, owner in enumerate(owners):
        for place, (quantity, statistic) in enumerate(wanted):
            estimate = found.find(owner, quantity, statistic)
            if estimate is not None:
                into[position, place] = estimate.value, estimate.standard_error, estimate.low, estimate.high
    return into


@dataclass(frozen=True)
class Flip:
    """Where the cheaper of two platforms changes, along a sweep of one input.

    of   "median" (the two median costs are equal) or "probability" (each is cheaper in half of the futures)
    at   value of the input, with its simulation error; that of drawing straight lines between points comes on top
    """

    of: str
    pair: str
    cheaper_below: str
    cheaper_above: str
    at: Estimate


def flips(result: SweepResult) -> list[Flip]:
    """Every change of ranking along a sweep of one numeric input, by linear interpolation of the log of the ratio."""
    if len(result.sweep.swept) != 1 or not result.sweep.swept[0].is_numeric:
        return []
    given = result.sweep.swept[0]
    order = sorted(range(len(given.coordinates)), key=lambda k: float(given.coordinates[k]))
    found: list[Flip] = []

    def along(owner: str, quantity: str) -> list[Estimate]:
        return [result.estimate((k,), owner, quantity, "p50") for k in order]

    for pair in result.pairs:
        later, earlier = pair.split("/")
        ratios = [log_of(ratio) for ratio in along(pair, RATIO.name)]
        if None in ratios:
            continue  # a cost that income makes negative has no ratio
        medians = map(log_of_ratio, along(later, COST.name), along(earlier, COST.name))
        logs = {"median": [log for log in medians if log], "probability": [log for log in ratios if log]}
        for of, values in logs.items():
            found += [Flip(of, pair, *((later, earlier) if rising else (earlier, later)), at)
                      for at, rising in _zeros(given, order, values)]
    return found


def _zeros(given: SweptInput, order: Sequence[int], values: list[tuple[float, float]]) -> Iterator[tuple[Estimate, bool]]:
    """Where a curve over an input is zero, and whether it rises there; linear between points, on the input's own scale."""
    x = [float(given.coordinates[k]) for k in order]
    scaled = [math.log(value) for value in x] if given.logarithmic else x
    low, span = scaled[0], scaled[-1] - scaled[0]
    # `crossings` goes by log x: given exp(t) it is linear in t, which runs from 0 to 1 along the sweep.
    for zero in crossings([math.exp((s - low) / span) for s in scaled], values, lambda _: 0.0):
        t, error = math.log(zero.at), zero.standard_error / zero.at
        at = low + span * t
        value = math.exp(at) if given.logarithmic else at
        spread = error * span * (value if given.logarithmic else 1)
        yield with_normal_bounds(value, spread), zero.rising
