"""How often, and by how much, platforms' costs exceed given levels: what stochastic dominance compares, in constant memory.

Every platform's own levels are laid by a pilot block; each platform is counted over the levels of all, once. A pair is then
compared at the levels of its two platforms, so that no other platform has a part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.dominance import largest_violation
from simulator.analysis.intervals import Estimate, smallest_probability
from simulator.engine.sums import Node, TreeSum, joined, nodes_of
from simulator.engine.trials import Chunk
from simulator.kernels.accumulators import count_and_sum
from simulator.kernels.trajectories import BLOCK

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

_QUANTILES = 64  # of the pilot block, among a platform's levels
_BEYOND = 8  # levels on either side of the pilot, to twice as far from its median


@dataclass(frozen=True)
class Exceeded:
    """One chunk, of every platform: counts int64[platforms, bins], and sums by bin."""

    counts: Counts
    sums: list[Node]


@dataclass(frozen=True)
class Counting:
    """What is to be counted of any chunk, wherever that is done: the rows of the costs, and levels with as many bins."""

    rows: tuple[int, ...]
    levels: Array

    def of(self, results: Array) -> Exceeded:
        """Counts and sums of one chunk's results."""
        counts = np.zeros((len(self.rows), len(self.levels) + 1), np.int64)
        sums = np.zeros((-(-results.shape[1] // BLOCK), *counts.shape))
        for position, row in enumerate(self.rows):
            count_and_sum(results[row], self.levels, BLOCK, counts[position], sums[:, position])
        return Exceeded(counts, nodes_of(sums))

    def joined(self, parts: Sequence[Exceeded]) -> Exceeded:
        """Counts and sums of consecutive chunks."""
        return Exceeded(np.sum([part.counts for part in parts], axis=0), joined(part.sums for part in parts))


class Exceedances:
    """Costs counted and summed between levels, by replicate."""

    def __init__(self, rows: list[int], pilot: Array, replicates: int, each: int) -> None:
        """rows: of the platforms' costs in the results; pilot float64[rows of results, n]; each: trials in a replicate."""
        self.each = each
        self.own = [levels_about(pilot[row]) for row in rows]
        self.levels = padded(np.unique(np.concatenate(self.own)))
        self.counting = Counting(tuple(rows), self.levels)
        self._counts = np.zeros((replicates, len(rows), 1 + len(self.levels)), np.int64)
        self._sums = [TreeSum() for _ in range(replicates)]

    def add(self, chunk: Chunk, found: Exceeded) -> None:
        self._counts[chunk.replicate] += found.counts
        self._sums[chunk.replicate].add(found.sums)

    def violations(self, this: int, that: int) -> tuple[Estimate, Estimate]:
        """By how much one platform's cost (by its position) misses dominating another's at first and at second order."""
        at = np.searchsorted(self.levels, np.union1d(self.own[this], self.own[that]))
        (often, much), (other_often, other_much) = (self._exceeding(platform, at) for platform in (this, that))
        unseen = smallest_probability(self.each * len(self._sums))
        return largest_violation(often, other_often, unseen, 1.0), largest_violation(much, other_much)

    def _exceeding(self, platform: int, at: Counts) -> tuple[Array, Array]:
        """P(cost > x) at some levels; E[(cost − x)⁺] at them, after E[cost], to which it tends for low x.

        float64[replicates, levels chosen] and [replicates, 1 + levels chosen]
        """
        counts = self._counts[:, platform]
        sums = np.array([total.total()[platform] for total in self._sums])
        above, summed = (np.cumsum(of_bins[:, ::-1], axis=1)[:, ::-1] for of_bins in (counts, sums))
        often = above[:, at + 1] / self.each
        much = np.maximum(summed[:, at + 1] - self.levels[at] * above[:, at + 1], 0.0) / self.each
        return often, np.concatenate([summed[:, :1] / self.each, much], axis=1)


def padded(levels: Array) -> Array:
    """Rising levels, float64[n], followed by ∞ up to a number of them that `count_and_sum` takes: float64[2^k − 1]."""
    bins = 1 << len(levels).bit_length()
    return np.concatenate([levels, np.full(bins - 1 - len(levels), np.inf)])


def levels_about(values: Array) -> Array:
    """Levels at which a cost is looked at, of which some values are known: rising, float64[≤ 2 + quantiles + 2 · beyond].

    Quantiles, the point just below the lowest (so that a cost that is certain is seen on both sides), and levels beyond both
    ends: even in the logarithm where all values are positive.
    """
    ordered = np.sort(values)
    inner = ordered[np.unique(np.linspace(0, len(ordered) - 1, _QUANTILES).astype(np.int64))]
    positive = bool(ordered[0] > 0)
    scores = np.log(ordered) if positive else ordered
    middle, share = scores[len(scores) // 2], np.arange(1, _BEYOND + 1) / _BEYOND
    outer = np.concatenate([[], *(end + share * (end - middle) for end in (scores[0], scores[-1]) if end != middle)])
    with np.errstate(over="ignore"):
        found = np.concatenate([inner, [np.nextafter(ordered[0], -np.inf)], np.exp(outer) if positive else outer])
    return np.unique(found[np.isfinite(found)])
