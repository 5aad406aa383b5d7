"""Exact percentiles of a run of any size, in little memory and from one look at each trial.

The first trials are kept whole. They tell within which brackets the wanted order statistics will lie, all but surely: by the
binomial spread of ranks, which balanced points keep within. From there on values outside are only counted. Each replicate's
order statistics are read when it is complete; the brackets of all replicates together get narrower as trials go by. Should an
order statistic lie outside its bracket all the same, it is left to `selection`, which looks at all trials again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from simulator.analysis.intervals import quantile_rank
from simulator.engine.brackets import STANDARD_ERRORS, Brackets, Summary, Tail, merged, summarised
from simulator.engine.passes import Passing, in_threads
from simulator.engine.selection import Progress, Selected, Wanted, select, tail_mean
from simulator.engine.sums import carried, rounded
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.accumulators import LIMBS

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

_FIRST = 1 << 16  # trials that are kept whole
_LONGER = 4  # the next look at the brackets, within the first replicate, is after so many times as many
_LEAST_KEPT, _MOST_KEPT, _TIMES_EXPECTED = 1 << 23, 1 << 27, 4  # values; with more to keep, a run is left to `selection`
_SPARE = 1 << 18  # values that may come in before the brackets of all replicates are made narrower


@dataclass
class Gathered:
    """What one set of brackets (one of each row, known by its number) has found of a replicate."""

    brackets: int
    counts: list[Counts]
    limbs: Counts
    kept: list[list[Array]]

    def summaries(self, brackets: tuple[Brackets, ...]) -> list[Summary]:
        return [summarised(*found) for found in zip(brackets, self.kept, self.counts, self.limbs, strict=True)]

    def add(self, other: Gathered) -> None:
        self.limbs = carried(self.limbs) + other.limbs
        for kept, counts, more_kept, more_counts in zip(self.kept, self.counts, other.kept, other.counts, strict=True):
            kept += more_kept
            counts += more_counts


@dataclass(frozen=True)
class Sorting:
    """What is to be found of any chunk, wherever that is done: which rows, by which brackets, and their number."""

    rows: tuple[int, ...]
    brackets: tuple[Brackets, ...]
    number: int

    def of(self, results: Array) -> Gathered:
        """What one chunk's results give."""
        counts = [np.zeros(row.cuts.size, np.int64) for row in self.brackets]
        limbs, room = np.zeros((len(self.brackets), LIMBS), np.int64), np.empty((2, results.shape[1]))
        kept = [[brackets.sort(results[row], *found, room)]
                for row, brackets, found in zip(self.rows, self.brackets, zip(counts, limbs, strict=True), strict=True)]
        return Gathered(self.number, counts, limbs, kept)

    def joined(self, parts: Sequence[Gathered]) -> Gathered:
        """What several chunks gave."""
        counts = [np.sum(of_row, axis=0) for of_row in zip(*(part.counts for part in parts), strict=True)]
        kept = [[np.concatenate([*chain.from_iterable(of_row)])] for of_row in zip(*(part.kept for part in parts), strict=True)]
        return Gathered(self.number, counts, np.sum([part.limbs for part in parts], axis=0), kept)


class _Row:
    """What is wanted of a row, and found so far."""

    def __init__(self, wanted: list[Wanted], replicates: int, each: int) -> None:
        n = replicates * each
        self.row, self.wanted = wanted[0].row, wanted
        self.ranks_each = np.array([quantile_rank(each, want.p) for want in wanted])
        self.ranks = [(quantile_rank(n, want.p), *want.more_ranks) for want in wanted]
        self.shares = (np.array([min(ranks) / n for ranks in self.ranks]), np.array([max(ranks) / n for ranks in self.ranks]))
        self.tail = next((Tail(position, want.tail == "high") for position, want in enumerate(wanted) if want.tail), None)
        self.by_replicate = np.full((replicates, len(wanted)), np.nan)
        self.tails = np.full(replicates, np.nan)
        self.parts: list[Summary] = []  # of the replicates that are complete
        self.pooled = self.everything = Brackets.everything(len(wanted), self.tail)

    def close(self, replicate: int, summary: Summary) -> None:
        """Read the order statistics of a replicate, and add it to the others."""
        edges = summary.ordered(self.ranks_each)
        missed = (edges < summary.low) | (edges > summary.high)
        self.by_replicate[replicate] = np.where(missed, np.nan, edges)
        if self.tail:
            self.tails[replicate] = self._tail_mean(summary, edges, self.ranks_each)
        self.parts.append(summary.within(self.pooled) if self.pooled is not self.everything else summary)

    def narrow(self, n: int) -> None:
        """Keep no more than the order statistics of all n trials may need."""
        summary = merged(self.parts)
        error = math.sqrt(max(1 / summary.size - 1 / n, 0.0))
        self.pooled = summary.brackets(self.shares, error, self.tail)
        self.parts = [summary.within(self.pooled)]

    def select(self) -> dict[Wanted, Selected]:
        """What was found; without what was missed."""
        summary, found = merged(self.parts), {}
        edges = [summary.ordered(np.array(ranks)) for ranks in self.ranks]
        for position, (want, values) in enumerate(zip(self.wanted, edges, strict=True)):
            by_replicate = self.by_replicate[:, position].copy()
            inside = (summary.low[position] <= values) & (values <= summary.high[position])
            if inside.all() and np.isfinite(by_replicate).all():
                tail, tails = math.nan, np.full(len(by_replicate), math.nan)
                if self.tail and self.tail.quantile == position:
                    firsts = np.array([of_quantile[0] for of_quantile in edges])
                    tail, tails = self._tail_mean(summary, firsts, np.array([ranks[0] for ranks in self.ranks])), self.tails
                found[want] = Selected(float(values[0]), by_replicate, tuple(map(float, values[1:])), tail, tails)
        return found

    def _tail_mean(self, summary: Summary, edges: Array, ranks: Counts) -> float:
        assert self.tail is not None
        edge, rank = float(edges[self.tail.quantile]), int(ranks[self.tail.quantile])
        if not math.isfinite(edge):  # missed
            return math.nan
        beyond = rounded(summary.tail_sum(self.tail, edge, rank))
        return float(tail_mean(self.wanted[self.tail.quantile], edge, beyond, rank, summary.size))


