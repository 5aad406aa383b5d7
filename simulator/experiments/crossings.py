"""Where a curve that was computed at some points crosses zero, given its shape in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulator.analysis.intervals import Estimate

_STEPS = 32  # into which a cell between two points is divided, so that two crossings in one are found
_HALVINGS = 60


@dataclass(frozen=True)
class Crossing:
    """Where it is, its error, and whether the curve rises there."""

    at: float
    standard_error: float
    rising: bool


def crossings(x: Sequence[float], values: Sequence[tuple[float, float]], shape: Callable[[float], float]) -> list[Crossing]:
    """Zeros of a curve over log x.

    x       positive, rising
    values  the curve and its standard error at each x
    shape   the curve up to a constant. Between two points the curve is the shape plus what it differs from it by at both,
            taken as linear in log x: where the shape is right, nothing but the error of the values is left.
    The error of a zero is that of the values ÷ the slope.
    """
    found: list[Crossing] = []
    for (left, right), (start, end) in zip(pairwise(x), pairwise(values), strict=True):
        found += _in_cell(left, right, start, end, shape)
    return found


def _in_cell(left: float, right: float, start: tuple[float, float], end: tuple[float, float],
             shape: Callable[[float], float]) -> list[Crossing]:
    width = math.log(right / left)
    off = start[0] - shape(left), end[0] - shape(right)

    def at(t: float) -> float:
        return left if t <= 0 else right if t >= 1 else left * math.exp(t * width)

    def curve(t: float) -> float:
        return start[0] if t <= 0 else end[0] if t >= 1 else shape(at(t)) + off[0] + t * (off[1] - off[0])

    found = []
    for t0, t1 in pairwise(k / _STEPS for k in range(_STEPS + 1)):
        before, after = curve(t0), curve(t1)
        if (before < 0) == (after < 0):
            continue
        t = _bisected(curve, t0, t1)
        slope = abs(after - before) / ((t1 - t0) * width)  # of the curve, per log x; a step of it, since it may have kinks
        error = (1 - t) * start[1] + t * end[1]
        found.append(Crossing(at(t), at(t) * error / slope, after > before))
    return found


def _bisected(curve: Callable[[float], float], low: float, high: float) -> float:
    """A zero between two points of different sign."""
    negative = curve(low) < 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (curve(middle) < 0) == negative:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def log_of(ratio: Estimate) -> tuple[float, float] | None:
    """Log of a positive estimate and its error, to first order."""
    return (math.log(ratio.value), ratio.standard_error / ratio.value) if ratio.value > 0 else None


def log_of_ratio(over: Estimate, under: Estimate) -> tuple[float, float] | None:
    """Log of the ratio of two estimates; their errors are taken as independent, which common draws make too large."""
    a, b = log_of(over), log_of(under)
    return (a[0] - b[0], math.hypot(a[1], b[1])) if a and b else None
