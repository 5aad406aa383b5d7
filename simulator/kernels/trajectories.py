"""One block of trials, from uniforms to results: inputs, market prices, all platforms, comparisons.

Blocks have BLOCK lanes of which the last block of a run may use fewer; every array is laid out input by input
(structure of arrays), so that all loops run over neighbouring trials.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import cost
from simulator.kernels.distributions import CONSTANT, fill_quantiles
from simulator.kernels.elementary import fill_inverse_normal
from simulator.kernels.jit import jit
from simulator.kernels.processes import mean_reverting_prices, place_shock
from simulator.kernels.uniforms import random_uniforms, scramble_columns, sobol_uniforms
from simulator.units import MONTHS, MONTHS_PER_YEAR

BLOCK = 256  # trials; sums are formed by block, so a change changes last digits

SOBOL, RANDOM = 0, 1

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]


class Plan(NamedTuple):
    """A study as arrays. "Row" is a row of `values`: one drawn or constant number a trial.

    family, parameters, tables   what each row is drawn from (`kernels.distributions`); int64[rows], float64[rows, 5]
    stream                       uint64[rows]: name of each row's random numbers
    dimension                    int64[rows]: place among the Sobol' dimensions in use, −1 where constant
    market_rows                  int64[markets, 7]: rows of each process's parameters
    market_flags                 int64[markets, 2]: whether start and strike are given
    market_stream                uint64[markets]
    market_dimension             int64[markets]: place of the first of its MONTHS dimensions
    nodes                        int64[MONTHS, 3] of `processes.bridge_nodes`
    platform_rows                int64[platforms, ROWS − 1]: row of each input
    factor_rows                  int64[platforms, most factors]: rows of the throughput factors, −1 for none
    features                     int64[platforms] of `cost`
    energy_market, rental_market int64[platforms]: which process, −1 for none
    wanted                       int64[wanted, 2]: platform and output of each result row
    pairs                        int64[pairs, 2]: platforms (this, against that)
    horizon                      [year]
    """

    family: Ints
    parameters: Floats
    tables: Floats
    stream: Words
    dimension: Ints
    market_rows: Ints
    market_flags: Ints
    market_stream: Words
    market_dimension: Ints
    nodes: Ints
    platform_rows: Ints
    factor_rows: Ints
    features: Ints
    energy_market: Ints
    rental_market: Ints
    wanted: Ints
    pairs: Ints
    horizon: float


class Sampling(NamedTuple):
    """Where a replicate's uniforms come from. `scrambled` is uint64[dimensions, 1 + bits] under sobol."""

    sampler: int
    seed: np.uint64
    replicate: int
    scrambled: Words


class Workspace(NamedTuple):
    """Scratch of one thread; `values`, `prices` and `outputs` hold the last block."""

    u: Floats
    z: Floats
    words: Words
    values: Floats
    parameters: Floats
    prices: Floats
    inputs: Floats
    state: Floats
    sums: Floats
    outputs: Floats


def workspace(plan: Plan) -> Workspace:
    """Scratch for a plan."""
    def floats(*shape: int) -> Floats:
        return np.zeros((*shape, BLOCK))

    markets, platforms = len(plan.market_rows), len(plan.platform_rows)
    return Workspace(floats(), floats(), np.zeros(BLOCK, np.uint64), floats(len(plan.family)), floats(7),
                     floats(max(markets, 1), MONTHS), floats(cost.ROWS), floats(cost.STATES), floats(cost.SUMS),
                     floats(platforms, cost.OUTPUTS))


@jit
def scramble(columns, seed, streams, dimensions, replicate, scrambled):
    """Scramble every dimension in use for one replicate; columns uint64[dimensions, bits]."""
    for k in range(columns.shape[0]):
        scramble_columns(columns[k], seed, streams[k], replicate, dimensions[k], scrambled[k])


@jit
def _uniforms(sampling, stream, dimension, place, first, words, u):
    """One dimension of one block."""
    if sampling.sampler == SOBOL:
        sobol_uniforms(sampling.scrambled[place], first, words, u)
    else:
        random_uniforms(sampling.seed, stream, sampling.replicate, dimension, first, u)