class OnePass:
    """The quantiles of ranked rows. Shared with whoever sees every trial once, and adds the chunks in their order."""

    def __init__(self, wanted: Sequence[Wanted], replicates: int, each: int) -> None:
        """wanted: with at most one tail to a row; each: trials in a replicate."""
        self.wanted, self._n, self._each = wanted, replicates * each, each
        of_row: dict[int, list[Wanted]] = {}
        for want in wanted:
            of_row.setdefault(want.row, []).append(want)
        self._rows = [_Row(of_this, replicates, each) for of_this in of_row.values()]
        self._brackets = [tuple(row.everything for row in self._rows)]  # all that ever were, the last ones in use
        self._gathered: list[Gathered] = []  # of the replicate that is not yet complete
        self._begun: list[Summary] = []  # of it too: the rows as they were when brackets were last looked at
        self._seen, self._look, self._held, self._kept = 0, _FIRST, 0, 0
        self._most_kept = _most_kept(wanted, each)
        self._settled = self._given_up = False

    @property
    def ahead(self) -> float:
        """How many trials may be looked at by the brackets known now, beyond those added, before too much is kept of them."""
        return math.inf if self._settled or self._given_up else max(_LONGER * self._seen, _FIRST)

    def sorting(self) -> Sorting | None:
        """How a chunk is to be looked at, by what is known now; None where nothing more is wanted of it."""
        if self._given_up:
            return None
        return Sorting(tuple(row.row for row in self._rows), self._brackets[-1], len(self._brackets) - 1)

    def see(self, _: Chunk, results: Array) -> Gathered | None:
        """What one chunk gives, by the brackets that are known now."""
        sorting = self.sorting()
        return sorting.of(results) if sorting else None

    def add(self, chunk: Chunk, found: Gathered | None) -> None:
        if found is None or self._given_up:
            return
        self._seen += chunk.count
        self._kept += sum(kept[0].size for kept in found.kept)
        gathered = next((other for other in self._gathered if other.brackets == found.brackets), None)
        if gathered:
            gathered.add(found)
        else:
            self._gathered.append(found)
        complete = chunk.first + chunk.count == self._each
        if complete:
            self._close(chunk.replicate)
        if not self._settled and self._seen >= self._look and (complete or chunk.replicate == 0):
            self._look_at_brackets(complete)
        if self._kept > self._most_kept:
            self._given_up = True
            self._gathered, self._begun = [], []

    def select(self, trials: Trials, progress: Progress, passing: Passing = in_threads) -> dict[Wanted, Selected]:
        """The wanted quantiles; what lies outside its bracket is found by further passes over the trials."""
        found: dict[Wanted, Selected] = {}
        if not self._given_up:
            for row in self._rows:
                found |= row.select()
        missed = [want for want in self.wanted if want not in found]
        if missed:
            found |= select(trials, missed, progress, passing)
        return {want: found[want] for want in self.wanted}

    def _summaries(self) -> list[Summary]:
        """Each row of the replicate that is not yet complete."""
        parts = [gathered.summaries(self._brackets[gathered.brackets]) for gathered in self._gathered]
        parts += [self._begun] if self._begun else []
        self._gathered, self._begun = [], []
        return [merged(of_row) for of_row in zip(*parts, strict=True)]

    def _close(self, replicate: int) -> None:
        for row, summary in zip(self._rows, self._summaries(), strict=True):
            row.close(replicate, summary)
        self._count_kept()
        if self._settled and self._kept > 2 * self._held + _SPARE:
            self._narrow()

    def _look_at_brackets(self, complete: bool) -> None:
        """Make the brackets of what comes by all that is seen: all of a replicate that is begun, or replicates complete."""
        if complete:
            for row in self._rows:
                row.parts = [merged(row.parts)]
        known = [row.parts[0] for row in self._rows] if complete else self._summaries()
        error = math.sqrt(1 / self._seen + 1 / self._each)
        brackets = tuple(summary.brackets(row.shares, error, row.tail) for row, summary in zip(self._rows, known, strict=True))
        self._brackets.append(brackets)
        self._look *= _LONGER
        self._settled = complete
        if complete:
            self._narrow()
        else:
            self._begun = [summary.within(narrower) for summary, narrower in zip(known, brackets, strict=True)]
            self._count_kept()

    def _narrow(self) -> None:
        for row in self._rows:
            row.narrow(self._n)
        self._count_kept()
        self._held = self._kept

    def _count_kept(self) -> None:
        self._kept = sum(part.kept.size for row in self._rows for part in row.parts) + sum(part.kept.size for part in self._begun)


def _most_kept(wanted: Sequence[Wanted], each: int) -> int:
    """How many values may be kept: a few times what brackets that judge by as many trials as a replicate has should hold."""
    widths = (2 * STANDARD_ERRORS * math.sqrt(2 * each * want.p * (1 - want.p)) for want in wanted)
    return min(max(_LEAST_KEPT, int(_TIMES_EXPECTED * sum(widths))), _MOST_KEPT)
