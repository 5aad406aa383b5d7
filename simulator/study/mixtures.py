"""Mixtures of distributions: probabilities of every family, and the quantiles of a mixture by inversion.

Probabilities below and above are both given, since in the tails only the smaller of the two keeps its digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.study import metalog
from simulator.study.families import Marginal

Array = np.ndarray[Any, np.dtype[np.float64]]
_HALVINGS = 200


def probabilities(marginal: Marginal, x: Array) -> tuple[Array, Array]:
    """P(X ≤ x) and P(X > x), float64 like x."""
    from scipy import special

    p = marginal.parameters
    match marginal.family:
        case "mixture":
            parts = [probabilities(part, x) for part in marginal.components]
            below = sum((weight * part[0] for weight, part in zip(p, parts, strict=True)), np.zeros_like(x))
            above = sum((weight * part[1] for weight, part in zip(p, parts, strict=True)), np.zeros_like(x))
            return below, above
        case "normal":
            z = (x - p[0]) / p[1]
            return special.ndtr(z), special.ndtr(-z)
        case "lognormal":
            z = (np.log(np.maximum(x, 1e-300)) - p[0]) / p[1]
            return np.where(x > 0, special.ndtr(z), 0.0), np.where(x > 0, special.ndtr(-z), 1.0)
        case "truncated_normal":
            return _truncated_normal((np.clip(x, p[2], p[3]) - p[0]) / p[1], (p[2] - p[0]) / p[1], (p[3] - p[0]) / p[1])
        case "beta":
            y = np.clip((x - p[2]) / (p[3] - p[2]), 0, 1)
            return special.betainc(p[0], p[1], y), special.betaincc(p[0], p[1], y)
        case "gamma":
            y = np.maximum(x, 0) / p[1]
            return special.gammainc(p[0], y), special.gammaincc(p[0], y)
        case "weibull":
            y = (np.maximum(x, 0) / p[1]) ** p[0]
            return -np.expm1(-y), np.exp(-y)
        case "exponential":
            y = np.maximum(x, 0) / p[0]
            return -np.expm1(-y), np.exp(-y)
        case "triangular":
            low, mode, high = p
            y, width = np.clip(x, low, high), high - low
            rising = (y - low) ** 2 / (width * max(mode - low, 1e-300))
            above = (high - y) ** 2 / (width * max(high - mode, 1e-300))
            return np.where(y < mode, rising, 1 - above), np.where(y < mode, 1 - rising, above)
        case "uniform":
            below = np.clip((x - p[0]) / (p[1] - p[0]), 0, 1)
            return below, np.clip((p[1] - x) / (p[1] - p[0]), 0, 1)
        case "constant" | "discrete":
            values = np.array(p[: max(len(p) // 2, 1)])
            reached = np.array([0.0, *(p[len(p) // 2:] if marginal.family == "discrete" else (1.0,))])
            below = reached[values.searchsorted(x, side="right")]
            return below, 1 - below
        case "empirical":
            values, last = np.array(p), len(p) - 1
            right = values.searchsorted(x, side="right")
            k = np.clip(right - 1, 0, last - 1)
            width = values[k + 1] - values[k]
            inside = (k + (x - values[k]) / np.where(width > 0, width, 1)) / last
            below = np.where(right == 0, 0.0, np.where(right > last, 1.0, inside))
            return below, 1 - below
        case "metalog":
            return _metalog(marginal, x)
    raise ValueError(f"no probabilities of the family {marginal.family}")


def _truncated_normal(z: Array, low: float, high: float) -> tuple[Array, Array]:
    from scipy.special import ndtr

    # Masses between two points, from the tail in which they are small.
    def mass(a: Array | float, b: Array | float) -> Array:
        lower: Array = ndtr(b) - ndtr(a)
        upper: Array = ndtr(-np.asarray(a)) - ndtr(-np.asarray(b))
        return np.where(np.asarray(a) > 0, upper, lower)

    whole = mass(low, high)
    return mass(low, z) / whole, mass(z, high) / whole


def _metalog(marginal: Marginal, x: Array) -> tuple[Array, Array]:
    """A metalog is known by its quantiles: bisection in the logit of p, within the quantiles that can be drawn."""
    low_bound, high_bound, *coefficients = marginal.parameters
    low, high = np.full(x.shape, -28.0), np.full(x.shape, 28.0)
    for _ in range(60):
        middle = (low + high) / 2
        smaller = metalog.at_logits(middle, low_bound, high_bound, coefficients) <= x
        low, high = np.where(smaller, middle, low), np.where(smaller, high, middle)
    return 1 / (1 + np.exp(-low)), 1 / (1 + np.exp(low))


def mixture_quantiles(mixture: Marginal, below: Array | float, above: Array | float) -> Array:
    """The smallest x with P(X ≤ x) ≥ below, that is P(X > x) ≤ above = 1 − below; arrays of one shape."""
    below, above = np.asarray(below, float), np.asarray(above, float)
    supports = [part.support() for part in mixture.components]
    low = np.full(below.shape, min(first for first, _ in supports))
    high = np.full(below.shape, max(last for _, last in supports))
    reached = _reaches(mixture, low, below, above)  # where the smallest value has a probability of its own
    start = low.copy()
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if np.all((middle <= low) | (middle >= high)):
            break
        enough = _reaches(mixture, middle, below, above)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached, start, high)


def _reaches(mixture: Marginal, x: Array, below: Array, above: Array) -> Any:
    found_below, found_above = probabilities(mixture, x)
    return np.where(below <= 0.5, found_below >= below, found_above <= above)
