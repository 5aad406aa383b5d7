"""Exact percentiles in constant memory, by passes over regenerated trials.

A pass counts the values of each row into bins. The bin that holds a wanted rank (of one replicate, or of all together)
is divided again, until what the bins hold is little enough to be kept and sorted. The result is the order statistic
itself, as sorting all trials would give it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.analysis.intervals import quantile_rank
from simulator.engine.grids import Grid, grid_about, grid_between, keys_of, value_of
from simulator.engine.sums import Node, TreeSum, nodes_of
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.accumulators import sums_beyond, whole_quanta
from simulator.kernels.trajectories import BLOCK

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

_COUNT_BYTES = 32 << 20
_KEPT_VALUES = 1_000_000
_QUANTUM_BITS = 26
Progress = Callable[[Chunk], None]


@dataclass(frozen=True)
class Wanted:
    """A quantile of one row, wanted in each replicate and pooled, and further pooled ranks (from 1) around it.

    tail  "high" or "low" where the mean beyond the quantile is wanted too, else ""
    """

    row: int
    p: float
    more_ranks: tuple[int, ...] = ()
    tail: str = ""


@dataclass(frozen=True)
class Selected:
    """A quantile: pooled, by replicate, at the further ranks; and the tail's mean, pooled and by replicate."""

    pooled: float
    by_replicate: Array
    more: tuple[float, ...]
    tail_pooled: float
    tail_by_replicate: Array


class Counting:
    """The first pass: every ranked row counted into bins, by replicate. Shared with whoever sees every trial once."""

    def __init__(self, wanted: list[Wanted], pilot: Array, replicates: int) -> None:
        """Lay the bins about the range that a pilot block, float64[rows, n], shows."""
        self.wanted = wanted
        self.rows = list(dict.fromkeys(want.row for want in wanted))
        bins = _bins(len(self.rows) * (replicates + 4))
        # What sums of tails are rounded to: fine enough to lose nothing, and the same whatever else is counted.
        self.quanta = [2.0 ** (math.frexp(float(np.max(np.abs(pilot[row]))) or 1.0)[1] - _QUANTUM_BITS) for row in self.rows]
        self.grids = [grid_about(pilot[row], bins) for row in self.rows]
        self.counts = np.zeros((len(self.rows), replicates, bins), np.int64)

    def see(self, _: Chunk, results: Array) -> Counts:
        """Counts of one chunk, int64[rows, bins]."""
        found = np.zeros((len(self.rows), self.counts.shape[2]), np.int64)
        for row, grid, counts in zip(self.rows, self.grids, found, strict=True):
            grid.count(results[row], counts)
        return found

    def add(self, chunk: Chunk, found: Counts) -> None:
        self.counts[:, chunk.replicate] += found


def select(trials: Trials, counting: Counting, progress: Progress) -> dict[Wanted, Selected]:
    """The wanted quantiles, from the counts of the first pass and as many further passes as they take."""
    replicates, each = trials.simulation.replicates, trials.simulation.trials_per_replicate
    pooled = counting.counts.sum(axis=1, keepdims=True)
    reached = np.cumsum(np.concatenate([counting.counts, pooled], axis=1), axis=2)  # rows; replicates, then pooled; bins
    place = {row: position for position, row in enumerate(counting.rows)}
    targets = [_target(want, scope, rank, counting.grids[place[want.row]], reached[place[want.row], scope])
               for want in counting.wanted for scope, rank in _ranks(want, replicates, each)]
    # What lies in a bin of one key are equal values: they need not be kept.
    divided = False
    while sum(target.within for target in targets if target.low < target.high) > _KEPT_VALUES:
        targets, divided = _divided(trials, targets, progress), True
    return _collect(trials, counting, targets, divided, progress)


POOLED = -1  # the scope of all replicates together: the last of `reached`


