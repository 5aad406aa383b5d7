"""Where in the space of inputs something happens: a box with few sides, found by peeling (PRIM).

From all trials a thin slice is peeled off, again and again, on the side of the input whose loss makes the rest most dense in
hits; then sides that do not pay are taken away and the others put where they serve best.
Source: Friedman and Fisher, Bump hunting in high-dimensional data, Statistics and Computing 9 (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.kernels.boxes import count_by_bin

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

PEEL = 0.1  # share of what is left that a slice takes
FEWEST = 50  # trials in a box, and hits to look for one at all
MOST_SIDES = 4
PAYS = 0.02  # by what share a side has to better the box
_COVERAGE = 0.25  # weight of coverage beside that of density, 1


@dataclass(frozen=True)
class Side:
    """One limit: bins of a column from `bin` on (`is_low`), or up to `bin` (else)."""

    column: int
    is_low: bool
    bin: int

    def holds(self, places: Ints) -> Mask:
        """Which trials keep to it: int64[columns, n] to bool[n]."""
        row = places[self.column]
        found: Mask = row >= self.bin if self.is_low else row <= self.bin
        return found


def score(trials: Any, hits: Any, all_hits: int) -> Any:
    """How good a box is: the weighted harmonic mean (F½) of its density, the share of its trials that are hits, and its coverage,
    the share of all hits that it holds. Density counts for more: a box is to say when something happens.
    """
    return (1 + _COVERAGE) * hits / np.maximum(trials + _COVERAGE * all_hits, 1)


def find_box(places: Ints, bins: int, hit: Mask, most_sides: int = MOST_SIDES) -> tuple[Side, ...]:
    """The sides of a box that holds many of the hits and few other trials; none where no box is better than all trials.

    places  int64[columns, n]: the bin of each trial, 0 … bins − 1
    """
    hits = hit.astype(np.int64)
    if not FEWEST <= hits.sum() < len(hits):
        return ()
    sides = _peel(places, bins, hits)
    while sides:
        sides = _fewer(places, hits, sides, most_sides)
        moved = _moved(places, bins, hits, sides)
        if moved == sides:
            break
        sides = moved
    return tuple(sorted(sides, key=lambda side: (side.column, not side.is_low)))


def inside(places: Ints, sides: tuple[Side, ...] | list[Side]) -> Mask:
    """Which trials keep to all sides, bool[n]."""
    found = np.ones(places.shape[1], bool)
    for side in sides:
        found &= side.holds(places)
    return found


def _peel(places: Ints, bins: int, hits: Ints) -> list[Side]:
    """Peel until few trials are left; the best box on the way."""
    low, high = np.zeros(len(places), np.int64), np.full(len(places), bins - 1, np.int64)
    members, total = np.arange(places.shape[1]), int(hits.sum())
    counts = np.empty((len(places), bins, 2), np.int64)
    best, best_sides = float(score(len(members), total, total)), list[Side]()
    while True:
        count_by_bin(places, members, hits, counts)
        cut = _best_cut(counts, len(members), int(hits[members].sum()))
        if cut is None:
            return best_sides
        side = cut
        if side.is_low:
            low[side.column] = side.bin
        else:
            high[side.column] = side.bin
        members = members[side.holds(places[:, members])]
        if len(members) < FEWEST:
            return best_sides
        reached = float(score(len(members), int(hits[members].sum()), total))
        if reached > best:
            best = reached
            best_sides = [Side(int(c), True, int(low[c])) for c in np.flatnonzero(low > 0)]
            best_sides += [Side(int(c), False, int(high[c])) for c in np.flatnonzero(high < bins - 1)]


def _best_cut(counts: Ints, trials: int, hits: int) -> Side | None:
    """The slice that raises the density most for what it takes, from below or above one column; None where none raises it."""
    best, found = 0.0, None
    for is_low in (True, False):
        taken = np.cumsum(counts if is_low else counts[:, ::-1], axis=1)
        # The first bin with which a slice is thick enough.
        last = np.argmax(taken[:, :, 0] >= PEEL * trials, axis=1)
        gone = taken[np.arange(len(counts)), last]
        left = trials - gone[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(left > 0, ((hits - gone[:, 1]) / left - hits / trials) / gone[:, 0], 0.0)
        column = int(np.argmax(gain))
        if gain[column] > best:
            bins = counts.shape[1]
            best = float(gain[column])
            found = Side(column, is_low, int(last[column]) + 1 if is_low else bins - 2 - int(last[column]))
    return found


def _fewer(places: Ints, hits: Ints, sides: list[Side], most: int) -> list[Side]:
    """Without sides that do not pay, and with at most so many: the one that pays least goes first."""
    total = int(hits.sum())
    sides = list(sides)
    while sides:
        broken = np.array([~side.holds(places) for side in sides])
        often = broken.sum(axis=0)
        kept = often == 0
        now = float(score(int(kept.sum()), int(hits[kept].sum()), total))
        without = []
        for row in broken:
            freed = kept | ((often == 1) & row)
            without.append(float(score(int(freed.sum()), int(hits[freed].sum()), total)))
        weakest = int(np.argmax(without))
        if len(sides) <= most and now > (1 + PAYS) * without[weakest]:
            return sides
        del sides[weakest]
    return sides


def _moved(places: Ints, bins: int, hits: Ints, sides: list[Side]) -> list[Side]:
    """Each side in turn where it serves best, the others as they are (this pastes, and peels)."""
    total, sides = int(hits.sum()), list(sides)
    for k, side in enumerate(sides):
        members = np.flatnonzero(inside(places, sides[:k] + sides[k + 1:]))
        row = places[side.column, members]
        trials, found = np.bincount(row, minlength=bins), np.bincount(row, hits[members], bins)
        if side.is_low:
            value = score(np.cumsum(trials[::-1])[::-1], np.cumsum(found[::-1])[::-1], total)
        else:
            value = score(np.cumsum(trials), np.cumsum(found), total)
        if value.max() > value[side.bin]:
            sides[k] = Side(side.column, side.is_low, int(np.argmax(value)))
    return sides
