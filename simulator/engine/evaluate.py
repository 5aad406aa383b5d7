"""What platforms cost at given inputs: no trials, no draws, many variants side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from simulator.engine.parameters import Compiled
from simulator.engine.variations import with_rows
from simulator.kernels.distributions import fill_quantiles
from simulator.kernels.elementary import SMALLEST_UNIFORM
from simulator.kernels.platform import HAS_FLEET
from simulator.kernels.processes import HAS_JUMPS
from simulator.kernels.trajectories import RANDOM, Plan, Sampling, evaluate_given, workspace

Array = np.ndarray[Any, np.dtype[np.float64]]
_NO_DRAWS = Sampling(RANDOM, np.uint64(0), 0, 1, np.zeros((1, 1), np.uint64))


def evaluate(compiled: Compiled, values: Array, shocks: Array | None = None) -> Array:
    """Cost of a million tokens of each platform, float64[platforms, n] [USD].

    values  float64[rows, n], each row of the plan in its canonical unit (from `medians`, `quantiles` or drawn)
    shocks  float64[markets, n]: what every month's normal shock of a price process is; 0 where not given
    Where trials draw single failures of GPUs, these are as expected here; prices do not jump.
    """
    plan = expected(compiled.plan)
    values = np.ascontiguousarray(values)
    count = values.shape[1]
    given = np.zeros((len(plan.market_stream), count)) if shocks is None else np.ascontiguousarray(shocks)
    costs = np.empty((len(plan.features), count))
    if count:
        evaluate_given(plan, _NO_DRAWS, values, given, workspace(plan), costs)
    return costs


def expected(plan: Plan) -> Plan:
    """A plan in which single failures are as expected, and no price jumps."""
    return plan._replace(features=plan.features & ~HAS_FLEET, market_flags=plan.market_flags & ~HAS_JUMPS)


def quantiles(compiled: Compiled, row: int, probabilities: Array) -> Array:
    """Values of a row at probabilities, float64[n], as its trials have them; probabilities kept in 1e-12 … 1 − 1e-12."""
    u = np.clip(probabilities, SMALLEST_UNIFORM, 1 - SMALLEST_UNIFORM)
    found, plan = np.empty(u.size), compiled.plan
    fill_quantiles(plan.family[row], plan.parameters[row], plan.tables, u, np.empty(u.size), np.empty(u.size, np.uint64), found)
    return found


def medians(compiled: Compiled) -> Array:
    """The median of each row, float64[rows]; NaN for what no platform has."""
    return np.array([quantiles(compiled, row, np.array([0.5]))[0] for row in range(len(compiled.rows))])


def holding(compiled: Compiled, values: dict[int, float]) -> Compiled:
    """The plan with rows held at a value, by decree: the draws of all others, correlated ones too, stay what they are."""
    return replace(compiled, plan=with_rows(compiled.plan, values))
