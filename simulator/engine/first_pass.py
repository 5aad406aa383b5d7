"""The one look at every trial of a run: what is to be found of a chunk, and what all chunks come to.

What is found of a chunk depends on the chunk and on a small `Look` alone, so that it may be found anywhere; chunks are added in
their order, so that the last digit does not depend on where that was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.engine.estimates import Moments
from simulator.engine.exceedances import Counting, Exceedances, Exceeded
from simulator.engine.selection_in_memory import Keeping
from simulator.engine.selection_in_one_pass import Gathered, OnePass, Sorting
from simulator.engine.sums import Node, TreeSum, joined, nodes_of
from simulator.engine.trials import Chunk
from simulator.kernels.accumulators import SUM, SUM_OF_SQUARES, block_moments
from simulator.kernels.trajectories import BLOCK

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Seen:
    """What one chunk gives.

    trials          how many
    wrong           its first trial with a result that is not finite, and the results of that trial; else −1 and None
    nodes           sums of every row about the centres, and of their squares
    ends            least and greatest of every row, float64[rows, 2]
    ranked          what the ranking has found, None where it keeps; exceeded: what was counted
    """

    trials: int
    wrong: int
    results: Array | None
    nodes: list[Node]
    ends: Array
    ranked: Gathered | None
    exceeded: Exceeded | None


@dataclass(frozen=True)
class Look:
    """What is to be found of a chunk. It is small, and may be sent to where the chunk is simulated.

    centres  float64[rows]: what sums are taken about
    ranking  how ranked rows are looked at: by brackets, or by being kept where they lie
    """

    centres: Array
    ranking: Sorting | Keeping | None
    counting: Counting | None

    def of(self, chunk: Chunk, results: Array) -> Seen:
        """What one chunk's results, float64[rows, count], give."""
        count = len(results)
        blocks = np.empty((-(-chunk.count // BLOCK), count, 2))
        ends = np.tile([np.inf, -np.inf], (count, 1))
        wrong = block_moments(results, self.centres, BLOCK, blocks, ends)
        ranked = None
        if isinstance(self.ranking, Keeping):
            self.ranking.see(chunk, results)
        elif self.ranking:
            ranked = self.ranking.of(results)
        return Seen(chunk.count, int(wrong), results[:, wrong].copy() if wrong >= 0 else None, nodes_of(blocks), ends, ranked,
                    self.counting.of(results) if self.counting else None)

    def joined(self, parts: Sequence[Seen]) -> Seen:
        """What consecutive chunks gave, as if they had been one."""
        before = 0
        for bad in parts:
            if bad.wrong >= 0:
                return replace(bad, wrong=before + bad.wrong)
            before += bad.trials
        low, high = np.moveaxis(np.array([part.ends for part in parts]), 2, 0)
        ranked = [part.ranked for part in parts if part.ranked]
        exceeded = [part.exceeded for part in parts if part.exceeded]
        return Seen(before, -1, None, joined(part.nodes for part in parts), np.stack([low.min(axis=0), high.max(axis=0)], axis=1),
                    self.ranking.joined(ranked) if isinstance(self.ranking, Sorting) else None,
                    self.counting.joined(exceeded) if self.counting else None)


class FirstPass:
    """What the chunks that were added come to."""

    def __init__(self, centres: Array, replicates: int, ranking: Keeping | OnePass, exceedances: Exceedances | None) -> None:
        """centres: float64[rows], what sums are taken about."""
        self.centres, self.ranking, self.exceedances = centres, ranking, exceedances
        self._sums = [TreeSum() for _ in range(replicates)]
        self._extremes = np.tile([np.inf, -np.inf], (len(centres), 1))
        self.added = 0  # trials

    def go_on_from(self, other: FirstPass) -> None:
        """Be where another one was."""
        self.__dict__.update(other.__dict__)

    def look(self) -> Look:
        """What is to be found of the next chunks, by what is known now."""
        return Look(self.centres, self.ranking if isinstance(self.ranking, Keeping) else self.ranking.sorting(),
                    self.exceedances.counting if self.exceedances else None)

    def add(self, chunk: Chunk, seen: Seen) -> None:
        """Add what the next chunk gave."""
        self._sums[chunk.replicate].add(seen.nodes)
        self._extremes[:, 0] = np.minimum(self._extremes[:, 0], seen.ends[:, 0])
        self._extremes[:, 1] = np.maximum(self._extremes[:, 1], seen.ends[:, 1])
        self.ranking.add(chunk, seen.ranked)
        if self.exceedances and seen.exceeded:
            self.exceedances.add(chunk, seen.exceeded)
        self.added += chunk.count

    def moments(self, each: int) -> list[Moments]:
        """Moments of every row; each: trials in a replicate."""
        totals = np.array([total.total() for total in self._sums])  # replicates, rows, 2
        return [_moments(totals[:, row], centre, self._extremes[row], each) for row, centre in enumerate(self.centres)]


def _moments(totals: Array, centre: float, extremes: Array, each: int) -> Moments:
    replicates = len(totals)
    offsets = totals[:, SUM] / each
    pooled = float(offsets.sum() / replicates)
    n = each * replicates
    squares = max(float(totals[:, SUM_OF_SQUARES].sum()) - n * pooled**2, 0.0)
    by_replicate = np.maximum(totals[:, SUM_OF_SQUARES] - each * offsets**2, 0.0)
    # One subtraction of nearly equal sums must not make a spread where there is none.
    if extremes[0] == extremes[1]:
        return Moments(float(extremes[0]), np.full(replicates, extremes[0]), 0.0, np.zeros(replicates), 0.0, 0.0,
                       float(extremes[0]), float(extremes[1]))
    mean = centre + pooled
    largest = float(np.max((extremes - mean) ** 2))
    return Moments(mean, centre + offsets, squares / (n - 1), by_replicate / (each - 1), squares, largest,
                   float(extremes[0]), float(extremes[1]))
