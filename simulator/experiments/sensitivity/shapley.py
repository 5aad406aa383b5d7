"""Shapley effects of a study: what variance and tail owe to each input, whether or not inputs depend on one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from simulator.analysis.intervals import Estimate
from simulator.analysis.shapley import of_subsets, of_walks
from simulator.engine.addresses import stream
from simulator.engine.pick_freeze import LANES, REPLICATES, PickFreeze, pick_freeze
from simulator.experiments.sensitivity.outputs import Output, outputs
from simulator.experiments.sensitivity.players import By, NotApplicable, Player, players
from simulator.experiments.sensitivity.sobol import CONSTANT
from simulator.kernels.uniforms import random_uniforms
from simulator.quantities import COST
from simulator.study.model import Study

Ints = np.ndarray[Any, np.dtype[np.int64]]
Sets = np.ndarray[Any, np.dtype[np.bool_]]
Shared = Literal["variance", "tail"]
Method = Literal["auto", "subsets", "walks"]

TRIALS = 512  # of a replicate
MOST_SUBSETS_OF, SUBSETS_UP_TO = 12, 6  # players of whom all subsets may be, and by themselves are, evaluated
_SUBSETS_OF_TRIALS = TRIALS << SUBSETS_UP_TO  # evaluations in a replicate
_FOR_ORDERS = stream("sensitivity.orders")


@dataclass(frozen=True)
class ShapleyEffects:
    """Shares of one output, player by player, which sum to one; none where `withheld` says why.

    of     what is shared: the "variance", or the "tail": expected shortfall at 95 % less the mean
    whole  it, in the unit of the output (squared where it is the variance)
    """

    output: Output
    of: Shared
    players: tuple[str, ...]
    whole: Estimate | None = None
    shares: tuple[Estimate, ...] = ()
    withheld: str = ""


def shapley(study: Study, by: By = "inputs", trials: int = 0, threads: int = 0,
            method: Method = "auto") -> tuple[ShapleyEffects, ...]:
    """Effects on the variance of every output, and on the tail of every cost.

    trials  of each of the replicates, a power of two; costs are evaluated (1 + players) times for each on walks, 2^players times
            for all subsets; where 0 as many as TRIALS, or fewer where there are many subsets
    method  all subsets, or walks in random orders on which players become known one by one
    Raises NotApplicable where all subsets of too many players are asked for.
    """
    freeze = pick_freeze(study)
    chosen = players(freeze, by)
    if method == "subsets" and len(chosen) > MOST_SUBSETS_OF:
        raise NotApplicable(f"found {len(chosen)} inputs, which have 2^{len(chosen)} subsets; expected at most {MOST_SUBSETS_OF}"
                            ": use walks, or take inputs by groups")
    all_subsets = method == "subsets" or (method == "auto" and len(chosen) <= SUBSETS_UP_TO)
    trials = trials or (min(TRIALS, max(LANES, _SUBSETS_OF_TRIALS >> len(chosen))) if all_subsets else TRIALS)
    orders = np.zeros((REPLICATES, 1, 0), np.int64) if all_subsets else orders_of_walks(
        len(chosen), trials // LANES, study.simulation.seed)
    costs = _of_subsets(freeze, chosen, trials, threads) if all_subsets else _on_walks(freeze, chosen, orders, trials, threads)
    names = tuple(player.name for player in chosen)

    def shared(output: Output, values: Any, of: Shared, withheld: str) -> ShapleyEffects:
        if withheld:
            return ShapleyEffects(output, of, names, withheld=withheld)
        tail = of == "tail"
        found = of_subsets(values, len(chosen), tail) if all_subsets else of_walks(values, orders, tail)
        if found is None:
            return ShapleyEffects(output, of, names, withheld=CONSTANT)
        return ShapleyEffects(output, of, names, found.whole, found.shares)

    found = []
    for output, values, withheld in outputs(study, costs):
        found.append(shared(output, values, "variance", withheld))
        if output.quantity == COST.name:
            found.append(shared(output, values, "tail", ""))  # of a mean, which a heavy tail has
    return tuple(found)


def _of_subsets(freeze: PickFreeze, chosen: tuple[Player, ...], trials: int, threads: int) -> Any:
    """Costs with every set of players kept, set by set in the order of their bits."""
    sets = np.arange(1 << len(chosen))
    gray = sets ^ (sets >> 1)  # neighbours differ in one player, so that little is computed again
    keeps = np.zeros((len(sets), len(freeze.factors)), bool)
    for position, player in enumerate(chosen):
        keeps[:, list(player.factors)] = (gray[:, None] >> position) & 1 == 1
    count = len(freeze.factors)
    costs = freeze.costs(np.broadcast_to(keeps, (REPLICATES, 1, *keeps.shape)),
                         np.broadcast_to(np.arange(count), (REPLICATES, 1, count)), trials, threads)
    return costs[:, np.argsort(gray)]


def _on_walks(freeze: PickFreeze, chosen: tuple[Player, ...], orders: Ints, trials: int, threads: int) -> Any:
    """Costs with the first 0, 1, … players of each order kept."""
    place = np.argsort(orders, axis=-1)
    of_factor = np.empty(len(freeze.factors), np.int64)
    for position, player in enumerate(chosen):
        of_factor[list(player.factors)] = position
    factor_place = place[..., of_factor]
    keeps: Sets = factor_place[:, :, None, :] < np.arange(1 + len(chosen))[:, None]
    return freeze.costs(keeps, np.argsort(factor_place, axis=-1, kind="stable"), trials, threads)


def orders_of_walks(count: int, walks: int, seed: int) -> Ints:
    """Random orders of so many players, int64[REPLICATES, walks, count]; each second one is the reverse of the one before."""
    orders = np.empty((REPLICATES, walks, count), np.int64)
    uniforms = np.empty(count)
    for replicate in range(REPLICATES):
        for walk in range(walks):
            if walk % 2:
                orders[replicate, walk] = orders[replicate, walk - 1, ::-1]
            else:
                random_uniforms(np.uint64(seed), np.uint64(_FOR_ORDERS), replicate, walk, 0, uniforms)
                orders[replicate, walk] = np.argsort(uniforms)
    return orders
