"""Exact percentiles in constant memory, by passes over regenerated trials.

A pass counts the values of each row into bins. The bin that holds a wanted rank (of one replicate, or of all together)
is divided again, until what the bins hold is little enough to be kept and sorted. The result is the order statistic
itself, as sorting all trials would give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import quantile_rank
from simulator.engine.sums import Node, TreeSum, nodes_of
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.accumulators import count_bins, order_keys, pick, sums_outside
from simulator.kernels.trajectories import BLOCK

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

_COUNT_BYTES = 32 << 20
_KEPT_VALUES = 1_000_000
_SORTED_VALUES = 400_000  # of all ranked rows together: so few are sorted at once, without bins
_FIRST_KEY, _LAST_KEY = 0x000FFFFFFFFFFFFF, 0xFFF0000000000000  # of −∞ and ∞
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
        self.grids = [_grid_about(pilot[row], bins) for row in self.rows]
        self.counts = np.zeros((len(self.rows), replicates, bins), np.int64)

    def count(self, results: Array) -> Counts:
        """Counts of one chunk, int64[rows, bins]."""
        found = np.zeros((len(self.rows), self.counts.shape[2]), np.int64)
        for row, grid, counts in zip(self.rows, self.grids, found, strict=True):
            count_bins(results[row], np.uint64(grid.low), grid.shift, counts)
        return found

    def add(self, chunk: Chunk, found: Counts) -> None:
        self.counts[:, chunk.replicate] += found


def select(trials: Trials, counting: Counting, progress: Progress) -> dict[Wanted, Selected]:
    """The wanted quantiles, from the counts of the first pass and as many further passes as they take."""
    if trials.simulation.trials * len(counting.rows) <= _SORTED_VALUES:
        return _sorted(trials, counting, progress)
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


def _sorted(trials: Trials, counting: Counting, progress: Progress) -> dict[Wanted, Selected]:
    """The wanted quantiles of few trials, by sorting them all: the same order statistics, for less."""
    replicates, each = trials.simulation.replicates, trials.simulation.trials_per_replicate
    values = np.empty((len(counting.rows), replicates, each))
    rows = np.array(counting.rows, np.int64)

    def gather(chunk: Chunk, results: Array) -> None:
        values[:, chunk.replicate, chunk.first:chunk.first + chunk.count] = results[rows]

    for chunk, _ in trials.each(gather):
        progress(chunk)
    by_replicate = np.sort(values, axis=2)
    pooled = np.sort(values.reshape(len(rows), 1, -1), axis=2)
    place = {row: position for position, row in enumerate(counting.rows)}
    found = {}
    for want in counting.wanted:
        quantiles, tails = _quantiles_and_tails(by_replicate[place[want.row]], want)
        quantile, tail = _quantiles_and_tails(pooled[place[want.row]], want)
        more = tuple(float(pooled[place[want.row], 0, rank - 1]) for rank in want.more_ranks)
        found[want] = Selected(float(quantile[0]), quantiles, more, float(tail[0]), tails)
    return found


def _quantiles_and_tails(ordered: Array, want: Wanted) -> tuple[Array, Array]:
    """A quantile of each line, and the mean of the tail beyond it (NaN where not wanted).

    ordered  float64[lines, n], ascending along n
    """
    n = ordered.shape[1]
    rank = quantile_rank(n, want.p)
    edge = ordered[:, rank - 1].copy()
    # The boundary trial counts with the fraction by which it reaches into the tail.
    if want.tail == "high":
        return edge, (ordered[:, rank:].sum(axis=1) + (rank - n * want.p) * edge) / (n * (1 - want.p))
    if want.tail == "low":
        return edge, (ordered[:, :rank - 1].sum(axis=1) + (n * want.p - rank + 1) * edge) / (n * want.p)
    return edge, np.full(len(ordered), np.nan)


POOLED = -1  # the scope of all replicates together: the last of `reached`


@dataclass(frozen=True)
class _Grid:
    """Bins over keys: bin 0 is below `low`, then 2^shift keys each, the last bin takes all above."""

    low: int
    shift: int
    bins: int

    def position(self, key: int) -> int:
        return 0 if key < self.low else min(((key - self.low) >> self.shift) + 1, self.bins - 1)

    def first_key(self, position: int) -> int:
        return _FIRST_KEY if position == 0 else self.low + ((position - 1) << self.shift)

    def last_key(self, position: int) -> int:
        return _LAST_KEY if position == self.bins - 1 else self.low + (position << self.shift) - 1


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

    def sees(self, chunk: Chunk) -> bool:
        return self.scope in (POOLED, chunk.replicate)


def _ranks(want: Wanted, replicates: int, each: int) -> Iterator[tuple[int, int]]:
    """(scope, rank) of everything that is wanted at a quantile."""
    for replicate in range(replicates):
        yield replicate, quantile_rank(each, want.p)
    yield POOLED, quantile_rank(replicates * each, want.p)
    for rank in want.more_ranks:
        yield POOLED, rank


def _target(want: Wanted, scope: int, rank: int, grid: _Grid, reached: Counts) -> _Target:
    """The bin in which the counts, summed up to each bin, reach a rank."""
    position = int(reached.searchsorted(rank))
    below = int(reached[position - 1]) if position else 0
    within = int(reached[position]) - below
    return _Target(want, scope, rank, grid.first_key(position), grid.last_key(position), below, within)


def _bins(grids: int) -> int:
    """A power of two of bins, so that the counts of all grids fit."""
    return 1 << min(max((_COUNT_BYTES // (8 * max(grids, 1))).bit_length() - 1, 6), 12)


def _grid_about(values: Array, bins: int) -> _Grid:
    keys = _keys(values)
    low, high = int(keys.min()), int(keys.max())
    margin = (high - low) // 4 + bins
    return _grid(max(low - margin, _FIRST_KEY), min(high + margin, _LAST_KEY), bins)


def _keys(values: Array) -> np.ndarray[Any, np.dtype[np.uint64]]:
    keys = np.empty(values.size, np.uint64)
    order_keys(np.ascontiguousarray(values), keys)
    return keys


def _grid(low: int, high: int, bins: int) -> _Grid:
    return _Grid(low, min(((high - low) // (bins - 2)).bit_length(), 63), bins)


def _value_of(key: int) -> np.float64:
    """The double with an order key."""
    bits = key ^ (1 << 63) if key >> 63 else key ^ ((1 << 64) - 1)
    return np.float64(np.uint64(bits).view(np.float64))


def _divided(trials: Trials, targets: list[_Target], progress: Progress) -> list[_Target]:
    """The same targets among fewer keys, by one more pass."""
    bins = _bins(len(targets))
    grids = [_grid(target.low, target.high, bins) for target in targets]
    counts = np.zeros((len(targets), bins), np.int64)

    def count(chunk: Chunk, results: Array) -> list[tuple[int, Counts]]:
        found = []
        for position, (target, grid) in enumerate(zip(targets, grids, strict=True)):
            if target.sees(chunk):
                line = np.zeros(bins, np.int64)
                count_bins(results[target.wanted.row], np.uint64(grid.low), grid.shift, line)
                found.append((position, line))
        return found

    for chunk, found in trials.each(count):
        for position, line in found:
            counts[position] += line
        progress(chunk)
    return [_target(target.wanted, target.scope, target.rank, grid, reached)
            for target, grid, reached in zip(targets, grids, np.cumsum(counts, axis=1), strict=True)]


def _collect(trials: Trials, counting: Counting, targets: list[_Target], divided: bool,
             progress: Progress) -> dict[Wanted, Selected]:
    """The last pass: keep what lies in the targets' bins, and sum what lies outside where a tail is wanted.

    divided  whether the targets' keys are narrower than the bins of `counting`
    """
    replicates, each = trials.simulation.replicates, trials.simulation.trials_per_replicate
    of_scope: dict[int, list[_Target]] = {}
    for target in targets:
        of_scope.setdefault(target.scope, []).append(target)
    grids = dict(zip(counting.rows, counting.grids, strict=True))
    kept: dict[tuple[int, int], list[Array]] = {}  # by row and replicate
    outside = [TreeSum() for _ in range(replicates)]  # of the replicate's tails, then of the pooled ones

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
                flags[grids[row].position(low):grids[row].position(high) + 1] = True
            found = room[:pick(results[row], np.uint64(grids[row].low), grids[row].shift, flags, room)]
            values[row] = _among(found, among) if divided else found.copy()
        ends = (*tails(chunk.replicate), *tails(POOLED))
        sums = np.empty((len(ends), -(-chunk.count // BLOCK), 2))
        for target, line in zip(ends, sums, strict=True):
            sums_outside(results[target.wanted.row], np.uint64(target.low), np.uint64(target.high), BLOCK, line)
        return values, nodes_of(np.moveaxis(sums, 1, 0))

    for chunk, (values, nodes) in trials.each(gather):
        for row, found in values.items():
            kept.setdefault((row, chunk.replicate), []).append(found)
        outside[chunk.replicate].add(nodes)
        progress(chunk)
    totals = np.array([tree.total() for tree in outside])
    chosen: dict[Wanted, list[tuple[float, float]]] = {}
    for scope, found_targets in of_scope.items():
        within = range(replicates) if scope == POOLED else [scope]
        ordered = {row: np.sort(np.concatenate([*(part for replicate in within for part in kept.get((row, replicate), [])), []]))
                   for row in counting.rows}
        ends = tails(scope)
        for target in found_targets:
            beyond = np.zeros(2)
            if target.wanted.tail:
                place = ends.index(target) + (len(tails(0)) if scope == POOLED else 0)
                beyond = totals[:, place].sum(axis=0) if scope == POOLED else totals[scope, place]
            chosen.setdefault(target.wanted, []).append(_finish(target, ordered[target.wanted.row], beyond, each * len(within)))
    return {want: Selected(pooled=found[replicates][0], by_replicate=np.array([value for value, _ in found[:replicates]]),
                           more=tuple(value for value, _ in found[replicates + 1:]), tail_pooled=found[replicates][1],
                           tail_by_replicate=np.array([tail for _, tail in found[:replicates]]))
            for want, found in chosen.items()}


def _among(values: Array, ranges: Iterable[tuple[int, int]]) -> Array:
    """A copy of the values whose key lies in one of the ranges."""
    keys = _keys(values)
    inside = np.zeros(values.size, np.bool_)
    for low, high in ranges:
        inside |= (keys >= np.uint64(low)) & (keys <= np.uint64(high))
    found: Array = values[inside]
    return found


def _finish(target: _Target, kept: Array, outside: Array, n: int) -> tuple[float, float]:
    """The order statistic of a target among n values, and the mean of the tail beyond it (NaN where not wanted).

    kept     float64, ascending: values of the target's row and scope, all those among its keys and perhaps others
    outside  float64[2]: sums of the values below and above the target's keys
    """
    want, position = target.wanted, target.rank - target.below - 1
    if target.low == target.high:  # ties, perhaps of all trials: one number stands for them
        values = np.broadcast_to(_value_of(target.low), (target.within,))
    else:
        first = int(kept.searchsorted(_value_of(target.low)))
        values = kept[first:first + target.within]
    edge = float(values[position])
    if want.tail == "high":
        # The boundary trial counts with the fraction by which it reaches into the tail.
        beyond = outside[1] + float(np.sum(values[position + 1:]))
        return edge, float((beyond + (target.rank - n * want.p) * edge) / (n * (1 - want.p)))
    if want.tail == "low":
        beyond = outside[0] + float(np.sum(values[:position]))
        return edge, float((beyond + (n * want.p - target.rank + 1) * edge) / (n * want.p))
    return edge, float("nan")
