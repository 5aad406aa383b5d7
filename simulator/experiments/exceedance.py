"""How likely each platform's cost of a million tokens exceeds a level: a curve through all trials of a run, and levels asked for.

Where the levels of a curve lie is taken from a pilot, the run's first trials; the probability at each is then counted over all
trials, which are made again chunk by chunk, so that memory does not grow with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, plain_mean, probability, quantile_rank, sectioning
from simulator.engine.exceedances import padded
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.engine.run import RunError
from simulator.engine.sample_of_trials import sample_of_trials
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.accumulators import count_and_sum
from simulator.kernels.trajectories import BLOCK
from simulator.quantities import COST
from simulator.study.model import Simulation, Study

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]
_PILOT = 16_384  # trials, of which the 0.1 % beyond either end of a curve are 16
_END = 3.090232306167813  # Φ⁻¹(0.999): a curve goes from the cost's P0.1 to its P99.9


@dataclass(frozen=True)
class Curve:
    """The probability that a cost is greater than each of some levels, arrays float64[levels].

    levels          rising, from about P0.1 of the cost to about P99.9 [USD per million tokens]
    probability     of strictly more, falling
    standard_error  its simulation error; 0 where all trials lie on one side
    """

    levels: Array
    probability: Array
    standard_error: Array


@dataclass(frozen=True)
class Exceedance:
    """How likely costs exceed levels, by platform's name in the study's order.

    curves     one of each platform, at levels of its own
    at         the levels that were asked for, in that order [USD per million tokens]
    estimates  the probability of more than each of them, with bounds
    """

    curves: Mapping[str, Curve]
    at: tuple[float, ...]
    estimates: Mapping[str, tuple[Estimate, ...]]


def exceedance(study: Study, at: Sequence[float] = (), points: int = 128, threads: int = 0,
               progress: Callable[[float], None] | None = None, chunk_blocks: int = 0) -> Exceedance:
    """Count all trials of a study's run over levels of each platform's cost.

    at            levels to be estimated as well [USD per million tokens]
    points        levels of each curve, about: fewer where the cost takes few values
    threads       worker threads, all available cores where 0; results do not depend on it
    progress      called with the share of the trials that is done, 0..1
    chunk_blocks  blocks of trials to a unit of work; results do not depend on it
    Raises ValueError where a level is not a number or there are fewer than two points; RunError where a cost is not finite.
    """
    asked = tuple(map(float, at))
    if not all(map(math.isfinite, asked)):
        raise ValueError(f"found the level {next(level for level in asked if not math.isfinite(level))}; expected a number")
    if points < 2:
        raise ValueError(f"found {points} points; expected at least two, the ends of the curve")
    own = [curve_levels(costs, points) for costs in sample_of_trials(study, _PILOT, threads).costs]
    levels = [padded(np.union1d(of_curve, asked)) for of_curve in own]
    totals = _counted(study, levels, threads, chunk_blocks, progress)
    simulation = study.simulation
    curves, estimates = {}, {}
    for platform, bounds, total, of_curve in zip(study.platforms, levels, totals, own, strict=True):
        above = np.cumsum(total[:, ::-1], axis=1)[:, ::-1]
        shown = [_share(above[:, 1 + place], simulation) for place in np.searchsorted(bounds, of_curve)]
        curves[platform.name] = Curve(of_curve, np.array([each.value for each in shown]),
                                      np.array([each.standard_error for each in shown]))
        estimates[platform.name] = tuple(
            probability(_share(above[:, 1 + place], simulation), simulation.trials, simulation.independent)
            for place in np.searchsorted(bounds, asked))
    return Exceedance(curves, asked, estimates)


def _counted(study: Study, levels: Sequence[Array], threads: int, chunk_blocks: int,
             progress: Callable[[float], None] | None) -> list[Counts]:
    """How many trials' costs fall between levels, of each platform int64[replicates, 1 + levels]: bin k holds
    levels[k − 1] < x ≤ levels[k]."""
    rows = layout(study, costs_alone=True)
    places = [rows.find("output", owner, COST.name) for owner in range(len(study.platforms))]
    trials = Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows), threads, chunk_blocks)

    def use(_: Chunk, results: Array) -> tuple[Any, list[Counts]]:
        counts = [np.zeros(1 + len(bounds), np.int64) for bounds in levels]
        for place, bounds, count in zip(places, levels, counts, strict=True):
            count_and_sum(results[place], bounds, BLOCK, count, np.zeros((-(-results.shape[1] // BLOCK), len(count))))
        return np.isfinite(results[places]).all(axis=1), counts

    totals = [np.zeros((study.simulation.replicates, 1 + len(bounds)), np.int64) for bounds in levels]
    for done, (chunk, (finite, counts)) in enumerate(trials.each(use), 1):
        _check_finite(study, finite)
        for total, count in zip(totals, counts, strict=True):
            total[chunk.replicate] += count
        if progress:
            progress(done / trials.chunk_count)
    return totals


def curve_levels(costs: Array, points: int) -> Array:
    """Levels at which a curve shows a cost of which some values are known: rising, float64[≤ points].

    Quantiles from P0.1 to P99.9, even in normal scores: dense where the cost is, and not sparse in the tails. A value that
    several of them share has a probability of its own: its step is seen from just below to the value itself.
    """
    from scipy.special import ndtr

    ordered = np.sort(costs)
    ranks = {quantile_rank(len(ordered), float(p)) for p in ndtr(np.linspace(-_END, _END, points))}
    values, shared = np.unique(ordered[np.array(sorted(ranks)) - 1], return_counts=True)
    return np.union1d(values, np.nextafter(values[shared > 1], -np.inf))


def _share(counts: Counts, simulation: Simulation) -> Estimate:
    """A probability from how many trials of each replicate it counts, int64[replicates], with the error that a run gives one."""
    n = simulation.trials
    share, by_replicate = int(counts.sum()) / n, counts / simulation.trials_per_replicate
    if not simulation.independent:
        return sectioning(share, by_replicate)
    return plain_mean(share, math.sqrt(share * (1 - share) * n / (n - 1)), n, by_replicate)


def _check_finite(study: Study, finite: Any) -> None:
    """finite: of each platform, whether its costs are, bool[platforms]."""
    if not finite.all():
        platform = study.platforms[int(np.argmin(finite))]
        raise RunError(f"the cost of a million tokens of {platform.label} is not a number in some trials; a run names the first")
