"""Exact percentiles of a run that is small enough to be kept: its results are sorted.

What `selection_in_one_pass` finds in little memory, with less to do where there is little.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from simulator.analysis.intervals import quantile_rank
from simulator.engine.brackets import ascending
from simulator.engine.passes import Passing
from simulator.engine.selection import Progress, Selected, Wanted, tail_mean
from simulator.engine.sums import exact_sum, rounded
from simulator.engine.trials import Chunk, Trials

Array = np.ndarray[Any, np.dtype[np.float64]]
_FEW = 1024  # values that are sorted as fast in one call for all replicates


class Keeping:
    """The results of all trials, of the ranked rows alone. Shared with whoever sees every trial once."""

    def __init__(self, wanted: list[Wanted], ranked: int, replicates: int, each: int) -> None:
        self.wanted = wanted
        self.results = np.empty((ranked, replicates, each))

    def see(self, chunk: Chunk, results: Array) -> None:
        """Keep one chunk; each writes to a place of its own."""
        self.results[:, chunk.replicate, chunk.first:chunk.first + chunk.count] = results[: len(self.results)]

    def add(self, chunk: Chunk, found: Any) -> None:
        """Nothing is left to put together."""

    def select(self, trials: Trials, progress: Progress, passing: Passing) -> dict[Wanted, Selected]:
        """The wanted quantiles; all that they need is kept, so that no trial is made again."""
        of_row: dict[int, list[Wanted]] = {}
        for want in self.wanted:
            of_row.setdefault(want.row, []).append(want)
        with ThreadPoolExecutor(trials.threads, thread_name_prefix="tco") as pool:
            found = pool.map(lambda row: _select(self.results[row], of_row[row]), of_row)
            return {want: pick for picks in found for want, pick in picks.items()}


def _select(results: Array, wanted: list[Wanted]) -> dict[Wanted, Selected]:
    """The quantiles of one row; results float64[replicates, each]."""
    replicates, each = results.shape
    sections = np.sort(results) if each < _FEW else np.array([ascending([section]) for section in results])
    n = results.size
    pooled = ascending([results.ravel()])
    found = {}
    for want in wanted:
        rank, rank_each = quantile_rank(n, want.p), quantile_rank(each, want.p)
        by_replicate = sections[:, rank_each - 1]
        edge = float(pooled[rank - 1])
        tail, tails = float("nan"), np.full(replicates, np.nan)
        if want.tail:
            high = want.tail == "high"
            beyond, beyond_each = (np.s_[rank:], np.s_[rank_each:]) if high else (np.s_[:rank - 1], np.s_[:rank_each - 1])
            tail = float(tail_mean(want, edge, rounded(exact_sum(pooled[beyond])), rank, n))
            sums = np.array([rounded(exact_sum(section[beyond_each])) for section in sections])
            tails = tail_mean(want, by_replicate, sums, rank_each, each)
        found[want] = Selected(edge, by_replicate.copy(), tuple(float(pooled[more - 1]) for more in want.more_ranks), tail, tails)
    return found
