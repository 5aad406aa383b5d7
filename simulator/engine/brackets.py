"""Values of which only those in some brackets are kept, and the others counted: enough to find order statistics exactly.

A bracket is a range of values in which an order statistic is sought. Kept and counted are exchanged freely as brackets get
narrower, and sums of what is not kept are exact, so no answer depends on when and how that was done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine.grids import Grid, grid_about, keys_of
from simulator.engine.sums import exact, exact_sum, sum_of_limbs
from simulator.kernels.accumulators import sort_by_buckets, sort_into_places

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

STANDARD_ERRORS = 5.0  # of a rank, between a bracket's middle and its ends: 6e-7 of order statistics lie outside
_GUIDE_BINS = 1024


@dataclass(frozen=True)
class Tail:
    """The quantile (by its position) beyond which a sum is wanted, and on which side."""

    quantile: int
    high: bool


@dataclass(frozen=True)
class Brackets:
    """The brackets of one row, and the places into which they and their gaps divide its values.

    low, high  float64[quantiles], both inside
    cuts       float64[places], rising, ∞ last: place k takes cuts[k − 1] < x ≤ cuts[k]
    keep       int64[places]: 1 where values are kept
    add        int64[places]: 1 where values are not kept, and lie beyond the tail's bracket: there they are summed
    single     places of a single double: their values are known without being kept, perhaps ties of all trials
    """

    low: Array
    high: Array
    cuts: Array
    keep: Counts
    add: Counts
    single: Flags
    grid: Grid
    guide: np.ndarray[Any, np.dtype[np.uint8]]

    @classmethod
    def of(cls, low: Array, high: Array, tied: tuple[Flags, Flags], tail: Tail | None) -> Brackets:
        """tied: which ends of the brackets, the low ones and the high ones, are the value of many trials: they get a place."""
        ends = [np.nextafter(low, -np.inf), high, low[tied[0]], np.nextafter(high[tied[1]], -np.inf), np.array([np.inf])]
        cuts = np.unique(np.concatenate(ends)) + 0.0  # no −0, which would be cut from 0
        with np.errstate(over="ignore"):
            single = np.nextafter(np.concatenate([[-np.inf], cuts[:-1]]), np.inf) == cuts
        inside = ((low[:, None] <= cuts) & (cuts <= high[:, None])).any(axis=0)
        beyond = np.zeros(cuts.size, np.bool_)
        if tail:
            beyond = cuts > high[tail.quantile] if tail.high else cuts < low[tail.quantile]
        finite = cuts[np.isfinite(cuts)]
        grid = grid_about(finite, _GUIDE_BINS) if finite.size else Grid(0, 63, _GUIDE_BINS)
        bins = np.array([grid.bin_of(int(key)) for key in keys_of(cuts)])
        guide = bins.searchsorted(np.arange(_GUIDE_BINS)).astype(np.uint8)
        return cls(low, high, cuts, (inside & ~single).astype(np.int64), (beyond & ~inside & ~single).astype(np.int64),
                   single, grid, guide)

    @classmethod
    def everything(cls, quantiles: int, tail: Tail | None) -> Brackets:
        """Brackets that hold all values."""
        none = np.zeros(quantiles, np.bool_)
        return cls.of(np.full(quantiles, -np.inf), np.full(quantiles, np.inf), (none, none), tail)

    def sort(self, values: Array, counts: Counts, limbs: Counts, room: Array) -> Array:
        """Add to the counts int64[places] and the exact sum int64[LIMBS]; returns what is kept. room: float64[2, n]."""
        kept = sort_into_places(values, np.uint64(self.grid.low), self.grid.shift, self.grid.per_unit, self.guide, self.cuts,
                                self.keep, self.add, counts, room, limbs)
        return room[0, :kept].copy()


@dataclass(frozen=True)
class Summary:
    """Some values of one row.

    kept       float64, ascending
    at         float64[lumps]: the last value that a lump of values not kept may have
    counts     int64[lumps]
    single     bool[lumps]: all of a lump's values are `at`
    beyond     exact sum of the lumps that are not single and lie beyond the tail's bracket
    low, high  float64[quantiles]: the brackets in which every value is kept, or single
    """

    kept: Array
    at: Array
    counts: Counts
    single: Flags
    beyond: int
    low: Array
    high: Array

    @property
    def size(self) -> int:
        """How many values it stands for."""
        return self.kept.size + int(self.counts.sum())

    def ordered(self, ranks: Counts) -> Array:
        """The order statistics of some ranks, from 1 to `size`; right where they lie in brackets."""
        order = np.argsort(self.at, kind="stable")
        at, counts = self.at[order], self.counts[order]
        lumped, kept = np.cumsum(counts), self.kept.searchsorted(at, "right")
        lump = (lumped + kept).searchsorted(ranks)  # the first one up to which a rank is reached: in it, or before
        position = ranks - 1 - (lumped - counts)[lump]
        found = at[lump]
        before = position < kept[lump]
        found[before] = self.kept[position[before]]
        return found

    def tail_sum(self, tail: Tail, edge: float, rank: int) -> int:
        """The exact sum of the values ranked beyond an order statistic, of which value and rank are given."""
        first, last = (int(self.kept.searchsorted(edge, side)) for side in ("left", "right"))
        if tail.high:
            kept, lumps = self.kept[last:], self.at > edge
            ties = last + int(self.counts[self.at <= edge].sum()) - rank
        else:
            kept, lumps = self.kept[:first], self.at < edge
            ties = rank - 1 - first - int(self.counts[self.at < edge].sum())
        return self.beyond + exact_sum(kept) + self._of_singles(lumps) + ties * exact(edge)

    def within(self, brackets: Brackets) -> Summary:
        """The same with no more kept than brackets ask for."""
        ends = self.kept.searchsorted(brackets.cuts, "right")
        starts = np.concatenate([[0], ends[:-1]])
        places = brackets.cuts.searchsorted(self.at)
        stay = brackets.keep[places] > 0
        counts = np.where(brackets.keep, 0, ends - starts)
        np.add.at(counts, places[~stay], self.counts[~stay])
        beyond = self.beyond
        if brackets.add.any():
            beyond += exact_sum(self._slices(starts, ends, brackets.add)) + self._of_singles(brackets.add[places] > 0)
        return Summary(self._slices(starts, ends, brackets.keep), np.concatenate([brackets.cuts, self.at[stay]]),
                       np.concatenate([counts, self.counts[stay]]), np.concatenate([brackets.single, self.single[stay]]), beyond,
                       np.maximum(brackets.low, self.low), np.minimum(brackets.high, self.high))

    def brackets(self, shares: tuple[Array, Array], error: float, tail: Tail | None) -> Brackets:
        """Brackets in which quantiles of other trials, or of more, will lie, judging by these.

        shares  float64[quantiles] each: the lowest and the highest share of trials below the order statistics sought
        error   √(1/n ± 1/m), n here and m there: the standard error of a share p, over √(p (1 − p))
        """
        low, low_tied = self._end(shares[0], error, -1)
        high, high_tied = self._end(shares[1], error, 1)
        return Brackets.of(np.maximum(low, self.low), np.minimum(high, self.high), (low_tied, high_tied), tail)

    def _end(self, share: Array, error: float, side: int) -> tuple[Array, Flags]:
        """Ends of brackets on one side, the low one (−1) or the high one (1), and which of them are ties."""
        n = self.size
        # The second term is for the far tails, where few trials are no normal number.
        slack = STANDARD_ERRORS * error * np.sqrt(share * (1 - share)) + (STANDARD_ERRORS * error) ** 2
        ranks = np.rint(n * (share + side * slack)) + side
        ends, before, after = (self.ordered(np.clip(ranks + more, 1, n).astype(np.int64)) for more in (0, -1, 1))
        outside = (ranks < 1) | (ranks > n)
        tied = ((before == ends) | (ends == after)) & ~outside & np.isfinite(ends)
        return np.where(outside, side * math.inf, ends), tied

    def _slices(self, starts: Counts, ends: Counts, flags: Counts) -> Array:
        return np.concatenate([*(self.kept[starts[place]:ends[place]] for place in np.flatnonzero(flags)), []])

    def _of_singles(self, lumps: Flags) -> int:
        """The exact sum of those among some lumps whose values are known."""
        chosen = np.flatnonzero(lumps & self.single & (self.counts > 0))
        return sum(exact(at) * int(count) for at, count in zip(self.at[chosen], self.counts[chosen], strict=True))


def merged(parts: Sequence[Summary]) -> Summary:
    """All values of some summaries."""
    if len(parts) == 1:
        return parts[0]
    return Summary(ascending([part.kept for part in parts]), np.concatenate([part.at for part in parts]),
                   np.concatenate([part.counts for part in parts]), np.concatenate([part.single for part in parts]),
                   sum(part.beyond for part in parts), np.max([part.low for part in parts], axis=0),
                   np.min([part.high for part in parts], axis=0))


def summarised(brackets: Brackets, kept: Sequence[Array], counts: Counts, limbs: Counts) -> Summary:
    """What `Brackets.sort` has found of some chunks."""
    return Summary(ascending(kept), brackets.cuts, np.where(brackets.keep, 0, counts), brackets.single,
                   sum_of_limbs(limbs), brackets.low, brackets.high)




def ascending(parts: Sequence[Array]) -> Array:
    """The finite values of some arrays, sorted."""
    values = np.concatenate(parts)
    ordered = np.empty_like(values)
    return ordered if values.size and sort_by_buckets(values, ordered) else np.sort(values)
