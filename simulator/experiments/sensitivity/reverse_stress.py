"""Reverse stress: not what a bad future costs, but which futures the choice would lose in."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.boxes import FEWEST, find_box, inside
from simulator.analysis.intervals import Estimate, probability, sectioning
from simulator.analysis.jackknife import jackknife, without_each
from simulator.experiments.sensitivity.ranked_sample import RankedSample
from simulator.kernels.ranks import bin_positions

Array = np.ndarray[Any, np.dtype[np.float64]]
BINS = 64


@dataclass(frozen=True)
class Limit:
    """What a box asks of one input, in its unit: more than `low`, at most `high`, or both; of a price its mean over 60 months."""

    input: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Box:
    """A box found on one half of the replicates, and what the other half says of it.

    support   share of futures that lie in it
    density   share of those in which the winner loses
    coverage  share of all futures in which the winner loses that lie in it
    cheapest  by platform: how often it is the cheapest in the box
    """

    limits: tuple[Limit, ...]
    support: Estimate
    density: Estimate
    coverage: Estimate
    cheapest: Mapping[str, float]


@dataclass(frozen=True)
class ReverseStress:
    """Where the platform of the least expected cost is not the cheapest.

    loses   how often; box: where, or None with the reason
    """

    winner: str
    loses: Estimate
    box: Box | None
    reason: str = ""


def reverse_stress(ready: RankedSample) -> ReverseStress:
    """Find the box of inputs in which the expected winner loses, on even replicates, and test it on odd ones."""
    sample, names = ready.sample, ready.platforms
    winner = int(np.argmax(-sample.costs.mean(axis=1)))
    cheapest = np.argmin(sample.costs, axis=0)
    lost = sample.costs[winner] > sample.costs.min(axis=0)
    by_replicate = lost.reshape(sample.replicates, -1)
    loses = probability(sectioning(float(lost.mean()), by_replicate.mean(axis=1)), sample.trials)
    finding = sample.replicate % 2 == 0
    if not lost[finding].sum() >= FEWEST or not lost[~finding].any():
        few = "too few are lost to say which" if lost.any() else "none is lost"
        return ReverseStress(names[winner], loses, None, f"of {sample.trials:,} trials {few}")
    places, edges = _binned(ready)
    sides = find_box(np.ascontiguousarray(places[:, finding]), BINS, lost[finding])
    within = inside(places, sides)
    held_back = _by_replicate(sample.replicates, within, lost)[1::2]
    if not sides or not held_back[:, 2].any():
        return ReverseStress(names[winner], loses, None, "no few limits on inputs tell the lost trials from the others")
    limits: dict[int, Limit] = {}
    for side in sides:
        old = limits.get(side.column, Limit(ready.inputs[side.column].name, None, None))
        edge = float(edges[side.column][side.bin if side.is_low else side.bin + 1])
        limits[side.column] = Limit(old.input, edge if side.is_low else old.low, old.high if side.is_low else edge)
    trials, hits = within & ~finding, np.bincount(cheapest[within & ~finding], minlength=len(names))
    box = Box(tuple(limits.values()), _share(held_back, 1, 0), _share(held_back, 2, 1), _share(held_back, 2, 3),
              {name: float(count / trials.sum()) for name, count in zip(names, hits, strict=True)})
    return ReverseStress(names[winner], loses, box)


def _by_replicate(replicates: int, within: Any, lost: Any) -> Array:
    """Of each replicate: trials, those in the box, losses in the box, losses; float64[R, 4]."""
    rows = [np.ones(len(lost), bool), within, within & lost, lost]
    return np.array([row.reshape(replicates, -1).sum(axis=1) for row in rows], float).T


def _share(counts: Array, part: int, whole: int) -> Estimate:
    """A ratio of counts, whose error is from replicates."""
    pooled, left_out = counts.sum(axis=0), without_each(counts)
    found = jackknife(pooled[part] / pooled[whole], left_out[:, part] / np.maximum(left_out[:, whole], 1))
    value, error, low, high = (min(max(number, 0.0), 1.0) for number in found.as_dict().values())
    return Estimate(value, error, low, high)


def _binned(ready: RankedSample) -> tuple[Any, list[Array]]:
    """Each input's bin in each trial, int64[inputs, n], and the edges of its bins."""
    rows = [subject.columns[0] for subject in ready.inputs]
    places = np.empty((len(rows), ready.sample.trials), np.int64)

    def one(k: int) -> Array:
        edges = np.empty(BINS + 1)
        bin_positions(ready.ranked.order[rows[k]], ready.ranked.values[rows[k]], BINS, places[k], edges)
        return edges

    with ThreadPoolExecutor(ready.threads) as pool:
        return places, list(pool.map(one, range(len(rows))))