@dataclass(frozen=True)
class _Target:
    """One wanted order statistic, of a replicate or pooled, and the keys among which it is known to lie.

    below, within  how many values of the scope lie under those keys and among them
    """

    wanted: Wanted
    scope: int
    rank: int
    low: int
    high: int
    below: int
    within: int

    @property
    def edge(self) -> float:
        """The last of its values on the side of the wanted tail: what is summed lies beyond."""
        return float(value_of(self.high if self.wanted.tail == "high" else self.low))

    def sees(self, chunk: Chunk) -> bool:
        return self.scope in (POOLED, chunk.replicate)


def _ranks(want: Wanted, replicates: int, each: int) -> Iterator[tuple[int, int]]:
    """(scope, rank) of everything that is wanted at a quantile."""
    for replicate in range(replicates):
        yield replicate, quantile_rank(each, want.p)
    yield POOLED, quantile_rank(replicates * each, want.p)
    for rank in want.more_ranks:
        yield POOLED, rank


def _target(want: Wanted, scope: int, rank: int, grid: Grid, reached: Counts) -> _Target:
    """The bin in which the counts, summed up to each bin, reach a rank."""
    position = int(reached.searchsorted(rank))
    below = int(reached[position - 1]) if position else 0
    within = int(reached[position]) - below
    return _Target(want, scope, rank, grid.first_key(position), grid.last_key(position), below, within)


