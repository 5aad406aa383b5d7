"""Monthly price paths: mean-reverting in logs, exactly discretised, over lanes of trials.

Shocks are built from the coarse to the fine: the first dimensions hold the sums over five years, then each sum is
split in two (a Brownian bridge over the shocks). So the few dimensions that a sampler fills best carry most of what
a price level averages over a life. Every path has slots for MONTHS shocks, whatever the lives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulator.kernels.distributions import poisson
from simulator.kernels.elementary import exp, inverse_normal, log
from simulator.kernels.jit import jit
from simulator.kernels.uniforms import random_uniforms
from simulator.units import MONTHS, MONTHS_PER_YEAR

WINDOW = 60  # months: the life of most hardware

# Rows of a process in the matrix of inputs, in this order. Where the start is stationary its row holds a standard normal.
PROCESS_ROWS = ("median", "reversion_rate", "volatility", "delivery", "hedged_share", "start", "strike", "jumps.rate",
                "jumps.mean", "jumps.sd", "inflation")
(MEDIAN, REVERSION_RATE, VOLATILITY, DELIVERY, HEDGED_SHARE, START, STRIKE, JUMP_RATE, JUMP_MEAN, JUMP_SD,
 INFLATION) = range(11)
# What a process has (bits of its flags).
HAS_START, HAS_STATIONARY_START, HAS_STRIKE, HAS_JUMPS, IS_DEFLATED = (1 << k for k in range(5))


def bridge_nodes() -> np.ndarray[Any, np.dtype[np.int64]]:
    """Splits of the shocks, coarse first: int64[MONTHS, 3] of (first month, middle, end), months from 0.

    Node k takes dimension k. The first nodes, with middle = end, hold the sum over a whole window.
    """
    level = [(first, min(first + WINDOW, MONTHS)) for first in range(0, MONTHS, WINDOW)]
    nodes = [(first, end, end) for first, end in level]
    while level:
        following = []
        for first, end in level:
            if end - first > 1:
                middle = (first + end + 1) // 2
                nodes.append((first, middle, end))
                following += [(first, middle), (middle, end)]
        level = following
    return np.array(nodes, dtype=np.int64)


@jit
def place_shock(node, z, shocks):
    """Enter one dimension of standard normals into the shocks of a block.

    node    int64[3] of `bridge_nodes`; nodes come in their order
    z       float64[n]; shocks float64[MONTHS, ≥ n]: row `first` of a span not yet split holds the span's sum
    """
    first, middle, end = node[0], node[1], node[2]
    if middle == end:
        scale = math.sqrt(end - first)
        for i in range(z.size):
            shocks[first, i] = scale * z[i]
    else:
        # Given the sum S of a months and b months, the sum of the first a is N(S·a/(a+b), a·b/(a+b)).
        share = (middle - first) / (end - first)
        _split(share, math.sqrt(share * (end - middle)), z, shocks[first], shocks[middle])


@jit
def _split(share, spread, z, left, right):
    for i in range(z.size):
        whole = left[i]
        left[i] = share * whole + spread * z[i]
        right[i] = whole - left[i]


@jit
def fill_jumps(parameters, months, seed, stream, replicate, first, u, z, jumps):
    """Jumps of the log price in each month: a Poisson number with mean rate/12, each N(mean, sd).

    parameters  float64[11, ≥ n]; seed, stream uint64, replicate, first: addresses of the draws, two dimensions a month
    u, z        float64[n], overwritten; jumps float64[MONTHS, ≥ n], filled for the first `months` months
    """
    for t in range(months):
        random_uniforms(seed, stream, replicate, 2 * t, first, u)
        random_uniforms(seed, stream, replicate, 2 * t + 1, first, z)
        for i in range(u.size):
            count = poisson(u[i], parameters[JUMP_RATE, i] / MONTHS_PER_YEAR)
            jumps[t, i] = 0.0
            if count > 0.0:
                jumps[t, i] = count * parameters[JUMP_MEAN, i] + math.sqrt(count) * parameters[JUMP_SD, i] * inverse_normal(z[i])


@jit
def mean_reverting_prices(parameters, flags, months, jumps, deviation, decay, sigma, fixed, moving, prices):
    """Turn shocks into the price paid in each month, in place.

    x_t − μ = (x_{t−1} − μ) e^{−κ/12} + σ √((1 − e^{−κ/6}) / 2κ) ε_t + J_t, price_t = e^{x_t}  (exact, not Euler)
    paid_t  = delivery + (1 − hedged_share)·price_t + hedged_share·strike

    parameters  float64[11, ≥ n] in the order of PROCESS_ROWS; what is optional is read where flags say so
    jumps       float64[MONTHS, ≥ n] of `fill_jumps`, read where flags say so
    prices      float64[MONTHS, n]: shocks ε_t in, prices out, for the first `months` months
    deviation, decay, sigma, fixed, moving  float64[n], overwritten
    A strike that is given is fixed in nominal money, and deflated where there is inflation.
    """
    for i in range(deviation.size):
        kappa = parameters[REVERSION_RATE, i]
        rho = exp(-kappa / MONTHS_PER_YEAR)
        decay[i] = rho
        # 1 − ρ² as −expm1(−κ/6), by its series where κ is so small that the difference would lose digits.
        y = kappa / 6.0
        gap = y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y / 24.0))) if y < 1e-3 else 1.0 - rho * rho
        sigma[i] = parameters[VOLATILITY, i] * math.sqrt(gap / (2.0 * kappa))
        deviation[i] = 0.0
        if flags & HAS_START:
            deviation[i] = log(parameters[START, i]) - log(parameters[MEDIAN, i])
        elif flags & HAS_STATIONARY_START:
            deviation[i] = parameters[START, i] * parameters[VOLATILITY, i] / math.sqrt(2.0 * kappa)
        # What is paid is fixed + moving · e^{x − μ}, with the median taken into what moves.
        median = parameters[MEDIAN, i]
        variance = parameters[VOLATILITY, i] ** 2 / (4.0 * kappa)
        strike = parameters[STRIKE, i] if flags & HAS_STRIKE else median * exp(variance)
        fixed[i] = parameters[DELIVERY, i] + (0.0 if flags & IS_DEFLATED else parameters[HEDGED_SHARE, i] * strike)
        moving[i] = (1.0 - parameters[HEDGED_SHARE, i]) * median
    for t in range(months):
        _next_deviation(deviation, decay, sigma, prices[t])
        if flags & HAS_JUMPS:
            for i in range(deviation.size):
                deviation[i] += jumps[t, i]
        _price(deviation, fixed, moving, prices[t])
    if flags & IS_DEFLATED:
        for i in range(deviation.size):
            step = exp(-log(1.0 + parameters[INFLATION, i]) / MONTHS_PER_YEAR)
            fixed[i] = parameters[HEDGED_SHARE, i] * parameters[STRIKE, i] * math.sqrt(step)
            moving[i] = step
        for t in range(months):
            for i in range(deviation.size):
                prices[t, i] += fixed[i]
                fixed[i] *= moving[i]


@jit
def _next_deviation(deviation, decay, sigma, shock):
    for i in range(deviation.size):
        deviation[i] = deviation[i] * decay[i] + sigma[i] * shock[i]


@jit
def _price(deviation, fixed, moving, price):
    for i in range(deviation.size):
        price[i] = fixed[i] + moving[i] * exp(deviation[i])
