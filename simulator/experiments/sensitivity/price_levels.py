"""The level of a price that moves: what its percentiles are, and the path that stands at one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.engine.evaluate import holding, medians
from simulator.engine.parameters import Compiled
from simulator.engine.trials import Trials
from simulator.kernels.distributions import CONSTANT
from simulator.kernels.platform import GPU_LIFETIME
from simulator.kernels.processes import DELIVERY, HAS_JUMPS, HEDGED_SHARE, PROCESS_ROWS, WINDOW, mean_reverting_prices
from simulator.kernels.trajectories import BLOCK
from simulator.study.model import Simulation
from simulator.units import MONTHS, MONTHS_PER_YEAR

Array = np.ndarray[Any, np.dtype[np.float64]]
_REPLICATES = 32  # of BLOCK paths each
_FARTHEST = 16.0  # monthly shock beyond which a level counts as out of reach
_PASSES = 5  # each takes a bracket down to a 1/255 of itself
_REACHED = 1e-6  # relative


@dataclass(frozen=True)
class Levels:
    """Percentiles of the mean of a price over its first 60 months, and the shocks that put a path there.

    levels   float64[k], undiscounted, of the market's price before hedge and delivery
    shocks   float64[k]: with each month's normal shock equal to it the path has that mean
    reached  bool[k]: whether a path without jumps and with equal shocks can have that mean at all
    """

    levels: Array
    shocks: Array
    reached: np.ndarray[Any, np.dtype[np.bool_]]


def price_levels(compiled: Compiled, simulation: Simulation, probabilities: Array) -> tuple[Levels, ...]:
    """The levels of each market of a plan at probabilities, its own parameters at their medians.

    The percentiles come from 8192 simulated paths, on the draws of the study. A process that starts anywhere starts at its
    median on the path with equal shocks, but anywhere on the simulated ones.
    """
    plan, middle = compiled.plan, medians(compiled)
    bare = compiled.plan.market_rows[:, [DELIVERY, HEDGED_SHARE]].ravel()
    parameters = np.array([middle[rows] for rows in plan.market_rows]).reshape(-1, len(PROCESS_ROWS))
    parameters[:, [DELIVERY, HEDGED_SHARE]] = 0.0
    lives = plan.platform_rows[:, GPU_LIFETIME]
    drawn = [row for row in np.flatnonzero(plan.family != CONSTANT) if not compiled.rows[row]]
    held = {row: middle[row] for row in range(len(middle)) if row not in drawn}
    held |= dict.fromkeys(bare.tolist(), 0.0) | dict.fromkeys(lives.tolist(), WINDOW / MONTHS_PER_YEAR)
    window = holding(compiled, held)
    window = replace(window, plan=window.plan._replace(horizon=max(plan.horizon, WINDOW / MONTHS_PER_YEAR)))
    paths = Trials(window, replace(simulation, replicates=_REPLICATES, trials=_REPLICATES * BLOCK),
                   len(plan.wanted) + 2 * len(plan.features))
    simulated = (paths.block(replicate, 0).prices[:, :WINDOW] for replicate in range(_REPLICATES))
    means = np.concatenate([prices.mean(axis=1) for prices in simulated], axis=1)
    return tuple(_levels(np.quantile(means[market], probabilities, method="inverted_cdf"), parameters[market],
                         int(plan.market_flags[market])) for market in range(len(plan.market_rows)))


def _levels(levels: Array, parameters: Array, flags: int) -> Levels:
    """Shocks by lanes: the mean rises with the shock, so a row of them brackets each level ever more closely."""
    shocks, reached = np.empty(levels.size), np.empty(levels.size, np.bool_)
    for k, level in enumerate(levels):
        low, high = -_FARTHEST, _FARTHEST
        for _ in range(_PASSES):
            tried = np.linspace(low, high, BLOCK)
            means = mean_of_held(parameters, flags, tried)
            place = min(max(int(np.searchsorted(means, level)), 1), BLOCK - 1)
            low, high = tried[place - 1], tried[place]
        shocks[k] = 0.0 if means[0] == means[-1] else (low + high) / 2
        reached[k] = abs(float(mean_of_held(parameters, flags, shocks[k:k + 1])[0]) - level) < _REACHED * level
    return Levels(levels, shocks, reached)


def mean_of_held(parameters: Array, flags: int, shocks: Array) -> Array:
    """Mean price of the first 60 months where each month's shock is the same: float64[n] of shocks float64[n].

    parameters  float64[PROCESS_ROWS] of the process, flags of `kernels.processes`; there are no jumps
    """
    n = shocks.size
    prices = np.empty((MONTHS, n))
    prices[:WINDOW] = shocks
    a, b, c, d, e = np.empty((5, n))
    mean_reverting_prices(np.repeat(parameters[:, None], n, axis=1), flags & ~HAS_JUMPS, WINDOW, np.zeros((1, n)), a, b, c, d, e,
                          prices)
    mean: Array = prices[:WINDOW].mean(axis=0)
    return mean
