"""Zeros of curves in one variable: all that a scan can tell apart, exactly or where each value costs a simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate

Array = np.ndarray[Any, np.dtype[np.float64]]
_INTERIOR = 15  # points that divide a bracket in each pass
_PASSES = 13  # each makes it 16 times shorter: 16^−13 is 2^−52
_MOST_EVALUATIONS = 24
_DOUBT = 3.0  # half widths of its interval: a value as near to zero as that is taken again with a smaller error
_CLOSE = 0.1  # of its error: a value as near to zero as that counts as zero
_FINE = 2048  # steps in which a model curve is searched
_NARROW = 1e-9  # a place in 0 … 1, or a value, that is as good as another


@dataclass(frozen=True)
class Zero:
    """Where a curve over 0 … 1 crosses zero: `standard_error` of the place, and whether the curve rises there."""

    at: float
    standard_error: float
    rising: bool


def exact_zeros(x: Array, values: Array, curves: Callable[[Array, Array], Array]) -> list[list[Zero]]:
    """All zeros of many curves between the points of a scan; a jump through zero counts as one.

    x       float64[k], rising; values float64[curves, k]: each curve there
    curves  (which int64[n], at float64[n]) → values float64[n], all curves' points side by side
    """
    which, place = np.nonzero((values[:, :-1] < 0) != (values[:, 1:] < 0))
    low, high = x[place].copy(), x[place + 1].copy()
    low_is_negative = values[which, place] < 0
    shares = np.arange(1, _INTERIOR + 1) / (_INTERIOR + 1)
    for _ in range(_PASSES if which.size else 0):
        inner = low[:, None] + (high - low)[:, None] * shares
        negative = curves(np.repeat(which, _INTERIOR), inner.ravel()).reshape(inner.shape) < 0
        edges = np.hstack([low[:, None], inner, high[:, None]])
        # The first division whose right end has the sign of the right end of all.
        crossed = np.hstack([negative != low_is_negative[:, None], np.ones((which.size, 1), bool)]).argmax(axis=1)
        lines = np.arange(which.size)
        low, high = edges[lines, crossed], edges[lines, crossed + 1]
    found: list[list[Zero]] = [[] for _ in values]
    for curve, a, b, rising in zip(which, low, high, low_is_negative, strict=True):
        found[curve].append(Zero(float((a + b) / 2), 0.0, bool(rising)))
    return found


def simulated_zeros(x: Array, shape: Array, offset: float, quick: Callable[[float], Estimate],
                    full: Callable[[float], Estimate]) -> tuple[list[Zero], float]:
    """Zeros of a curve over 0 … 1 of which each value is an estimate, with few evaluations; and its value nearest to zero.

    x, shape  float64[k]: a curve that is computed exactly and runs like the one that is sought
    offset    what the one sought lies above it, as far as is known beforehand
    quick     the curve with a larger error, for saying that there is no zero; full: with a small one
    The model is the shape plus what the curve was found to differ from it, linear in between: its zeros are evaluated and
    the model put right, until the curve is within a tenth of its error of 0 there. Where the model has no zero, it is put right
    where it comes nearest to one and, if that is no answer beyond doubt, at both ends: a shape may be flat where the curve is
    not. So a zero stays unseen where the shape gives no hint of it.
    """
    known: dict[float, Estimate] = {}
    fine, curve = _modelled(x, shape, offset, known)
    while len(known) < _MOST_EVALUATIONS:
        zeros = _zeros_of(fine, curve)
        if zeros:
            todo = next((at for at in zeros if not _is_settled(at, known)), None)
        else:
            nearest = float(fine[np.argmin(np.abs(curve))])
            if not known and _is_beyond_doubt(quick(nearest), float(curve[0])):
                break
            todo = next((at for at in (nearest, 0.0, 1.0) if all(abs(place - at) >= 1 / _FINE for place in known)), None)
        if todo is None:
            break
        known[todo] = full(todo)
        fine, curve = _modelled(x, shape, offset, known)
    found = [_with_error(at, fine, curve, known) for at in _zeros_of(fine, curve)]
    return found, float(curve[np.argmin(np.abs(curve))])


def _modelled(x: Array, shape: Array, offset: float, known: dict[float, Estimate]) -> tuple[Array, Array]:
    """Places, and the curve as far as it is known: the shape plus what was found to lie between, beyond which a line goes on
    for as long as the last two places are apart."""
    places = np.array(sorted(known))
    fine = np.union1d(np.linspace(0, 1, _FINE + 1), places)
    if not known:
        return fine, np.interp(fine, x, shape) + offset
    off = np.array([known[place].value for place in places]) - np.interp(places, x, shape)
    if places.size > 1:
        places = np.concatenate([[2 * places[0] - places[1]], places, [2 * places[-1] - places[-2]]])
        off = np.concatenate([[2 * off[0] - off[1]], off, [2 * off[-1] - off[-2]]])
    return fine, np.interp(fine, x, shape) + np.interp(fine, places, off)


def _is_beyond_doubt(value: Estimate, expected: float) -> bool:
    """Whether a value has the sign that is expected, whatever its error, which comes from few replicates itself."""
    return (value.value < 0) == (expected < 0) and abs(value.value) > _DOUBT * (value.high - value.low) / 2


def _zeros_of(x: Array, values: Array) -> list[float]:
    """Zeros of a curve that is linear between points."""
    place = np.flatnonzero((values[:-1] < 0) != (values[1:] < 0))
    share = values[place] / (values[place] - values[place + 1])
    return [float(at) for at in x[place] + share * (x[place + 1] - x[place])]


def _is_settled(at: float, known: dict[float, Estimate]) -> bool:
    """Whether the curve was found to be zero next to a place, as far as its error goes."""
    if not known:
        return False
    nearest = min(known, key=lambda place: abs(place - at))
    found = known[nearest]
    below, above = [p for p in known if p <= at], [p for p in known if p > at]
    narrow = bool(below and above) and min(above) - max(below) < 1 / _FINE
    return abs(nearest - at) < _NARROW or narrow or (
        abs(nearest - at) < 0.05 and abs(found.value) <= max(_CLOSE * found.standard_error, _NARROW))


def _with_error(at: float, x: Array, curve: Array, known: dict[float, Estimate]) -> Zero:
    """A zero of the model: error of the nearest value ÷ slope, and the width of a step where the curve jumps."""
    k = min(int(np.searchsorted(x, at)), x.size - 1) or 1
    left, right = max(k - 4, 0), min(k + 3, x.size - 1)
    slope = abs(float((curve[right] - curve[left]) / (x[right] - x[left])))
    nearest = known[min(known, key=lambda place: abs(place - at))]
    unsettled = 0.0 if abs(nearest.value) <= max(nearest.standard_error, _NARROW) else 1 / _FINE
    error = math.hypot(nearest.standard_error / slope, unsettled) if slope > 0 else 1.0
    return Zero(at, error, bool(curve[k] > curve[k - 1]))
