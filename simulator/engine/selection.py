"""Exact percentiles of whatever trials in constant memory, by passes over regenerated trials.

What `selection_in_one_pass` could not find comes here: hardly ever, but ties may be many and chance unkind. A pass counts the
values of each row into bins. The bin that holds a wanted rank (of one replicate, or of all together) is divided again, until
what the bins hold is little enough to be kept and sorted. The result is the order statistic itself, as sorting all trials
would give it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.analysis.intervals import quantile_rank
from simulator.engine.grids import Grid, grid_about, grid_between, keys_of, value_of
from simulator.engine.passes import Passing, in_threads
from simulator.engine.sums import carried, exact, exact_sum, rounded, sum_of_limbs
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.accumulators import LIMBS, add_beyond

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

_COUNT_BYTES = 32 << 20
_KEPT_VALUES = 1_000_000
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


def select(trials: Trials, wanted: list[Wanted], progress: Progress, passing: Passing = in_threads) -> dict[Wanted, Selected]:
    """The wanted quantiles, from counts and as many further passes as they take."""
    replicates, each = trials.simulation.replicates, trials.simulation.trials_per_replicate
    pilot = trials.pilot()
    rows = list(dict.fromkeys(want.row for want in wanted))
    bins = _bins(len(rows) * (replicates + 4))
    grids = {row: grid_about(pilot[row], bins) for row in rows}
    counts = np.zeros((len(grids), replicates, bins), np.int64)
    for chunk, counted in passing(trials, _IntoBins(grids)):
        counts[:, chunk.replicate] += counted
        progress(chunk)
    pooled = counts.sum(axis=1, keepdims=True)
    reached = dict(zip(rows, np.cumsum(np.concatenate([counts, pooled], axis=1), axis=2), strict=True))  # scopes, bins
    targets = [_target(want, scope, rank, grids[want.row], reached[want.row][scope])
               for want in wanted for scope, rank in _ranks(want, replicates, each)]
    # What lies in a bin of one key are equal values: they need not be kept.
    divided = False
    while sum(target.within for target in targets if target.low < target.high) > _KEPT_VALUES:
        targets, divided = _divided(passing, trials, targets, progress), True
    return _collect(passing, trials, grids, targets, divided, progress)


@dataclass(frozen=True)
class _IntoBins:
    """Counts every row of some grids into their bins, all of as many: int64[rows, bins]."""

    grids: dict[int, Grid]

    def of(self, _: Chunk, results: Array) -> Counts:
        found = np.zeros((len(self.grids), next(iter(self.grids.values())).bins), np.int64)
        for (row, grid), line in zip(self.grids.items(), found, strict=True):
            grid.count(results[row], line)
        return found

    def joined(self, parts: Sequence[Counts]) -> Counts:
        return _sum(parts)


def _sum(parts: Sequence[Counts]) -> Counts:
    total: Counts = np.sum(parts, axis=0)
    return total


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


@dataclass(frozen=True)
class _IntoParts:
    """Counts values into the bins of the targets that a chunk is among the trials of: int64[such targets, bins]."""

    targets: list[_Target]
    grids: list[Grid]

    def seeing(self, chunk: Chunk) -> list[int]:
        """Positions of these targets."""
        return [position for position, target in enumerate(self.targets) if target.sees(chunk)]

    def of(self, chunk: Chunk, results: Array) -> Counts:
        seeing = self.seeing(chunk)
        found = np.zeros((len(seeing), self.grids[0].bins), np.int64)
        for position, line in zip(seeing, found, strict=True):
            self.grids[position].count(results[self.targets[position].wanted.row], line)
        return found

    def joined(self, parts: Sequence[Counts]) -> Counts:
        return _sum(parts)


def _divided(passing: Passing, trials: Trials, targets: list[_Target], progress: Progress) -> list[_Target]:
    """The same targets among fewer keys, by one more pass."""
    bins = _bins(len(targets))
    grids = [grid_between(target.low, target.high, bins) for target in targets]
    counts = np.zeros((len(targets), bins), np.int64)
    finding = _IntoParts(targets, grids)
    for chunk, found in passing(trials, finding):
        counts[finding.seeing(chunk)] += found
        progress(chunk)
    found_targets = []
    for target, grid, reached in zip(targets, grids, np.cumsum(counts, axis=1), strict=True):
        # The bin that holds the target's last key may reach beyond it, where far more values may lie.
        inside = np.minimum(reached, target.below + target.within)
        finer = _target(target.wanted, target.scope, target.rank, grid, inside)
        found_targets.append(replace(finer, high=min(finer.high, target.high)))
    return found_targets


@dataclass(frozen=True)
class _Collecting:
    """Keeps what lies in the bins of the targets that a chunk is among the trials of, by row, and sums what lies beyond their
    edges where a tail is wanted: of a replicate's targets, then of the pooled ones, exactly.

    divided  whether the targets' keys are narrower than the bins of the grids
    """

    grids: dict[int, Grid]
    of_scope: dict[int, list[_Target]]
    divided: bool

    def tails(self, scope: int) -> list[_Target]:
        """Those of a scope whose tail is wanted."""
        return [target for target in self.of_scope[scope] if target.wanted.tail]

    def of(self, chunk: Chunk, results: Array) -> tuple[dict[int, Array], Counts]:
        ranges: dict[int, set[tuple[int, int]]] = {}
        for target in (*self.of_scope[chunk.replicate], *self.of_scope[POOLED]):
            if target.low < target.high:
                ranges.setdefault(target.wanted.row, set()).add((target.low, target.high))
        values, room = {}, np.empty(chunk.count)
        for row, among in ranges.items():
            grid = self.grids[row]
            flags = np.zeros(grid.bins, np.bool_)
            for low, high in among:
                flags[grid.bin_of(low):grid.bin_of(high) + 1] = True
            found = grid.pick(results[row], flags, room)
            values[row] = _among(found, among) if self.divided else found.copy()
        tails = (*self.tails(chunk.replicate), *self.tails(POOLED))
        limbs = np.zeros((len(tails), LIMBS), np.int64)
        for target, line in zip(tails, limbs, strict=True):
            add_beyond(results[target.wanted.row], target.edge, target.wanted.tail == "high", line)
        return values, limbs

    def joined(self, parts: Sequence[tuple[dict[int, Array], Counts]]) -> tuple[dict[int, Array], Counts]:
        values = {row: np.concatenate([kept[row] for kept, _ in parts]) for row in parts[0][0]}
        return values, _sum([limbs for _, limbs in parts])


def _collect(passing: Passing, trials: Trials, grids: dict[int, Grid], targets: list[_Target], divided: bool,
             progress: Progress) -> dict[Wanted, Selected]:
    """The last pass: what lies in the targets' bins is kept and sorted."""
    replicates, each = trials.simulation.replicates, trials.simulation.trials_per_replicate
    of_scope: dict[int, list[_Target]] = {}
    for target in targets:
        of_scope.setdefault(target.scope, []).append(target)
    collecting = _Collecting(grids, of_scope, divided)
    tails_of = {scope: collecting.tails(scope) for scope in of_scope}
    kept: dict[tuple[int, int], list[Array]] = {}  # by row and replicate
    beyond = np.zeros((replicates, len(tails_of[0]) + len(tails_of[POOLED]), LIMBS), np.int64)
    for chunk, (values, limbs) in passing(trials, collecting):
        for row, found in values.items():
            kept.setdefault((row, chunk.replicate), []).append(found)
        beyond[chunk.replicate] = carried(beyond[chunk.replicate]) + limbs
        progress(chunk)
    chosen: dict[Wanted, list[tuple[float, float]]] = {}
    for scope, found_targets in of_scope.items():
        within = range(replicates) if scope == POOLED else [scope]
        ordered = {row: np.sort(np.concatenate([*(part for replicate in within for part in kept.get((row, replicate), [])), []]))
                   for row in grids}
        for target in found_targets:
            total = 0
            if target.wanted.tail:
                place = tails_of[scope].index(target) + (len(tails_of[0]) if scope == POOLED else 0)
                total = sum(sum_of_limbs(beyond[replicate, place]) for replicate in within)
            row = target.wanted.row
            chosen.setdefault(target.wanted, []).append(_finish(target, ordered[row], total, each * len(within)))
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


