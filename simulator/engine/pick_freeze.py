"""A study's costs under pick-freeze: two independent samples, and any sets of inputs kept from the first."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.engine.addresses import stream
from simulator.engine.factors import Factor, factors
from simulator.engine.parameters import Compiled, compile_study
from simulator.engine.run import RunError
from simulator.engine.trials import Words, available_cores, sampling
from simulator.kernels import pick_freeze as kernel
from simulator.kernels import platform as layout
from simulator.kernels.distributions import CONSTANT
from simulator.kernels.trajectories import Plan, Sampling
from simulator.kernels.uniforms import random_uniforms
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Sets = np.ndarray[Any, np.dtype[np.bool_]]

LANES = kernel.LANES
REPLICATES = 32
_FRESH = 1 << 20  # replicates of B are numbered from here
_FOR_INDEX_BITS = stream("sensitivity.index_bits")
# What only earnings are computed from.
_EARNINGS = layout.HAS_TOKEN_PRICE | layout.TOKEN_PRICE_MOVES | layout.HAS_DECLINE | layout.TOKEN_PRICES_APART


@dataclass(frozen=True)
class PickFreeze:
    """A study whose costs can be evaluated with any of its factors kept and the others drawn anew, given those.

    factors   what can be kept
    links     pairs of positions of factors that depend on one another
    """

    study: Study
    factors: tuple[Factor, ...]
    links: tuple[tuple[int, int], ...]
    _compiled: Compiled
    _plan: Plan
    _numbers: kernel.Factors

    def costs(self, keeps: Sets, orders: Ints, trials: int, threads: int = 0) -> Array:
        """Cost per million tokens, float64[replicates, sets, platforms, trials].

        keeps   bool[replicates, walks, sets, factors]: what each set keeps of A; walks share a replicate's trials equally
        orders  int64[replicates, walks, factors]: an order in which factors become kept on a walk, for speed
        trials  of a replicate: a power of two, LANES at least, and LANES times a multiple of walks where those are several
        Results do not depend on threads. Raises RunError where a cost is not finite, ValueError where trials cannot be shared.
        """
        if trials < LANES or trials & (trials - 1) or trials // LANES % keeps.shape[1]:
            raise ValueError(f"found {trials} trials; expected a power of two of at least {LANES}, "
                             f"shared by {keeps.shape[1]} walks")
        replicates, _, sets, _ = keeps.shape
        costs = np.empty((replicates, sets, len(self.study.platforms), trials))
        simulation = replace(self.study.simulation, trials=trials * replicates, replicates=replicates)
        columns = self._compiled.columns(max(trials - 1, LANES - 1).bit_length()) if simulation.sampler == "sobol" else None
        free: deque[kernel.Scratch] = deque()

        def one(replicate: int) -> None:
            work = free.pop() if free else kernel.scratch(self._plan)
            kept = sampling(self._compiled, simulation, columns, replicate)
            mixed = None if columns is None else mixed_columns(columns, simulation.seed, replicate)
            fresh: Sampling = sampling(self._compiled, simulation, mixed, _FRESH + replicate)
            kernel.evaluate(self._plan, self._numbers, kept, fresh, np.array(keeps[replicate], order="C"),
                            _order_of_members(self._numbers.inputs, orders[replicate]),
                            _order_of_members(self._numbers.shocks, orders[replicate]), work, costs[replicate])
            free.append(work)

        with ThreadPoolExecutor(threads or available_cores(), thread_name_prefix="tco") as pool:
            list(pool.map(one, range(replicates)))
        if not np.isfinite(costs).all():
            raise RunError("a cost is not finite where some inputs are drawn anew; running the study says in which trial")
        return costs


def pick_freeze(study: Study) -> PickFreeze:
    """Prepare a study."""
    compiled = compile_study(study, [], [])
    found = factors(study, compiled)
    plan = compiled.plan
    plan = plan._replace(features=plan.features & ~_EARNINGS, token_market=np.full_like(plan.token_market, -1))
    of_row = np.full(len(plan.family), -1, np.int64)
    of_market = np.full(len(plan.market_rows), -1, np.int64)
    of_failures = np.full(len(study.platforms), -1, np.int64)
    for position, factor in enumerate(found):
        of_row[list(factor.rows)] = position
        if factor.market >= 0:
            of_market[factor.market] = position
        if factor.platform >= 0:
            of_failures[factor.platform] = position
    inputs = _dependence(plan.copula_factor, plan.chi_squared_row, of_row[plan.copula_rows])
    shocks = _dependence(plan.market_factor, np.full(len(of_market), -1), of_market)
    uncertain = plan.family[plan.copula_rows] != CONSTANT
    links = sorted({*_links(inputs, uncertain), *_links(shocks, np.ones(len(of_market), bool))})
    return PickFreeze(study, found, tuple(links), compiled, plan, kernel.Factors(of_row, of_failures, inputs, shocks))


def _dependence(cholesky: Array, groups: Ints, of_factor: Ints) -> kernel.Dependence:
    """Members as the kernel takes them; those of one group (−1: none) depend on one another even where uncorrelated."""
    correlations = cholesky @ cholesky.T
    together = (correlations != 0) | ((groups[:, None] == groups) & (groups >= 0))
    component = np.arange(len(correlations))
    for member in range(len(correlations)):
        linked = component[np.flatnonzero(together[member])]
        component[np.isin(component, linked)] = linked.min()
    return kernel.Dependence(correlations, component, of_factor)


def _links(dependence: kernel.Dependence, uncertain: Sets) -> set[tuple[int, int]]:
    """Pairs of factors with members in one component."""
    used = np.flatnonzero(uncertain & (dependence.factor >= 0))
    return {(int(a), int(b)) for i in used for j in used
            if dependence.component[i] == dependence.component[j] and (a := dependence.factor[i]) < (b := dependence.factor[j])}


def _order_of_members(dependence: kernel.Dependence, orders: Ints) -> Ints:
    """Members in the order in which their factors are kept, those of no factor last: int64[walks, members]."""
    if not orders.shape[1]:
        return np.tile(np.arange(len(dependence.factor)), (len(orders), 1))
    place = np.argsort(orders, axis=1)[:, dependence.factor]
    place[:, dependence.factor < 0] = orders.shape[1]
    return np.ascontiguousarray(np.argsort(place, axis=1, kind="stable"))  # one layout: the kernel is compiled once


def mixed_columns(columns: Words, seed: int, replicate: int) -> Words:
    """Generating matrices of points that are independent of those of `columns`, once both are scrambled.

    Two scrambles of one point set are not enough: its points would fall into the same pairs of cells in both, whatever
    the scrambles. So B's points are taken in another order: their index is multiplied by a random invertible matrix of bits,
    the same in all dimensions, which turns each column into a sum (XOR) of columns.
    columns  uint64[dimensions, bits]
    """
    bits = columns.shape[1]
    sums = random_invertible_bits(bits, seed, replicate)
    mixed = np.zeros_like(columns)
    for k in range(bits):
        mixed[:, k] = np.bitwise_xor.reduce(columns[:, sums[:, k]], axis=1)
    return mixed


def random_invertible_bits(size: int, seed: int, replicate: int) -> Sets:
    """A random invertible matrix over the field of two elements, bool[size, size]; each is equally likely."""
    uniforms = np.empty(size * size)
    for attempt in range(1000):
        random_uniforms(np.uint64(seed), np.uint64(_FOR_INDEX_BITS), replicate, attempt, 0, uniforms)
        matrix = uniforms.reshape(size, size) < 0.5
        if _is_invertible(matrix):
            return matrix
    raise AssertionError("unreachable: 29 % of matrices are invertible")


def _is_invertible(matrix: Sets) -> bool:
    """By elimination over the field of two elements."""
    rows = [int("".join("1" if bit else "0" for bit in row), 2) for row in matrix]
    for place in range(len(rows)):
        bit = 1 << place
        pivot = next((row for row in rows if row & bit), 0)
        if not pivot:
            return False
        rows.remove(pivot)
        rows = [row ^ pivot if row & bit else row for row in rows]
    return True
