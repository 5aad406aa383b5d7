"""Simulation error: how far an estimate may lie from what endless trials would give.

Every estimate carries a standard error and bounds at 95 %. These are not the range of outcomes: P5 and P95 say what
the world may do, the error says what more trials would shrink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_FEW = 30  # trials
NORMAL_QUANTILE = 1.959963984540054  # Φ⁻¹(0.975)


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and its bounds at 95 %, all in one unit.

    by_replicate  the same number from each replicate alone, float64[replicates], where it is known
    """

    value: float
    standard_error: float
    low: float
    high: float
    by_replicate: Array | None = field(default=None, repr=False, compare=False)

    def scaled(self, factor: float) -> Estimate:
        """The estimate times a positive constant."""
        each = None if self.by_replicate is None else self.by_replicate * factor
        return Estimate(self.value * factor, self.standard_error * factor, self.low * factor, self.high * factor, each)

    def inverse(self) -> Estimate:
        """1 ÷ a positive estimate, with its error carried over to first order."""
        square = self.value**2
        value = 1 / self.value
        return Estimate(value, self.standard_error / square, value - (self.high - self.value) / square,
                        value + (self.value - self.low) / square)

    def negative(self) -> Estimate:
        """The estimate times −1."""
        return Estimate(-self.value, self.standard_error, -self.high, -self.low)

    def as_dict(self) -> dict[str, float]:
        return {"value": self.value, "standard_error": self.standard_error, "low": self.low, "high": self.high}


def student_quantile(degrees_of_freedom: int, confidence: float = CONFIDENCE) -> float:
    """Student's t is at most so far from 0 with a probability of `confidence`: at 95 %, its 97.5 % point."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, (1 + confidence) / 2))


def sectioning(pooled: float, by_replicate: Array) -> Estimate:
    """Error of a pooled estimate from the same estimate in each replicate.

    pooled ± t_{R−1} √(Σ(q_r − pooled)² / (R(R−1))). Source: Asmussen and Glynn, Stochastic Simulation (2007), III.5a.
    """
    count, pooled = len(by_replicate), float(pooled)
    error = math.sqrt(float(np.sum((by_replicate - pooled) ** 2)) / (count * (count - 1)))
    half = student_quantile(count - 1) * error
    return Estimate(pooled, error, pooled - half, pooled + half, by_replicate)


def ratio_of_sums(numerators: Array, denominators: Array) -> Estimate:
    """A ratio of two means, from both in each replicate, float64[replicates] each; its error by the delta method.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), III.3.
    """
    ratio = float(numerators.sum() / denominators.sum())
    return sectioning(ratio, ratio + (numerators - ratio * denominators) / denominators.mean())


def change(before: Estimate, after: Estimate) -> Estimate:
    """after − before, of two runs on the same draws, with the error of the difference.

    Replicate r of both runs holds the same trials, so the differences q'_r − q_r, one a replicate, are independent, and what the
    draws have in common is gone from them; sectioning gives their error. Source: Asmussen and Glynn (2007), V.6 (common
    random numbers). Raises ValueError where either is not known by replicate.
    """
    if before.by_replicate is None or after.by_replicate is None:
        raise ValueError("the change of an estimate needs both of them by replicate")
    return sectioning(after.value - before.value, after.by_replicate - before.by_replicate)


def with_normal_bounds(value: float, error: float, by_replicate: Array | None = None) -> Estimate:
    """A number whose error is known as if from endless replicates: ± 1.96 of it at 95 %."""
    return Estimate(value, error, value - NORMAL_QUANTILE * error, value + NORMAL_QUANTILE * error, by_replicate)


def plain_mean(mean: float, sd: float, n: int, by_replicate: Array | None = None) -> Estimate:
    """Mean of n independent trials."""
    return with_normal_bounds(float(mean), sd / math.sqrt(n), by_replicate)


def probability(estimate: Estimate, n: int, independent: bool = False) -> Estimate:
    """A probability with bounds inside 0..1, never of zero width.

    Between independent trials, and where few of n trials (under 30) are of the one kind, bounds are those of Clopper and
    Pearson: ± standard errors would then hold the truth in 85 % of cases, and not in 95 %. Balanced points do no better than
    independent ones on what is rare.
    """
    value, error = estimate.value, estimate.standard_error
    if 0 < value < 1 and error == 0:  # a tie in every trial
        width = _clopper_pearson(0.0, n)[1]
        return replace(estimate, low=max(value - width, 0.0), high=min(value + width, 1.0))
    if independent or n * min(value, 1 - value) < _FEW:
        low, high = _clopper_pearson(value, n)
        return replace(estimate, low=low, high=high)
    return replace(estimate, low=max(estimate.low, 0.0), high=min(estimate.high, 1.0))


def _clopper_pearson(value: float, n: int) -> tuple[float, float]:
    """Bounds of the probability of what was seen in a share `value` of n independent trials. Source: Clopper and Pearson,
    Biometrika 26 (1934) 404, by the quantiles of a beta distribution."""
    from scipy.special import betaincinv

    seen = n * value
    low = float(betaincinv(seen, n - seen + 1, _TAIL)) if seen > 0 else 0.0
    high = float(betaincinv(seen + 1, n - seen, 1 - _TAIL)) if seen < n else 1.0
    return low, high


def smallest_probability(n: int) -> float:
    """How probable a thing may be at most, at 97.5 %, that happened in none of n trials (Clopper–Pearson)."""
    return -math.expm1(math.log(_TAIL) / n)


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


def order_statistic_interval(value: float, bounds: Sequence[float], by_replicate: Array | None = None) -> Estimate:
    """A percentile of independent trials between its two order statistics; its error is their distance over 2·1.96."""
    low, high = bounds
    return Estimate(value, (high - low) / (2 * NORMAL_QUANTILE), low, high, by_replicate)


def dominated_by_one_trial(n: int, sum_of_squares: float, largest: float) -> bool:
    """Whether one trial carries so much of the sum of squared deviations that an sd says little."""
    return sum_of_squares > 0 and largest > largest_share(n) * sum_of_squares


def largest_share(n: int) -> float:
    """The share of the sum of squared deviations that one of n trials may carry: 1 %.

    Under 10 000 trials 1 % is no more than ten standard deviations, which skewness alone can reach: there the bound is
    that distance, 100 / n.
    """
    return max(0.01, 100 / n)
