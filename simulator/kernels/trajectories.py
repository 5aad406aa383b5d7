"""One block of trials, from uniforms to results: inputs, market prices, all platforms, comparisons.

Blocks have BLOCK lanes of which the last block of a run may use fewer; every array is laid out input by input
(structure of arrays), so that all loops run over neighbouring trials.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import platform as layout
from simulator.kernels.cash_flows import FLOWS, payback
from simulator.kernels.copulas import dependent_normals, fill_probabilities, mix_shocks
from simulator.kernels.cost import make_real, platform_costs
from simulator.kernels.distributions import CONSTANT, fill_from_normals, fill_quantiles, goes_by_normals
from simulator.kernels.elementary import fill_inverse_normal
from simulator.kernels.jit import inline, jit, part_of_caller
from simulator.kernels.months import discount_prices, sum_over_months
from simulator.kernels.processes import HAS_JUMPS, PROCESS_ROWS, fill_jumps, mean_reverting_prices, place_shock
from simulator.kernels.reliability import fill_failures
from simulator.kernels.uniforms import (
    antithetic_uniforms,
    latin_hypercube_uniforms,
    random_uniforms,
    scramble_columns,
    sobol_uniforms,
)
from simulator.units import MONTHS, MONTHS_PER_YEAR

BLOCK = 256  # trials; sums are formed by block, so a change changes last digits

SOBOL, RANDOM, ANTITHETIC, LATIN_HYPERCUBE = range(4)

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]


class Plan(NamedTuple):
    """A study as arrays. "Row" is a row of `values`: one drawn or constant number a trial.

    family, parameters, tables   what each row is drawn from (`kernels.distributions`); int64[rows], float64[rows, 5]
    stream                       uint64[rows]: name of each row's random numbers
    dimension                    int64[rows]: place among the Sobol' dimensions in use, −1 where constant
    member                       int64[rows]: place in the copula, −1 where independent
    copula_rows                  int64[members]: row of each member
    copula_factor                float64[members, members]: lower Cholesky factor of their correlations
    chi_squared_row              int64[members]: row of the χ² of a member's group under a t copula, else −1
    degrees                      degrees of freedom of the t copula; 0: Gaussian
    student                      float64[3]: first row and intervals of the table of Student's t, and how far it reaches
    market_rows                  int64[markets, len(PROCESS_ROWS)]: rows of each process's parameters
    market_flags                 int64[markets] of `processes`
    market_stream, jump_stream   uint64[markets]
    market_dimension             int64[markets]: place of the first of its MONTHS dimensions
    market_factor                float64[markets, markets]: lower Cholesky factor of the correlations of monthly shocks
    nodes                        int64[MONTHS, 3] of `processes.bridge_nodes`
    platform_rows                int64[platforms, ROWS − 2]: row of each input
    factor_rows                  int64[platforms, most factors]: rows of the throughput factors, −1 for none
    features                     int64[platforms] of `platform`
    schedule                     int64[platforms]: how it is depreciated
    token_mix                    float64[platforms, 2]: input and output tokens to a counted one
    failure_stream               uint64[platforms]
    energy_market, rental_market, token_market  int64[platforms]: which process, −1 for none
    wanted                       int64[wanted, 2]: platform and output of each result row
    pairs                        int64[pairs, 2]: platforms (this, against that)
    horizon                      [year]
    """

    family: Ints
    parameters: Floats
    tables: Floats
    stream: Words
    dimension: Ints
    member: Ints
    copula_rows: Ints
    copula_factor: Floats
    chi_squared_row: Ints
    degrees: float
    student: Floats
    market_rows: Ints
    market_flags: Ints
    market_stream: Words
    jump_stream: Words
    market_dimension: Ints
    market_factor: Floats
    nodes: Ints
    platform_rows: Ints
    factor_rows: Ints
    features: Ints
    schedule: Ints
    token_mix: Floats
    failure_stream: Words
    energy_market: Ints
    rental_market: Ints
    token_market: Ints
    wanted: Ints
    pairs: Ints
    horizon: float


class Sampling(NamedTuple):
    """Where a replicate's uniforms come from; it has so many `trials`. scrambled: uint64[dimensions, 1 + bits] under sobol."""

    sampler: int
    seed: np.uint64
    replicate: int
    trials: int
    scrambled: Words