def _bins(grids: int) -> int:
    """A power of two of bins, so that the counts of all grids fit."""
    return 1 << min(max((_COUNT_BYTES // (8 * max(grids, 1))).bit_length() - 1, 6), 12)


def _divided(trials: Trials, targets: list[_Target], progress: Progress) -> list[_Target]:
    """The same targets among fewer keys, by one more pass."""
    bins = _bins(len(targets))
    grids = [grid_between(target.low, target.high, bins) for target in targets]
    counts = np.zeros((len(targets), bins), np.int64)

    def count(chunk: Chunk, results: Array) -> list[tuple[int, Counts]]:
        found = []
        for position, (target, grid) in enumerate(zip(targets, grids, strict=True)):
            if target.sees(chunk):
                line = np.zeros(bins, np.int64)
                grid.count(results[target.wanted.row], line)
                found.append((position, line))
        return found

    for chunk, found in trials.each(count):
        for position, line in found:
            counts[position] += line
        progress(chunk)
    found_targets = []
    for target, grid, reached in zip(targets, grids, np.cumsum(counts, axis=1), strict=True):
        # The bin that holds the target's last key may reach beyond it, where far more values may lie.
        inside = np.minimum(reached, target.below + target.within)
        finer = _target(target.wanted, target.scope, target.rank, grid, inside)
        found_targets.append(replace(finer, high=min(finer.high, target.high)))
    return found_targets


def _collect(trials: Trials, counting: Counting, targets: list[_Target], divided: bool,
             progress: Progress) -> dict[Wanted, Selected]:
    """The last pass: keep what lies in the targets' bins, and sum what lies beyond where a tail is wanted.

    divided  whether the targets' keys are narrower than the bins of `counting`
    """
    replicates, each = trials.simulation.replicates, trials.simulation.trials_per_replicate
    of_scope: dict[int, list[_Target]] = {}
    for target in targets:
        of_scope.setdefault(target.scope, []).append(target)
    grids = dict(zip(counting.rows, counting.grids, strict=True))
    quanta = dict(zip(counting.rows, counting.quanta, strict=True))
    kept: dict[tuple[int, int], list[Array]] = {}  # by row and replicate
    beyond = [TreeSum() for _ in range(replicates)]  # of the replicate's tails, then of the pooled ones

    def tails(scope: int) -> list[_Target]:
        return [target for target in of_scope[scope] if target.wanted.tail]

    def gather(chunk: Chunk, results: Array) -> tuple[dict[int, Array], list[Node]]:
        ranges: dict[int, set[tuple[int, int]]] = {}
        for target in (*of_scope[chunk.replicate], *of_scope[POOLED]):
            if target.low < target.high:
                ranges.setdefault(target.wanted.row, set()).add((target.low, target.high))
        values, room = {}, np.empty(chunk.count)
        for row, among in ranges.items():
            flags = np.zeros(grids[row].bins, np.bool_)
            for low, high in among:
                flags[grids[row].bin_of(low):grids[row].bin_of(high) + 1] = True
            found = grids[row].pick(results[row], flags, room)
            values[row] = _among(found, among) if divided else found.copy()
        ends = (*tails(chunk.replicate), *tails(POOLED))
        sums = np.empty((len(ends), -(-chunk.count // BLOCK), 2))
        for target, line in zip(ends, sums, strict=True):
            row = target.wanted.row
            sums_beyond(results[row], target.edge, target.wanted.tail == "high", BLOCK, quanta[row], line)
        return values, nodes_of(np.moveaxis(sums, 1, 0))

    for chunk, (values, nodes) in trials.each(gather):
        for row, found in values.items():
            kept.setdefault((row, chunk.replicate), []).append(found)
        beyond[chunk.replicate].add(nodes)
        progress(chunk)
    totals = np.array([tree.total() for tree in beyond])
    chosen: dict[Wanted, list[tuple[float, float]]] = {}
    for scope, found_targets in of_scope.items():
        within = range(replicates) if scope == POOLED else [scope]
        ordered = {row: np.sort(np.concatenate([*(part for replicate in within for part in kept.get((row, replicate), [])), []]))
                   for row in counting.rows}
        ends = tails(scope)
        for target in found_targets:
            summed = np.zeros(2)
            if target.wanted.tail:
                place = ends.index(target) + (len(tails(0)) if scope == POOLED else 0)
                summed = totals[:, place].sum(axis=0) if scope == POOLED else totals[scope, place]
            row = target.wanted.row
            chosen.setdefault(target.wanted, []).append(_finish(target, ordered[row], summed, quanta[row], each * len(within)))
    return {want: Selected(pooled=found[replicates][0], by_replicate=np.array([value for value, _ in found[:replicates]]),
                           more=tuple(value for value, _ in found[replicates + 1:]), tail_pooled=found[replicates][1],
                           tail_by_replicate=np.array([tail for _, tail in found[:replicates]]))
            for want, found in chosen.items()}


def _among(values: Array, ranges: Iterable[tuple[int, int]]) -> Array:
    """A copy of the values whose key lies in one of the ranges."""
    keys = keys_of(values)
    inside = np.zeros(values.size, np.bool_)
    for low, high in ranges:
        inside |= (keys >= np.uint64(low)) & (keys <= np.uint64(high))
    found: Array = values[inside]
    return found


def _finish(target: _Target, kept: Array, beyond: Array, quantum: float, n: int) -> tuple[float, float]:
    """The order statistic of a target among n values, and the mean of the tail beyond it (NaN where not wanted).

    kept     float64, ascending: values of the target's row and scope, all those among its keys and perhaps others
    beyond   float64[2] of `sums_beyond`: sum of the values in the tail beyond the target's keys, in quanta and what is over
    """
    want, position = target.wanted, target.rank - target.below - 1
    if target.low == target.high:  # ties, perhaps of all trials: one number stands for them
        values = np.broadcast_to(value_of(target.low), (target.within,))
    else:
        first = int(kept.searchsorted(value_of(target.low)))
        values = kept[first:first + target.within]
    edge = float(values[position])
    if not want.tail:
        return edge, float("nan")
    tail = _summed(values[position + 1:] if want.tail == "high" else values[:position], beyond, quantum)
    return edge, float(tail_mean(want, edge, tail, target.rank, n))


def tail_mean(want: Wanted, edge: Any, beyond: Any, rank: int, n: int) -> Any:
    """The mean of the tail from a quantile on: the boundary trial counts with the fraction by which it reaches into the tail.

    edge, beyond  the quantile, the order statistic of a rank among n values, and the sum of the values beyond; or arrays of such
    """
    if want.tail == "high":
        return (beyond + (rank - n * want.p) * edge) / (n * (1 - want.p))
    return (beyond + (n * want.p - rank + 1) * edge) / (n * want.p)


def _summed(values: Array, beyond: Array, quantum: float) -> float:
    """The sum of values, some of which are summed already; the same to the last digit however they were divided."""
    whole = whole_quanta(values, quantum)
    return float(beyond[0] + np.sum(whole)) + float(beyond[1] + np.sum(values - whole))
