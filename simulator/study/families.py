"""Distributions in their plainest parameters: families and their quantile functions."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from simulator.study import metalog

FIRST, LAST = 1e-12, 1 - 1e-12  # the outermost quantiles that a sampler can draw


@dataclass(frozen=True)
class Marginal:
    """A distribution of one number, in canonical units.

    family      constant (value) · uniform (low, high) · triangular (low, mode, high) · normal (mean, sd)
                · truncated_normal (mean, sd, low, high) · lognormal (mean and sd of the log)
                · beta (alpha, beta, low, high) · gamma (shape, scale) · weibull (shape, scale)
                · exponential (mean,) · discrete (values…, cumulative weights…) · empirical (values, ascending…)
                · metalog (low, high, coefficients…; −∞ and ∞ where not bounded) · mixture (weights…, which sum to 1)
    components  those of a mixture
    """

    family: str
    parameters: tuple[float, ...]
    components: tuple[Marginal, ...] = ()

    @property
    def is_constant(self) -> bool:
        return self.family == "constant"

    def quantile(self, p: float) -> float:
        """The value that a share p of outcomes does not exceed, FIRST ≤ p ≤ LAST."""
        if self.family == "mixture":
            from simulator.study.mixtures import mixture_quantiles

            return float(mixture_quantiles(self, p, 1 - p))
        return _QUANTILES[self.family](p, *self.parameters)

    def support(self) -> tuple[float, float]:
        """The outermost values that can be drawn: the quantiles at 1e-12 and 1 − 1e-12."""
        return self.quantile(FIRST), self.quantile(LAST)

    def probability_above(self, x: float) -> float:
        """Share of outcomes above x, to 1e-9, by bisection on the quantile."""
        low, high = self.support()
        if x >= high:
            return 0.0
        if x < low:
            return 1.0
        return 1 - increasing_root(lambda p: 1.0 if self.quantile(p) > x else -1.0, FIRST, LAST)


def constant(value: float) -> Marginal:
    return Marginal("constant", (value,))


def increasing_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function crosses zero, by bisection to the last bits (no import of an optimizer)."""
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return (low + high) / 2


_NORMAL = NormalDist()


def _triangular(p: float, low: float, mode: float, high: float) -> float:
    width = high - low
    if p * width < mode - low:
        return low + math.sqrt(p * width * (mode - low))
    return high - math.sqrt((1 - p) * width * (high - mode))


def _truncated_normal(p: float, mean: float, sd: float, low: float, high: float) -> float:
    a, b = (low - mean) / sd, (high - mean) / sd
    if a > 0:  # in the upper tail 1 − Φ keeps its digits, Φ does not
        above_a, above_b = _NORMAL.cdf(-a), _NORMAL.cdf(-b)
        z = -_NORMAL.inv_cdf(above_b + (1 - p) * (above_a - above_b))
    else:
        below_a, below_b = _NORMAL.cdf(a), _NORMAL.cdf(b)
        z = _NORMAL.inv_cdf(below_a + p * (below_b - below_a))
    return min(max(mean + sd * z, low), high)


def _beta(p: float, alpha: float, beta: float, low: float, high: float) -> float:
    from scipy.special import betaincinv

    return low + (high - low) * float(betaincinv(alpha, beta, p))


def _gamma(p: float, shape: float, scale: float) -> float:
    from scipy.special import gammaincinv

    return scale * float(gammaincinv(shape, p))


def _discrete(p: float, *parameters: float) -> float:
    count = len(parameters) // 2
    return parameters[bisect_left(parameters, p, count, 2 * count - 1) - count]


def _empirical(p: float, *values: float) -> float:
    position = p * (len(values) - 1)
    k = min(int(position), len(values) - 2)
    return values[k] + (position - k) * (values[k + 1] - values[k])


_QUANTILES: dict[str, Callable[..., float]] = {
    "constant": lambda p, value: value,
    "uniform": lambda p, low, high: low + p * (high - low),
    "triangular": _triangular,
    "normal": lambda p, mean, sd: mean + sd * _NORMAL.inv_cdf(p),
    "truncated_normal": _truncated_normal,
    "lognormal": lambda p, mu, sigma: math.exp(mu + sigma * _NORMAL.inv_cdf(p)),
    "beta": _beta,
    "gamma": _gamma,
    "weibull": lambda p, shape, scale: scale * (-math.log1p(-p)) ** (1 / shape),
    "exponential": lambda p, mean: -mean * math.log1p(-p),
    "discrete": _discrete,
    "empirical": _empirical,
    "metalog": lambda p, low, high, *coefficients: metalog.quantile(p, low, high, coefficients),
}