class Workspace(NamedTuple):
    """Scratch of one thread; `values`, `prices` and `outputs` hold the last block."""

    u: Floats
    z: Floats
    words: Words
    values: Floats
    normals: Floats
    parameters: Floats
    months: Ints
    prices: Floats
    paid: Floats
    jumps: Floats
    failed: Floats
    alive: Floats
    flows: Floats
    inputs: Floats
    state: Floats
    sums: Floats
    outputs: Floats


def workspace(plan: Plan, lanes: int = BLOCK) -> Workspace:
    """Scratch for a plan and blocks of so many trials, a power of two."""
    def floats(*shape: int) -> Floats:
        return np.zeros((*shape, lanes))

    markets, platforms = len(plan.market_rows), len(plan.platform_rows)
    jumps = MONTHS if np.any(plan.market_flags & HAS_JUMPS) else 1
    fails = MONTHS if np.any(plan.features & (layout.HAS_FLEET | layout.RETIRES)) else 1
    return Workspace(
        u=floats(), z=floats(), words=np.zeros(lanes, np.uint64), values=floats(len(plan.family)),
        normals=floats(len(plan.copula_rows)), parameters=floats(len(PROCESS_ROWS)), months=np.zeros(markets, np.int64),
        prices=floats(max(markets, 1), MONTHS), paid=floats(1 + MONTHS),
        jumps=floats(jumps), failed=floats(fails), alive=floats(fails), flows=np.zeros((FLOWS, MONTHS)),
        inputs=floats(layout.ROWS), state=floats(layout.STATES), sums=floats(layout.SUMS),
        outputs=floats(platforms, layout.OUTPUTS))


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
    elif sampling.sampler == LATIN_HYPERCUBE:
        latin_hypercube_uniforms(sampling.seed, stream, sampling.replicate, dimension, first, sampling.trials, u)
    elif sampling.sampler == ANTITHETIC:
        antithetic_uniforms(sampling.seed, stream, sampling.replicate, dimension, first, u)
    else:
        random_uniforms(sampling.seed, stream, sampling.replicate, dimension, first, u)


@part_of_caller
def simulate_block(plan, sampling, first, work):
    """Trials first … first + BLOCK − 1 of a replicate: fills `work.values`, `work.prices` and `work.outputs`."""
    draw_inputs(plan, sampling, first, work)
    _draw_prices(plan, sampling, first, work)
    _simulate_platforms(plan, sampling, first, work)


@part_of_caller
def _simulate_platforms(plan, sampling, first, work):
    for platform in range(plan.features.size):
        simulate_platform(plan, sampling, first, platform, platform > 0 and discounts_like(plan, platform, platform - 1), work)


@part_of_caller
def draw_inputs(plan, sampling, first, work):
    """Every input that does not move in time: the independent ones, then the members of the copula."""
    u, z = work.u, work.z
    for row in range(plan.family.size):
        if plan.member[row] < 0:
            if plan.family[row] != CONSTANT:
                _uniforms(sampling, plan.stream[row], 0, plan.dimension[row], first, work.words, u)
            fill_quantiles(plan.family[row], plan.parameters[row], plan.tables, u, z, work.words, work.values[row])
    for member in range(plan.copula_rows.size):
        row = plan.copula_rows[member]
        _uniforms(sampling, plan.stream[row], 0, plan.dimension[row], first, work.words, u)
        fill_inverse_normal(u, work.normals[member], work.words)
    for member in range(plan.copula_rows.size):
        row = plan.copula_rows[member]
        chi_squared = work.values[max(plan.chi_squared_row[member], 0)]
        degrees = plan.degrees if plan.chi_squared_row[member] >= 0 else 0.0
        dependent_normals(plan.copula_factor, member, work.normals, chi_squared, degrees, plan.tables, int(plan.student[0]),
                          int(plan.student[1]), plan.student[2], z)
        place_member(plan, row, u, z, work.words, work.values[row])


@part_of_caller
def place_member(plan, row, u, z, words, values):
    """The values of a member of the copula at its dependent normals z; u, z and words are overwritten."""
    if goes_by_normals(plan.family[row]):
        fill_from_normals(plan.family[row], plan.parameters[row], plan.tables, z, values)
    else:
        fill_probabilities(z, u)
        fill_quantiles(plan.family[row], plan.parameters[row], plan.tables, u, z, words, values)


