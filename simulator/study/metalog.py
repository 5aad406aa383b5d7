"""The metalog: a distribution through any three or more percentiles. Source: Keelin, Decision Analysis 13 (2016).

M(p) = a₁ + a₂ L + a₃ c L + a₄ c + a₅ c² + a₆ c² L + a₇ c³ + a₈ c³ L …, c = p − ½, L = ln(p/(1 − p)): a polynomial plus a
polynomial times L. Unbounded: x = M; bounded below: low + e^M; above: high − e^−M; on both sides: between them by
the logistic function of M.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

MOST_TERMS = 16  # degree 7 in each of the two polynomials
_LOGIT_LAST = 27.7  # just beyond the logit of 1 − 1e-12
_GRID = 6000


def polynomials(coefficients: Sequence[float]) -> tuple[list[float], list[float]]:
    """Coefficients of the plain polynomial in c and of the one that multiplies L, ascending powers."""
    plain: list[float] = []
    logit: list[float] = []
    for position, a in enumerate(coefficients):
        # Terms alternate, but for the third and fourth: 1, L, cL, c, c², c²L, c³, c³L, …
        (logit if position in (1, 2) or (position > 4 and position % 2) else plain).append(a)
    return plain, logit


def quantile(p: float, low: float, high: float, coefficients: Sequence[float]) -> float:
    """The quantile at p, 0 < p < 1; low −∞ and high ∞ where not bounded."""
    plain, logit = polynomials(coefficients)
    m = _horner(plain, p - 0.5) + _horner(logit, p - 0.5) * (math.log(p) - math.log1p(-p))
    if low == -math.inf:
        return m if high == math.inf else high - math.exp(-m)
    if high == math.inf:
        return low + math.exp(m)
    return low + (high - low) * (1 / (1 + math.exp(-m)) if m > -700 else 0.0)


def _horner(coefficients: Sequence[float], c: Any) -> Any:
    total = 0.0
    for a in reversed(coefficients):
        total = total * c + a
    return total


def _terms(p: float, count: int) -> list[float]:
    """The first `count` terms at p, each with a coefficient of 1."""
    found = []
    for position in range(count):
        plain, logit = polynomials([*[0.0] * position, 1.0])
        found.append(_horner(plain, p - 0.5) + _horner(logit, p - 0.5) * (math.log(p) - math.log1p(-p)))
    return found


def through(levels: Sequence[float], values: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    """Coefficients, as many as there are percentiles, of the metalog that has them; levels and values rise.

    Values lie strictly between low and high. Raises ValueError where the percentiles lie too close to tell terms apart.
    """
    import numpy as np

    terms = np.array([_terms(p, len(levels)) for p in levels])
    wanted = np.array([_unbounded(x, low, high) for x in values])
    try:
        found = np.linalg.solve(terms, wanted)
        for _ in range(3):  # refinement: the terms are nearly dependent where percentiles are many
            found = found + np.linalg.solve(terms, wanted - terms @ found)
    except np.linalg.LinAlgError:
        raise ValueError("percentiles too close together") from None
    return tuple(float(a) for a in found)


def _unbounded(x: float, low: float, high: float) -> float:
    if low == -math.inf:
        return x if high == math.inf else -math.log(high - x)
    return math.log(x - low) if high == math.inf else math.log((x - low) / (high - x))


def falling(coefficients: Sequence[float]) -> tuple[float, float] | None:
    """The first range of p, within the quantiles that can be drawn, in which M falls (so that it is no quantile function)."""
    import numpy as np

    plain, logit = polynomials(coefficients)
    y = np.linspace(-_LOGIT_LAST, _LOGIT_LAST, _GRID)  # L itself
    p = 1 / (1 + np.exp(-y))
    c = p - 0.5
    # dM/dL, which has no poles: (plain′ + logit′ · L) · p (1 − p) + logit
    slope = (_horner(_derived(plain), c) + _horner(_derived(logit), c) * y) * p * (1 - p) + _horner(logit, c)
    wrong = np.flatnonzero(slope <= 0)
    if not wrong.size:
        return None
    gaps = np.flatnonzero(np.diff(wrong) > 1)
    return float(p[wrong[0]]), float(p[wrong[gaps[0]] if gaps.size else wrong[-1]])


def _derived(coefficients: Sequence[float]) -> list[float]:
    return [power * a for power, a in enumerate(coefficients)][1:]


def at_logits(y: Any, low: float, high: float, coefficients: Sequence[float]) -> Any:
    """The quantiles where the logit of p is y, for an array of y."""
    import numpy as np

    plain, logit = polynomials(coefficients)
    c = 1 / (1 + np.exp(-y)) - 0.5
    m = _horner(plain, c) + _horner(logit, c) * y
    with np.errstate(over="ignore"):
        if low == -math.inf:
            return m if high == math.inf else high - np.exp(-m)
        return low + np.exp(m) if high == math.inf else low + (high - low) / (1 + np.exp(-m))
