"""One thing of a plan changed, all other draws as they are: every draw has an address of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.kernels import distributions, processes
from simulator.kernels.platform import HAS_FLEET
from simulator.kernels.trajectories import Plan

Array = np.ndarray[Any, np.dtype[np.float64]]


def with_rows(plan: Plan, values: Mapping[int, float]) -> Plan:
    """The same plan with rows (`Compiled.rows`) held at a value in every trial."""
    family, parameters = plan.family.copy(), plan.parameters.copy()
    for row, value in values.items():
        family[row], parameters[row, 0] = distributions.CONSTANT, value
    return plan._replace(family=family, parameters=parameters)


def without_shocks(plan: Plan, market: int, drawn: Array) -> Plan:
    """The same plan with the price of one market on its path without shocks and jumps, its parameters as they are drawn.

    drawn  float64[rows]: the inputs of the trial that is meant; the hedge keeps the strike that it has there
    """
    own = plan.market_rows[market]
    still = {processes.VOLATILITY: 0.0, processes.JUMP_RATE: 0.0}
    if not plan.market_flags[market] & processes.HAS_STRIKE:
        median, kappa, sigma = (drawn[own[row]] for row in (processes.MEDIAN, processes.REVERSION_RATE, processes.VOLATILITY))
        still[processes.STRIKE] = float(median) * math.exp(float(sigma) ** 2 / (4 * float(kappa)))
    count, rows, flags = len(still), plan.market_rows.copy(), plan.market_flags.copy()
    rows[market, list(still)] = len(plan.family) + np.arange(count)
    flags[market] |= processes.HAS_STRIKE
    parameters = np.zeros((count, plan.parameters.shape[1]))
    parameters[:, 0] = list(still.values())
    nowhere = np.full(count, -1, np.int64)
    return plan._replace(
        family=np.append(plan.family, np.full(count, distributions.CONSTANT, np.int64)),
        parameters=np.concatenate([plan.parameters, parameters]),
        stream=np.append(plan.stream, np.zeros(count, np.uint64)), dimension=np.append(plan.dimension, nowhere),
        member=np.append(plan.member, nowhere), market_rows=rows, market_flags=flags)


def with_expected_failures(plan: Plan, platform: int) -> Plan:
    """The same plan with exactly the expected failures in each month on one platform."""
    features = plan.features.copy()
    features[platform] &= ~HAS_FLEET
    return plan._replace(features=features)