@part_of_caller
def _draw_prices(plan, sampling, first, work):
    """The price paid in each month on every market, as far as a platform pays it."""
    markets = plan.market_stream.size
    together = False
    for market in range(markets):
        for other in range(market):
            together |= plan.market_factor[market, other] != 0.0
    longest = 0
    for market in range(markets):
        work.months[market] = months_in_use(plan, market, work.values)
        longest = max(longest, work.months[market])
    for market in range(markets):
        draw_shocks(plan, sampling, first, market, longest if together else work.months[market], work)
    if together:
        mix_shocks(plan.market_factor, longest, work.prices)
    for market in range(markets):
        shocks_to_prices(plan, sampling.seed, sampling.replicate, first, market, work)


@part_of_caller
def draw_shocks(plan, sampling, first, market, months, work):
    """Independent monthly shocks of one market into `work.prices`: the same ones for however many months."""
    for k in range(MONTHS):
        if plan.nodes[k, 0] < months:
            _uniforms(sampling, plan.market_stream[market], k, plan.market_dimension[market] + k, first, work.words, work.u)
            fill_inverse_normal(work.u, work.z, work.words)
            place_shock(plan.nodes[k], work.z, work.prices[market])


@part_of_caller
def shocks_to_prices(plan, seed, replicate, first, market, work):
    """Turn the shocks in `work.prices` into prices for the months in use; jumps are those of the replicate."""
    months = work.months[market]
    for row in range(work.parameters.shape[0]):
        work.parameters[row, :] = work.values[plan.market_rows[market, row]]
    if plan.market_flags[market] & HAS_JUMPS:
        fill_jumps(work.parameters, months, seed, plan.jump_stream[market], replicate, first, work.u, work.z, work.jumps)
    mean_reverting_prices(work.parameters, plan.market_flags[market], months, work.jumps, work.state[0], work.state[1],
                          work.state[2], work.state[3], work.state[4], work.prices[market])


@part_of_caller
def simulate_platform(plan, sampling, first, platform, is_discounted, work):
    """Inputs, months and costs of one platform, into `work.outputs`.

    is_discounted  whether `work.paid` holds the discounted prices that it pays
    """
    inputs, features, outputs = work.inputs, plan.features[platform], work.outputs[platform]
    for row in range(layout.ROWS - 2):
        inputs[row, :] = work.values[plan.platform_rows[platform, row]]
    inputs[layout.THROUGHPUT_FACTOR, :] = 1.0
    inputs[layout.SURVIVORS, :] = 1.0
    for k in range(plan.factor_rows.shape[1]):
        if plan.factor_rows[platform, k] >= 0:
            inputs[layout.THROUGHPUT_FACTOR, :] *= work.values[plan.factor_rows[platform, k]]
    make_real(inputs, features, plan.token_mix[platform])
    energy = work.prices[max(plan.energy_market[platform], 0)]
    rental = work.prices[max(plan.rental_market[platform], 0)]
    tokens = work.prices[max(plan.token_market[platform], 0)]
    if features & (layout.HAS_FLEET | layout.RETIRES):
        fill_failures(inputs, features, plan.horizon, sampling.seed, plan.failure_stream[platform], sampling.replicate, first,
                      work.u, work.z, work.failed, work.alive)
    market = market_paid(plan, platform)
    if market >= 0 and not is_discounted:
        discount_prices(inputs[layout.DISCOUNT_RATE], work.months[market], work.prices[market], work.state[0], work.state[1],
                        work.paid)
    sum_over_months(inputs, features, plan.horizon, energy, rental, tokens, work.paid, work.failed, work.alive, work.state,
                    work.sums)
    platform_costs(inputs, features, plan.schedule[platform], plan.horizon, work.sums, outputs)
    if features & layout.HAS_TOKEN_PRICE and not features & layout.RENTED and wants_payback(plan, platform):
        payback(inputs, features, plan.schedule[platform], plan.horizon, energy, tokens, work.failed, work.alive,
                work.flows, outputs[layout.PAYBACK], outputs[layout.PAYS_BACK])


@inline
def wants_payback(plan, platform):
    """Whether the payback of a platform is among the outputs that are wanted: it takes longer than all others together."""
    found = False
    for row in range(plan.wanted.shape[0]):
        found |= plan.wanted[row, 0] == platform and (
            plan.wanted[row, 1] == layout.PAYBACK or plan.wanted[row, 1] == layout.PAYS_BACK)
    return found


@inline
def market_paid(plan, platform):
    """The market whose prices are discounted for a platform, −1 for none."""
    return plan.rental_market[platform] if plan.features[platform] & layout.RENTED else plan.energy_market[platform]


