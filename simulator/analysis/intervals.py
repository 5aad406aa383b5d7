"""Simulation error: how far an estimate may lie from what endless trials would give.

Every estimate carries a standard error and bounds at 95 %. These are not the range of outcomes: P5 and P95 say what
the world may do, the error says what more trials would shrink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
NORMAL_QUANTILE = 1.959963984540054  # Φ⁻¹(0.975)


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and its bounds at 95 %, all in one unit."""

    value: float
    standard_error: float
    low: float
    high: float

    def scaled(self, factor: float) -> Estimate:
        """The estimate times a positive constant."""
        return Estimate(self.value * factor, self.standard_error * factor, self.low * factor, self.high * factor)

    def as_dict(self) -> dict[str, float]:
        return {"value": self.value, "standard_error": self.standard_error, "low": self.low, "high": self.high}


def student_quantile(degrees_of_freedom: int) -> float:
    """The 97.5 % point of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 1 - _TAIL))


def sectioning(pooled: float, by_replicate: Array) -> Estimate:
    """Error of a pooled estimate from the same estimate in each replicate.

    pooled ± t_{R−1} √(Σ(q_r − pooled)² / (R(R−1))). Source: Asmussen and Glynn, Stochastic Simulation (2007), III.5a.
    """
    count, pooled = len(by_replicate), float(pooled)
    error = math.sqrt(float(np.sum((by_replicate - pooled) ** 2)) / (count * (count - 1)))
    half = student_quantile(count - 1) * error
    return Estimate(pooled, error, pooled - half, pooled + half)


def ratio_of_sums(numerators: Array, denominators: Array) -> Estimate:
    """A ratio of two means, from both in each replicate, float64[replicates] each; its error by the delta method.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), III.3.
    """
    ratio = float(numerators.sum() / denominators.sum())
    return sectioning(ratio, ratio + (numerators - ratio * denominators) / denominators.mean())


def plain_mean(mean: float, sd: float, n: int) -> Estimate:
    """Mean of n independent trials."""
    error, mean = sd / math.sqrt(n), float(mean)
    return Estimate(mean, error, mean - NORMAL_QUANTILE * error, mean + NORMAL_QUANTILE * error)


def probability(estimate: Estimate, n: int) -> Estimate:
    """A probability: bounds inside 0..1, and never of zero width where all n trials agree (Clopper–Pearson)."""
    if estimate.standard_error == 0:  # always, never, or always a tie
        width = -math.expm1(math.log(_TAIL) / n)
        return Estimate(estimate.value, 0.0, max(estimate.value - width, 0.0), min(estimate.value + width, 1.0))
    return Estimate(estimate.value, estimate.standard_error, max(estimate.low, 0.0), min(estimate.high, 1.0))


def quantile_rank(n: int, p: float) -> int:
    """Rank, from 1, of the quantile x_(⌈np⌉) of n values; np is forgiven its rounding."""
    return min(max(math.ceil(n * p - 1e-9 * max(1.0, n * p * 1e-6)), 1), n)


def order_statistic_ranks(n: int, p: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Ranks, from 1, of the two order statistics that bound the p-quantile of n independent trials.

    k1 = F⁻¹(α/2), k2 = 1 + F⁻¹(1 − α/2), F = Binomial(n, p). Raises ValueError where n is too small for both to exist.
    """
    tail = (1 - confidence) / 2
    first, last = _binomial_quantile(tail, n, p), 1 + _binomial_quantile(1 - tail, n, p)
    if first < 1 or last > n:
        raise ValueError(f"{n} trials are too few to bound the {p:.0%} quantile; more are needed")
    return first, last


def _binomial_quantile(q: float, n: int, p: float) -> int:
    """Smallest k with P(X ≤ k) ≥ q."""
    from scipy.special import bdtr, ndtri

    k = int(n * p + float(ndtri(q)) * math.sqrt(n * p * (1 - p)))
    k = min(max(k, 0), n)
    while k > 0 and bdtr(k - 1, n, p) >= q:
        k -= 1
    while bdtr(k, n, p) < q:
        k += 1
    return k


def order_statistic_interval(value: float, low: float, high: float) -> Estimate:
    """A percentile of independent trials between its two order statistics; its error is their distance over 2·1.96."""
    return Estimate(value, (high - low) / (2 * NORMAL_QUANTILE), low, high)


def dominated_by_one_trial(n: int, sum_of_squares: float, largest: float) -> bool:
    """Whether one trial carries so much of the sum of squared deviations that an sd says little."""
    return sum_of_squares > 0 and largest > largest_share(n) * sum_of_squares


def largest_share(n: int) -> float:
    """The share of the sum of squared deviations that one of n trials may carry: 1 %.

    Under 10 000 trials 1 % is no more than ten standard deviations, which skewness alone can reach: there the bound is
    that distance, 100 / n.
    """
    return max(0.01, 100 / n)