@jit
def simulate_block(plan, sampling, first, work):
    """Trials first … first + BLOCK − 1 of a replicate: fills `work.values`, `work.prices` and `work.outputs`."""
    u, z = work.u, work.z
    for row in range(plan.family.size):
        if plan.family[row] != CONSTANT:
            _uniforms(sampling, plan.stream[row], 0, plan.dimension[row], first, work.words, u)
        fill_quantiles(plan.family[row], plan.parameters[row], plan.tables, u, z, work.values[row])
    for market in range(plan.market_stream.size):
        months = _months_in_use(plan, market, work.values)
        prices = work.prices[market]
        for k in range(MONTHS):
            if plan.nodes[k, 0] < months:
                _uniforms(sampling, plan.market_stream[market], k, plan.market_dimension[market] + k, first, work.words, u)
                fill_inverse_normal(u, z)
                place_shock(plan.nodes[k], z, prices)
        for row in range(work.parameters.shape[0]):
            work.parameters[row, :] = work.values[plan.market_rows[market, row]]
        mean_reverting_prices(work.parameters, plan.market_flags[market, 0], plan.market_flags[market, 1], months,
                              work.state[0], work.state[1], work.state[2], prices)
    for platform in range(plan.features.size):
        inputs = work.inputs
        for row in range(cost.ROWS - 1):
            inputs[row, :] = work.values[plan.platform_rows[platform, row]]
        inputs[cost.THROUGHPUT_FACTOR, :] = 1.0
        for k in range(plan.factor_rows.shape[1]):
            if plan.factor_rows[platform, k] >= 0:
                inputs[cost.THROUGHPUT_FACTOR, :] *= work.values[plan.factor_rows[platform, k]]
        cost.sum_over_months(inputs, plan.features[platform], plan.horizon, work.prices[max(plan.energy_market[platform], 0)],
                             work.prices[max(plan.rental_market[platform], 0)], work.state, work.sums)
        cost.platform_costs(inputs, plan.features[platform], plan.horizon, work.sums, work.outputs[platform])


@jit
def _months_in_use(plan, market, values):
    """The longest life, in months begun, of any platform that pays a market's prices in this block."""
    longest = 0.0
    for platform in range(plan.features.size):
        if plan.energy_market[platform] == market or plan.rental_market[platform] == market:
            for life in values[plan.platform_rows[platform, cost.GPU_LIFETIME]]:
                longest = max(longest, life)
    return math.ceil(MONTHS_PER_YEAR * min(longest, plan.horizon))


@jit
def simulate_chunk(plan, sampling, first, work, results):
    """Trials first … first + count − 1 of a replicate; `first` is a multiple of BLOCK.

    results  float64[rows, count], filled: for each pair the ratio of costs; the wanted outputs; for each pair whether
             this is strictly cheaper (1 or 0); for each platform its share of being cheapest (ties share), then for each
             platform its regret (its cost less the least)
    """
    count = results.shape[1]
    platforms, pairs, wanted = plan.features.size, plan.pairs.shape[0], plan.wanted.shape[0]
    for start in range(0, count, BLOCK):
        simulate_block(plan, sampling, first + start, work)
        n = min(BLOCK, count - start)
        for row in range(wanted):
            results[pairs + row, start:start + n] = work.outputs[plan.wanted[row, 0], plan.wanted[row, 1], :n]
        for pair in range(pairs):
            this = work.outputs[plan.pairs[pair, 0], cost.COST_PER_MILLION]
            that = work.outputs[plan.pairs[pair, 1], cost.COST_PER_MILLION]
            for i in range(n):
                results[pair, start + i] = this[i] / that[i] if that[i] > 0.0 else 0.0  # not reported where it is not
                results[pairs + wanted + pair, start + i] = 1.0 if this[i] < that[i] else 0.0
        row = wanted + 2 * pairs
        for i in range(n):
            least, ties = np.inf, 0
            for platform in range(platforms):
                price = work.outputs[platform, cost.COST_PER_MILLION, i]
                if price < least:
                    least, ties = price, 1
                elif price == least:
                    ties += 1
            for platform in range(platforms):
                price = work.outputs[platform, cost.COST_PER_MILLION, i]
                results[row + platform, start + i] = 1.0 / ties if price == least else 0.0
                results[row + platforms + platform, start + i] = price - least
