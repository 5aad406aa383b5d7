"""What a block of trials drew, in few numbers an input: its value, the means of a price path, the luck of failures."""

from __future__ import annotations

import math

from simulator.kernels.cost import make_real
from simulator.kernels.jit import jit
from simulator.kernels.platform import (
    DISCOUNT_RATE,
    FAILURE_EPIDEMIC,
    FAILURE_RATE,
    FLEET_SIZE,
    GPU_LIFETIME,
    RETIRES,
    ROWS,
    SURVIVORS,
    THROUGHPUT_FACTOR,
)
from simulator.kernels.reliability import fill_failures
from simulator.units import MONTHS_PER_YEAR


@jit
def price_means(weights, months, prices, means):
    """means[k, i] = Σ_t weights[k, t] · prices[t, i] / Σ_t weights[k, t] over the first `months` months.

    weights float64[means, MONTHS]; prices float64[MONTHS, ≥ n]; means float64[means, n], filled
    """
    for k in range(weights.shape[0]):
        total = 0.0
        means[k, :] = 0.0
        for t in range(months):
            weight = weights[k, t]
            if weight > 0.0:
                total += weight
                for i in range(means.shape[1]):
                    means[k, i] += weight * prices[t, i]
        for i in range(means.shape[1]):
            means[k, i] /= total


@jit
def real_discount_rates(plan, platform, work, rates):
    """The discount rate of a platform in each trial of the block that `work` holds, in real terms: float64[n], filled."""
    _load_inputs(plan, platform, work)
    make_real(work.inputs, plan.features[platform], plan.token_mix[platform])
    rates[:] = work.inputs[DISCOUNT_RATE, :rates.size]


@jit
def luck_of_failures(plan, platform, seed, replicate, first, work, excess):
    """By how much the failures of single GPUs in a fleet exceed what their rate lets expect, over the life of the hardware.

    excess  float64[n], filled: (failures − expected) / √expected, so that it says nothing about rate, fleet or life
    Fills `work.failed` and `work.alive` with the same draws as the block that `work` holds, which begins at trial `first`.
    """
    _load_inputs(plan, platform, work)
    features, inputs = plan.features[platform], work.inputs
    fill_failures(inputs, features, plan.horizon, seed, plan.failure_stream[platform], replicate, first, work.u, work.z,
                  work.failed, work.alive)
    for i in range(excess.size):
        life = MONTHS_PER_YEAR * min(inputs[GPU_LIFETIME, i], plan.horizon)
        monthly = inputs[FAILURE_RATE, i] * inputs[FAILURE_EPIDEMIC, i] / MONTHS_PER_YEAR
        failed, expected = 0.0, 0.0
        for t in range(math.ceil(life)):
            running = work.alive[t, i] if features & RETIRES else 1.0
            failed += work.failed[t, i]
            expected += running * monthly * min(life - t, 1.0)
        fleet = inputs[FLEET_SIZE, i]
        excess[i] = fleet * (failed - expected) / math.sqrt(fleet * expected) if expected > 0.0 else 0.0


@jit
def _load_inputs(plan, platform, work):
    """A platform's own inputs, as the block drew them."""
    for row in range(ROWS - 2):
        work.inputs[row, :] = work.values[plan.platform_rows[platform, row]]
    work.inputs[THROUGHPUT_FACTOR, :] = 1.0
    work.inputs[SURVIVORS, :] = 1.0
