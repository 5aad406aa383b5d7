"""Pick-freeze evaluation: the same trials again with some inputs kept and all others drawn anew, given those that are kept.

A block draws two samples, A ("kept") and B ("fresh"), once. Each set of inputs to keep is then composed from the two:
inputs in the set are A's; independent inputs outside it are B's; and what depends on kept inputs is drawn from its conditional
distribution, with B's random numbers. Only what has changed since the set before is computed again.

Conditional distributions. Order the members of a copula so that the kept ones come first, and let L be the Cholesky factor of
their correlations in that order. Kept scores t, dependent as in A, are e = L⁻¹ t, and the scores of all members are
L (e of those kept, s·ε of the others), with B's independent normals ε. Under the Gaussian copula s = 1. Under the t
copula, with ν degrees of freedom and k members of a group kept, s = √(ν/S), and S, which the group has in common, is given the
kept scores distributed as χ²_{ν+k} / (1 + Σ e²/ν): B's χ²_ν and the squares of B's normals of the kept members make it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simulator.kernels.copulas import dependent_scores, mix_shocks, scores_to_normals
from simulator.kernels.distributions import CONSTANT
from simulator.kernels.jit import jit
from simulator.kernels.platform import COST_PER_MILLION, DISCOUNT_RATE, INFLATION
from simulator.kernels.trajectories import (
    Floats,
    Ints,
    Plan,
    Workspace,
    discounts_like,
    draw_inputs,
    draw_shocks,
    market_paid,
    place_member,
    shocks_to_prices,
    simulate_platform,
    workspace,
)
from simulator.units import MONTHS, MONTHS_PER_YEAR

LANES = 64  # trials to a block: few, so that many blocks can keep their inputs in orders of their own
_SINGULAR = 1e-9  # pivot below which a member is what those before it say


class Dependence(NamedTuple):
    """Members that depend on one another.

    correlations  float64[members, members] of their scores
    component     int64[members]: members of different components are independent
    factor        int64[members]: the factor that a member belongs to, −1 for one that is always drawn anew
    """

    correlations: Floats
    component: Ints
    factor: Ints


class Factors(NamedTuple):
    """Which factor each thing that is drawn belongs to; what belongs to none (−1) is A's.

    of_row      int64[rows]
    of_failures int64[platforms]
    inputs      the members of the copula; shocks: the markets
    """

    of_row: Ints
    of_failures: Ints
    inputs: Dependence
    shocks: Dependence


class Conditional(NamedTuple):
    """What is known of dependent members in a block; member by member, but for order and lower.

    order   int64[members], kept ones of a component before its others; lower: the Cholesky factor in that order
    scores  float64[members, n] in A; whitened: e; scale: s
    kept    int64[members], 1 or 0; moved: whether that (1), or what a member is drawn given (2), changed last, else 0
    """

    order: Ints
    lower: Floats
    scores: Floats
    whitened: Floats
    scale: Floats
    kept: Ints
    moved: Ints


class Scratch(NamedTuple):
    """Scratch of one thread: A, B, the sample composed of them, how members hang together, and which rows changed last."""

    kept: Workspace
    fresh: Workspace
    composed: Workspace
    inputs: Conditional
    shocks: Conditional
    changed: Ints


def scratch(plan: Plan) -> Scratch:
    """Scratch for a plan."""
    def conditional(members: int, n: int) -> Conditional:
        def floats() -> Floats:
            return np.zeros((members, n))
        def ints() -> Ints:
            return np.zeros(members, np.int64)
        return Conditional(ints(), np.zeros((members, members)), floats(), floats(), np.ones((members, n)), ints(), ints())

    return Scratch(workspace(plan, LANES), workspace(plan, LANES), workspace(plan, LANES),
                   conditional(len(plan.copula_rows), LANES), conditional(len(plan.market_rows), MONTHS * LANES),
                   np.zeros(len(plan.family), np.int64))


@jit
def evaluate(plan, factors, kept_sampling, fresh_sampling, keeps, input_orders, shock_orders, work, costs):
    """Costs of a replicate's trials for every set of factors to keep.

    kept_sampling, fresh_sampling  of A and of B, which have to be independent
    keeps         bool[walks, sets, factors]: what each set keeps; walks share the blocks of the replicate equally
    input_orders  int64[walks, members]: an order in which members of the copula become kept; any order is right, and one that
                  all sets of a walk agree with is fast; shock_orders int64[walks, markets] likewise
    costs         float64[sets, platforms, n], filled: cost per million tokens; n is a multiple of LANES
    """
    blocks = costs.shape[2] // LANES
    for block in range(blocks):
        walk = block * keeps.shape[0] // blocks
        first = block * LANES
        _draw(plan, kept_sampling, first, work.kept)
        _draw(plan, fresh_sampling, first, work.fresh)
        _begin(plan, factors, input_orders[walk], shock_orders[walk], work)
        _evaluate_block(plan, factors, kept_sampling, fresh_sampling, first, keeps[walk], work,
                        costs[:, :, first:first + LANES])


@jit
def _draw(plan, sampling, first, work):
    """All inputs and independent shocks of one sample; shocks for as long as anything may live, whatever is redrawn."""
    draw_inputs(plan, sampling, first, work)
    for market in range(plan.market_stream.size):
        draw_shocks(plan, sampling, first, market, _months(plan), work)


@jit
def _months(plan):
    """Months of prices: up to the horizon."""
    return min(math.ceil(MONTHS_PER_YEAR * plan.horizon), MONTHS)


@jit
def _begin(plan, factors, input_order, shock_order, work):
    """Scores of A, and their conditional distributions in the orders given."""
    for member in range(plan.copula_rows.size):
        chi_squared = work.kept.values[max(plan.chi_squared_row[member], 0)]
        dependent_scores(plan.copula_factor, member, work.kept.normals, chi_squared, plan.degrees, work.inputs.scores[member])
    work.inputs.order[:] = input_order
    _condition(factors.inputs, work.inputs)
    if plan.market_stream.size > 0:
        mix_shocks(plan.market_factor, _months(plan), work.kept.prices)
        for market in range(plan.market_stream.size):
            work.shocks.scores[market, :] = work.kept.prices[market].reshape(work.shocks.scores.shape[1])
        work.shocks.order[:] = shock_order
        _condition(factors.shocks, work.shocks)


@jit
def _condition(dependence, known):
    """Cholesky factor of the members in their order, and e = L⁻¹ t, which serves every set that keeps the first ones."""
    lower, order = known.lower, known.order
    for j in range(order.size):
        pivot = dependence.correlations[order[j], order[j]]
        for k in range(j):
            pivot -= lower[j, k] * lower[j, k]
        lower[j, j] = math.sqrt(pivot) if pivot > _SINGULAR else 0.0
        for i in range(j + 1, order.size):
            left = dependence.correlations[order[i], order[j]]
            for k in range(j):
                left -= lower[i, k] * lower[j, k]
            lower[i, j] = left / lower[j, j] if pivot > _SINGULAR else 0.0
    for j in range(order.size):
        e = known.whitened[order[j]]
        e[:] = known.scores[order[j]]
        for k in range(j):
            if lower[j, k] != 0.0:
                _add_times(-lower[j, k], known.whitened[order[k]], e)
        for i in range(e.size):
            e[i] = e[i] / lower[j, j] if lower[j, j] > 0.0 else 0.0


@jit
def _add_times(weight, values, total):
    for i in range(total.size):
        total[i] += weight * values[i]


@jit
def _keep(dependence, keep, begins, known):
    """Take up the next set to keep: mark members whose value or distribution changes, and order them anew where necessary.

    keep bool[factors]; begins: whether this is the first set of a block. Returns whether anything moved.
    """
    members = known.order.size
    anything = False
    known.moved[:] = 0
    for member in range(members):
        factor = dependence.factor[member]
        kept = 1 if factor >= 0 and keep[factor] else 0
        if begins or kept != known.kept[member]:
            anything = True
            known.moved[member] = 1
            known.kept[member] = kept
    if not anything:
        return False
    for member in range(members):
        for other in range(members):
            if known.moved[member] == 1 and not known.kept[other] and known.moved[other] == 0 and (
                    dependence.component[other] == dependence.component[member]):
                known.moved[other] = 2  # stays drawn anew, given others
    if not _kept_come_first(dependence, known):
        place = 0
        sorted_order = np.empty(members, np.int64)
        for kept in (1, 0):
            for member in known.order:
                if known.kept[member] == kept:
                    sorted_order[place] = member
                    place += 1
        known.order[:] = sorted_order
        _condition(dependence, known)
    return True


@jit
def _kept_come_first(dependence, known):
    """Whether in each component the kept members come before the others."""
    others_began = np.zeros(known.order.size, np.int64)
    for member in known.order:
        if not known.kept[member]:
            others_began[dependence.component[member]] = 1
        elif others_began[dependence.component[member]]:
            return False
    return True


@jit
def _redraw(place, fresh, known, z):
    """z = the score of the member at a place of the order, given the kept ones; fresh float64[members, ≥ n] of B."""
    z[:] = 0.0
    for k in range(place + 1):
        weight, other = known.lower[place, k], known.order[k]
        if weight != 0.0:
            if known.kept[other]:
                _add_times(weight, known.whitened[other], z)
            else:
                for i in range(z.size):
                    z[i] += weight * known.scale[other, i] * fresh[other, i]


@jit
def _scale(dependence, member, degrees, chi_squared, fresh, known):
    """s of a member under a t copula, from the χ² that its group has given the kept members."""
    scale = known.scale[member]
    scale[:] = chi_squared
    squares = np.zeros(scale.size)
    for place in range(known.order.size):
        other = known.order[place]
        if known.kept[other] and dependence.component[other] == dependence.component[member] and known.lower[place, place] > 0.0:
            for i in range(scale.size):
                scale[i] += fresh[other, i] ** 2
                squares[i] += known.whitened[other, i] ** 2
    for i in range(scale.size):
        scale[i] = math.sqrt((degrees + squares[i]) / scale[i])


@jit
def _evaluate_block(plan, factors, kept_sampling, fresh_sampling, first, keeps, work, costs):
    """Every set of one block."""
    composed = work.composed
    platforms, markets = plan.features.size, plan.market_stream.size
    discounted = -1  # the platform whose discounted prices are at hand, −1: none
    for chosen in range(keeps.shape[0]):
        keep = keeps[chosen]
        before = keeps[max(chosen - 1, 0)]
        begins = chosen == 0
        _compose_inputs(plan, factors, keep, before, begins, work)
        moving = _keep(factors.shocks, keep, begins, work.shocks)
        for market in range(markets):
            new = moving and work.shocks.moved[market] > 0
            for row in plan.market_rows[market]:
                new |= work.changed[row] > 0
            if new:
                replicate = kept_sampling.replicate if work.shocks.kept[market] else fresh_sampling.replicate
                _reprice(plan, kept_sampling.seed, replicate, first, market, work)
                if discounted >= 0 and market_paid(plan, discounted) == market:
                    discounted = -1
            work.shocks.moved[market] = 1 if new else 0
        if discounted >= 0 and (work.changed[plan.platform_rows[discounted, DISCOUNT_RATE]] > 0
                                or work.changed[plan.platform_rows[discounted, INFLATION]] > 0):
            discounted = -1
        for platform in range(platforms):
            failures = factors.of_failures[platform]
            if begins or (failures >= 0 and keep[failures] != before[failures]) or _has_changed(plan, platform, work):
                is_discounted = discounted >= 0 and discounts_like(plan, platform, discounted)
                sampling = fresh_sampling if failures >= 0 and not keep[failures] else kept_sampling
                simulate_platform(plan, sampling, first, platform, is_discounted, composed)
                if market_paid(plan, platform) >= 0 and not is_discounted:
                    discounted = platform
            costs[chosen, platform, :] = composed.outputs[platform, COST_PER_MILLION]


@jit
def _compose_inputs(plan, factors, keep, before, begins, work):
    """Values of a set's inputs that differ from those of the set before; `changed` says which rows do."""
    composed, kept, fresh, known = work.composed, work.kept, work.fresh, work.inputs
    work.changed[:] = 0
    for row in range(plan.family.size):
        factor = factors.of_row[row]
        if plan.member[row] < 0 and (begins or (factor >= 0 and keep[factor] != before[factor])):
            composed.values[row, :] = kept.values[row] if factor < 0 or keep[factor] else fresh.values[row]
            work.changed[row] = 1
    if plan.copula_rows.size == 0 or not _keep(factors.inputs, keep, begins, known):
        return
    if plan.degrees > 0.0:
        for member in range(plan.copula_rows.size):
            if known.moved[member] and not known.kept[member]:
                _scale(factors.inputs, member, plan.degrees, fresh.values[plan.chi_squared_row[member]], fresh.normals, known)
    for place in range(plan.copula_rows.size):
        member = known.order[place]
        row = plan.copula_rows[member]
        if known.moved[member]:
            work.changed[row] = 1
            if known.kept[member] or plan.family[row] == CONSTANT:
                composed.values[row, :] = kept.values[row]
            else:
                _redraw(place, fresh.normals, known, composed.z)
                scores_to_normals(composed.z, plan.degrees, plan.tables, int(plan.student[0]), int(plan.student[1]),
                                  plan.student[2])
                place_member(plan, row, composed.u, composed.z, composed.words, composed.values[row])


@jit
def _reprice(plan, seed, replicate, first, market, work):
    """Prices of one market from kept or redrawn shocks and the composed parameters."""
    composed = work.composed
    composed.months[market] = _months(plan)
    if work.shocks.kept[market]:
        composed.prices[market, :, :] = work.kept.prices[market]
    else:
        place = 0
        while work.shocks.order[place] != market:
            place += 1
        flat = work.fresh.prices.reshape(work.shocks.scores.shape)
        _redraw(place, flat, work.shocks, composed.prices.reshape(work.shocks.scores.shape)[market])
    shocks_to_prices(plan, seed, replicate, first, market, composed)


@jit
def _has_changed(plan, platform, work):
    """Whether anything changed that a platform's cost is computed from."""
    for row in plan.platform_rows[platform]:
        if work.changed[row]:
            return True
    for row in plan.factor_rows[platform]:
        if row >= 0 and work.changed[row]:
            return True
    energy, rental = plan.energy_market[platform], plan.rental_market[platform]
    return (energy >= 0 and work.shocks.moved[energy] > 0) or (rental >= 0 and work.shocks.moved[rental] > 0)
