"""Which of two platforms is cheaper over two inputs, and where that is not sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, probability, sectioning
from simulator.engine.common_draws import common_draws, gap, median
from simulator.engine.evaluate import evaluate, medians
from simulator.experiments.sensitivity.players import NotApplicable
from simulator.experiments.sensitivity.ranges import Range, find_range, only
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
UNSURE = (0.05, 0.95)  # chances of being cheaper between which a ranking is not sure
_REPLICATES = 16  # of 256 trials each


@dataclass(frozen=True)
class Crossover:
    """A map of a pair over two inputs; arrays are float64[x, y].

    x, y                 the ranges of the inputs; x_values, y_values: float64[…] in their units
    log_ratio            median over the trials of the logarithm of later's cost ÷ earlier's, or that at the medians; 0 is the
                         line on which they cross
    log_ratio_error      its standard error; 0 at the medians
    probability_cheaper  share of trials in which the later one costs strictly less, with `probability_low`, `_high` its bounds
                         at 95 %; None at the medians, where there are no trials
    unsure               bool: the band in which that share may lie between 5 % and 95 %, simulation error counted in
    medians              of x and y in the study, as it is
    """

    x: Range
    y: Range
    x_values: Array
    y_values: Array
    log_ratio: Array
    log_ratio_error: Array
    probability_cheaper: Array | None
    probability_low: Array | None
    probability_high: Array | None
    unsure: Mask | None
    medians: tuple[float, float]


def crossover(study: Study, x: str, y: str, pair: tuple[int, int], points: tuple[int, int] = (15, 15), drawn: bool = True,
              replicates: int = _REPLICATES, threads: int = 0) -> Crossover:
    """A map over the ranges of two inputs (`ranges.Range`), of a pair (later, earlier).

    x, y        paths of numbers, distributions or parameters of processes
    points      how many values of each
    drawn       whether all other inputs are drawn, on the same trials at every point; else they stand at their medians
    replicates  of 256 trials each
    An input is held by decree: what correlates with it is drawn as always. Raises ValueError for a path that is no input, for the
    same path twice, NotApplicable where a cost is not positive, so that it has no ratio.
    """
    study = only(study, pair)
    draws = common_draws(study, replicates, threads=threads)
    compiled = draws.trials.compiled
    across, up = find_range(study, compiled, x), find_range(study, compiled, y)
    if x == y:
        raise ValueError(f"found {x} twice; expected two inputs")
    if min(points) < 2:
        raise ValueError(f"found {points[0]} by {points[1]} points; expected at least 2 of each input")
    x_values, y_values = (np.asarray(one.at(np.linspace(0, 1, n))) for one, n in zip((across, up), points, strict=True))
    middle = medians(compiled)
    here = float(middle[across.row]), float(middle[up.row])
    if not drawn:
        values = np.repeat(middle[:, None], points[0] * points[1], axis=1)
        values[across.row], values[up.row] = np.repeat(x_values, points[1]), np.tile(y_values, points[0])
        costs = evaluate(compiled, values)
        ratio = _log_ratio(gap(*costs)).reshape(points)
        return Crossover(across, up, x_values, y_values, ratio, np.zeros(points), None, None, None, None, here)
    ratio, error, share, low, high = np.empty((5, *points))
    for i, of_x in enumerate(x_values):
        for j, of_y in enumerate(y_values):
            costs = draws.costs({across.row: float(of_x), up.row: float(of_y)})
            of_ratio, cheaper = _compared(*costs)
            ratio[i, j], error[i, j] = of_ratio.value, of_ratio.standard_error
            share[i, j], low[i, j], high[i, j] = cheaper.value, cheaper.low, cheaper.high
    unsure = (high > UNSURE[0]) & (low < UNSURE[1])
    return Crossover(across, up, x_values, y_values, ratio, error, share, low, high, unsure, here)


def _compared(later: Array, earlier: Array) -> tuple[Estimate, Estimate]:
    """Median log ratio and chance that the later one is cheaper; costs float64[replicates, trials]."""
    gaps = gap(later, earlier)
    middle = _log_ratio(np.array([median(gaps), *(median(of_replicate) for of_replicate in gaps)]))
    cheaper = later < earlier
    share = sectioning(float(cheaper.mean()), cheaper.mean(axis=1))
    return sectioning(float(middle[0]), middle[1:]), probability(share, later.size)


def _log_ratio(gaps: Array) -> Array:
    if np.any(np.abs(gaps) >= 1):
        raise NotApplicable("found a cost that is not positive, which has no ratio; expected inputs at which both platforms cost "
                            "something")
    found: Array = 2 * np.arctanh(gaps)
    return found