@inline
def discounts_like(plan, platform, other):
    """Whether two platforms pay the same prices, discounted at the same rate."""
    return (plan.energy_market[platform] == plan.energy_market[other]
            and plan.rental_market[platform] == plan.rental_market[other]
            and plan.platform_rows[platform, layout.DISCOUNT_RATE] == plan.platform_rows[other, layout.DISCOUNT_RATE]
            and plan.platform_rows[platform, layout.INFLATION] == plan.platform_rows[other, layout.INFLATION]
            and (plan.features[platform] ^ plan.features[other]) & (layout.NOMINAL_DISCOUNT | layout.RENTED) == 0)


@jit
def months_in_use(plan, market, values):
    """The longest life, in months begun, of any platform that pays a market's prices in this block."""
    longest = 0.0
    for platform in range(plan.features.size):
        if plan.energy_market[platform] == market or plan.rental_market[platform] == market or (
                plan.token_market[platform] == market):
            for life in values[plan.platform_rows[platform, layout.GPU_LIFETIME]]:
                longest = max(longest, life)
    return math.ceil(MONTHS_PER_YEAR * min(longest, plan.horizon))


@jit
def simulate_chunk(plan, sampling, first, work, results):
    """Trials first … first + count − 1 of a replicate; `first` is a multiple of BLOCK.

    results  float64[rows, count], filled: for each pair the ratio of costs, then for each the difference; the wanted
             outputs; for each pair whether this is strictly cheaper (1 or 0); for each platform its share of being
             cheapest (ties share), then for each platform its regret (its cost less the least)
    """
    count = results.shape[1]
    platforms, pairs, wanted = plan.features.size, plan.pairs.shape[0], plan.wanted.shape[0]
    for start in range(0, count, BLOCK):
        simulate_block(plan, sampling, first + start, work)
        n = min(BLOCK, count - start)
        for row in range(wanted):
            results[2 * pairs + row, start:start + n] = work.outputs[plan.wanted[row, 0], plan.wanted[row, 1], :n]
        for pair in range(pairs):
            this = work.outputs[plan.pairs[pair, 0], layout.COST_PER_MILLION]
            that = work.outputs[plan.pairs[pair, 1], layout.COST_PER_MILLION]
            for i in range(n):
                results[pair, start + i] = this[i] / that[i] if that[i] > 0.0 else 0.0  # not reported where it is not
                results[pairs + pair, start + i] = this[i] - that[i]
                results[2 * pairs + wanted + pair, start + i] = 1.0 if this[i] < that[i] else 0.0
        row = wanted + 3 * pairs
        for i in range(n):
            least, ties = np.inf, 0
            for platform in range(platforms):
                price = work.outputs[platform, layout.COST_PER_MILLION, i]
                if price < least:
                    least, ties = price, 1
                elif price == least:
                    ties += 1
            for platform in range(platforms):
                price = work.outputs[platform, layout.COST_PER_MILLION, i]
                results[row + platform, start + i] = 1.0 / ties if price == least else 0.0
                results[row + platforms + platform, start + i] = price - least


@jit
def evaluate_given(plan, sampling, values, shocks, work, costs):
    """The cost of a million tokens where inputs are given, not drawn: as many variants side by side as there are columns.

    plan    without single failures and jumps, so that nothing is drawn (`engine.evaluate.expected`); sampling is not read
    values  float64[rows, n]: each row of `Plan`
    shocks  float64[markets, n]: what every monthly shock of a price is
    costs   float64[platforms, n], filled [USD]
    """
    n = values.shape[1]
    for start in range(0, n, BLOCK):
        count = min(BLOCK, n - start)
        for row in range(values.shape[0]):
            work.values[row, :count] = values[row, start:start + count]
            work.values[row, count:] = values[row, start]  # lanes that are left over do what the first does
        for market in range(plan.market_stream.size):
            work.months[market] = months_in_use(plan, market, work.values)
            for t in range(work.months[market]):
                work.prices[market, t, :count] = shocks[market, start:start + count]
                work.prices[market, t, count:] = shocks[market, start]
            shocks_to_prices(plan, sampling.seed, sampling.replicate, 0, market, work)
        _simulate_platforms(plan, sampling, 0, work)
        for platform in range(plan.features.size):
            costs[platform, start:start + count] = work.outputs[platform, layout.COST_PER_MILLION, :count]