def _finish(target: _Target, kept: Array, beyond: int, n: int) -> tuple[float, float]:
    """The order statistic of a target among n values, and the mean of the tail beyond it (NaN where not wanted).

    kept     float64, ascending: values of the target's row and scope, all those among its keys and perhaps others
    beyond   the exact sum of the values in the tail beyond the target's keys
    """
    want, position = target.wanted, target.rank - target.below - 1
    if target.low == target.high:  # ties, perhaps of all trials
        edge = float(value_of(target.low))
        tail = exact(edge) * (target.within - position - 1 if want.tail == "high" else position)
    else:
        first = int(kept.searchsorted(value_of(target.low)))
        values = kept[first:first + target.within]
        edge = float(values[position])
        tail = exact_sum(values[position + 1:] if want.tail == "high" else values[:position]) if want.tail else 0
    return edge, float(tail_mean(want, edge, rounded(beyond + tail), target.rank, n)) if want.tail else math.nan


def tail_mean(want: Wanted, edge: Any, beyond: Any, rank: int, n: int) -> Any:
    """The mean of the tail from a quantile on: the boundary trial counts with the fraction by which it reaches into the tail.

    edge, beyond  the quantile, the order statistic of a rank among n values, and the sum of the values beyond; or arrays of such
    """
    if want.tail == "high":
        return (beyond + (rank - n * want.p) * edge) / (n * (1 - want.p))
    return (beyond + (n * want.p - rank + 1) * edge) / (n * want.p)
