"""Failures of single GPUs in a fleet, and a fleet that is not topped up, month by month.

In a fleet of `fleet_size` GPUs the failures of a month are Poisson with mean fleet_size · failure_rate/12 · w_t; without a
fleet size the share that fails is failure_rate/12 · w_t itself, to which the former converges as fleets grow.
"""

from __future__ import annotations

import math

from simulator.kernels.distributions import poisson
from simulator.kernels.jit import inline, jit
from simulator.kernels.platform import (
    FAILURE_EPIDEMIC,
    FAILURE_RATE,
    FLEET_SIZE,
    GPU_LIFETIME,
    HAS_FLEET,
    RETIRES,
    ROUNDING,
    SURVIVORS,
    WARRANTY,
)
from simulator.kernels.uniforms import random_uniforms
from simulator.units import MONTHS_PER_YEAR


@inline
def is_covered(inputs, i, t):
    """Whether month t of trial i is under warranty (of 0 years where there is none)."""
    return t <= MONTHS_PER_YEAR * inputs[WARRANTY, i] + ROUNDING


@jit
def fill_failures(inputs, features, horizon, seed, stream, replicate, first, u, running, failed, alive):
    """The share of the GPUs bought that fails in each month, and that runs in it (the mean of its begin and end).

    inputs  float64[ROWS, n], whose survivors are filled
    seed, stream  uint64, replicate, first: addresses of the draws (a dimension a month)
    u, running  float64[n], overwritten; failed, alive float64[MONTHS, ≥ n], filled as far as the longest life
    Under warranty what fails is replaced, so that a fleet that is not topped up shrinks only afterwards.
    """
    n = inputs.shape[1]
    longest = 0.0
    for life in inputs[GPU_LIFETIME]:
        longest = max(longest, min(life, horizon))
    running[:] = 1.0
    for t in range(1, math.ceil(MONTHS_PER_YEAR * longest) + 1):
        if features & HAS_FLEET:
            random_uniforms(seed, stream, replicate, t, first, u)
        for i in range(n):
            w = min(max(MONTHS_PER_YEAR * min(inputs[GPU_LIFETIME, i], horizon) - (t - 1), 0.0), 1.0)
            share = running[i] * inputs[FAILURE_RATE, i] * inputs[FAILURE_EPIDEMIC, i] / MONTHS_PER_YEAR * w
            if features & HAS_FLEET:
                share = poisson(u[i], inputs[FLEET_SIZE, i] * share) / inputs[FLEET_SIZE, i]
            share = min(share, running[i]) if features & RETIRES else share
            failed[t - 1, i] = share
            if features & RETIRES:
                lost = 0.0 if is_covered(inputs, i, t) else share
                alive[t - 1, i] = running[i] - 0.5 * lost
                running[i] -= lost
    inputs[SURVIVORS, :] = running
