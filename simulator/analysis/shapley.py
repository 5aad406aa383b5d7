"""Shapley effects from pick-freeze samples: what an output owes to each input, also where inputs depend on one another.

A game says what each set u of known inputs is worth, v(u); a Shapley effect is what an input adds to the sets before it, over
all orders in which inputs may become known, so that effects add up to v(all). Two games are played on the same samples, in
which Y^u keeps the inputs in u and draws the others anew, given those:

variance  v(u) = Var E[Y | inputs in u] = Cov(Y, Y^u) = E[½ (Y − Y^∅)²] − E[½ (Y − Y^u)²], up to v(all) = Var Y
tail      v(u) = E[Y^u − Y^∅ | Y at or above its 95th percentile], up to v(all) = expected shortfall less the mean

Sources: Song, Nelson and Staum, SIAM/ASA Journal on Uncertainty Quantification 4 (2016), 1060–1083; Goda, Reliability
Engineering and System Safety 207 (2021), 107323; Plischke, Rabitti and Borgonovo, SIAM/ASA JUQ 9 (2021). Two orders at a time,
each the other's reverse: Mitchell, Cooper, Frank and Holmes, Journal of Machine Learning Research 23 (2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, quantile_rank, ratio_of_sums, sectioning
from simulator.analysis.sobol_indices import is_constant

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
TAIL = 0.95
_ROUNDING = 1e-9  # how far from 1 sums of shares may come by rounding


@dataclass(frozen=True)
class Effects:
    """What a game is worth with all inputs known, and each input's share of it; shares sum to one."""

    whole: Estimate
    shares: tuple[Estimate, ...]


def of_subsets(outputs: Array, inputs: int, tail: bool = False) -> Effects | None:
    """Effects from the worth of every set of inputs; None where the output is constant.

    outputs  float64[2^inputs, replicates, n]: Y^u for the sets u of which bit i says whether input i is in it
    """
    whole = outputs[-1]
    if is_constant(whole):
        return None
    game = _Game(whole, tail)
    worth = np.array([game.distance(outputs[0]) - game.distance(output) for output in outputs])
    sets = np.arange(1 << inputs)
    sizes = np.array([int(u).bit_count() for u in sets])
    weights = np.array([1.0 / (inputs * math.comb(inputs - 1, size)) for size in range(inputs)])
    gains = np.zeros((inputs, len(whole)))
    for i in range(inputs):
        without = sets[sets & (1 << i) == 0]
        gains[i] = weights[sizes[without]] @ (worth[without | (1 << i)] - worth[without])
    return _shares(gains, worth[-1])


def of_walks(outputs: Array, orders: Ints, tail: bool = False) -> Effects | None:
    """Effects from walks on which inputs become known one by one; None where the output is constant.

    outputs  float64[1 + inputs, replicates, n]: Y^u where the first 0, 1, … inputs of an order are in u
    orders   int64[replicates, walks, inputs]: the order of each walk; walks share the n trials of a replicate equally
    """
    steps, replicates, n = outputs.shape
    whole = outputs[-1]
    if is_constant(whole):
        return None
    walks, inputs = orders.shape[1:]
    game = _Game(whole, tail)
    gains = np.zeros((inputs, replicates))
    total = np.zeros(replicates)
    by_replicate = np.arange(replicates)
    before = game.distances(outputs[0])
    first = before
    for step in range(1, steps):
        after = game.distances(outputs[step])
        gained = (before - after).reshape(replicates, walks, n // walks).mean(axis=2) / walks
        for walk in range(walks):
            gains[orders[:, walk, step - 1], by_replicate] += gained[:, walk]
        before = after
    total[:] = (first - before).mean(axis=1)
    return _shares(gains, total)


class _Game:
    """How far from the whole output an output lies, trial by trial, such that a set is worth what it takes off that of ∅."""

    def __init__(self, whole: Array, tail: bool) -> None:
        self._whole = whole
        self._in_tail: Array | None = None
        if tail:
            rank = quantile_rank(whole.size, TAIL)
            threshold = np.partition(whole, rank - 1, axis=None)[rank - 1]
            chosen = whole >= threshold
            self._in_tail = chosen / chosen.mean()

    def distances(self, output: Array) -> Array:
        """float64[replicates, n]."""
        moved = self._whole - output
        return 0.5 * moved * moved if self._in_tail is None else moved * self._in_tail

    def distance(self, output: Array) -> Array:
        """Its mean in each replicate, float64[replicates]."""
        found: Array = self.distances(output).mean(axis=1)
        return found


def _shares(gains: Array, whole: Array) -> Effects:
    """Shares of gains float64[inputs, replicates] in their sums float64[replicates]."""
    shares = tuple(ratio_of_sums(gain, whole) for gain in gains)
    total = math.fsum(share.value for share in shares)
    assert abs(total - 1.0) < _ROUNDING, f"Shapley effects sum to {total}"
    return Effects(sectioning(whole.mean(), whole), shares)
