"""The distributions that can be fitted: their likelihoods (SciPy) and their maximum-likelihood estimates.

Estimates from complete data solve the likelihood equations over the last axis of an array, so that a bootstrap fits
all of its samples at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
_MOST_STEPS = 60  # of Newton's method; ten are usual
_TOLERANCE = 1e-12


class UnfittableError(ValueError):
    """Data from which nothing can be fitted; the message says what was found and what was expected."""


@dataclass(frozen=True)
class Family:
    """One distribution of the study format.

    parameters  names as the format has them, in the order of all arrays of parameters
    lifetimes   whether it can be fitted to lifetimes: it lives on all of 0 … ∞
    estimate    float64[..., n] of complete data → float64[..., p] of parameters
    frozen      parameters, then low and high (beta alone uses them) → a distribution of scipy.stats
    """

    name: str
    parameters: tuple[str, ...]
    lifetimes: bool
    estimate: Callable[[Array], Array]
    frozen: Callable[..., Any]

    def supports(self, data: Array, low: float, high: float) -> bool:
        """Whether data can come from it: anything from a normal, above 0, or strictly between low and high (beta)."""
        if self.name == "normal":
            return True
        if self.name == "beta":
            return bool(np.all(data > low) and np.all(data < high))
        return bool(np.all(data > 0))

    def fitted(self, data: Array, low: float, high: float) -> Array:
        """Maximum-likelihood parameters of complete data, float64[..., n] → float64[..., p]."""
        return self.estimate((data - low) / (high - low) if self.name == "beta" else data)


def _normal(data: Array) -> Array:
    return np.stack([data.mean(-1), data.std(-1)], -1)


def _lognormal(data: Array) -> Array:
    logs = np.log(data)
    return np.stack([np.exp(logs.mean(-1)), logs.std(-1)], -1)


def _exponential(data: Array) -> Array:
    return np.stack([data.mean(-1)], -1)


def _gamma(data: Array) -> Array:
    """log shape − ψ(shape) = log of the mean − mean of the logs. Start: Minka (2002), Estimating a Gamma distribution."""
    from scipy.special import digamma, polygamma

    mean = data.mean(-1)
    gap = np.log(mean) - np.log(data).mean(-1)
    shape = (3 - gap + np.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
    for _ in range(_MOST_STEPS):
        step = (np.log(shape) - digamma(shape) - gap) / (1 / shape - polygamma(1, shape))
        shape = np.maximum(shape - step, shape / 4)
        if np.all(np.abs(step) <= _TOLERANCE * shape):
            break
    return np.stack([shape, mean / shape], -1)


def _weibull(data: Array) -> Array:
    """Σ x^k log x / Σ x^k − 1/k = mean of log x, by Newton's method in k; then scale^k = mean of x^k."""
    logs = np.log(data)
    middle = logs.mean(-1, keepdims=True)
    centred = logs - middle
    shape = 1.2 / np.maximum(centred.std(-1), 1e-300)
    for _ in range(_MOST_STEPS):
        powers = np.exp(shape[..., None] * centred)
        total, first = powers.sum(-1), (powers * centred).sum(-1)
        ratio = first / total
        slope = (powers * centred**2).sum(-1) / total - ratio**2 + 1 / shape**2
        step = (ratio - 1 / shape) / slope
        shape = np.maximum(shape - step, shape / 4)
        if np.all(np.abs(step) <= _TOLERANCE * shape):
            break
    scale = np.exp(middle[..., 0] + np.log(np.exp(shape[..., None] * centred).mean(-1)) / shape)
    return np.stack([shape, scale], -1)


def _beta(share: Array) -> Array:
    """ψ(α) − ψ(α + β) = mean of log x, ψ(β) − ψ(α + β) = mean of log(1 − x), by Newton's method from the moments."""
    from scipy.special import digamma, polygamma

    first, second = np.log(share).mean(-1), np.log1p(-share).mean(-1)
    mean, variance = share.mean(-1), share.var(-1)
    total = np.maximum(mean * (1 - mean) / variance - 1, 0.1)
    a, b = mean * total, (1 - mean) * total
    for _ in range(_MOST_STEPS):
        both, curve = digamma(a + b), polygamma(1, a + b)
        f, g = digamma(a) - both - first, digamma(b) - both - second
        aa, bb = polygamma(1, a) - curve, polygamma(1, b) - curve
        determinant = aa * bb - curve**2
        da, db = (bb * f + curve * g) / determinant, (aa * g + curve * f) / determinant
        a, b = np.maximum(a - da, a / 4), np.maximum(b - db, b / 4)
        if np.all(np.abs(da) <= _TOLERANCE * a) and np.all(np.abs(db) <= _TOLERANCE * b):
            break
    return np.stack([a, b], -1)


def _frozen(name: str, arguments: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    def frozen(*parameters: Any, low: float = 0.0, high: float = 1.0) -> Any:
        from scipy import stats

        bounds = {"loc": low, "scale": high - low} if name == "beta" else {}
        return getattr(stats, name)(**arguments(*parameters), **bounds)

    return frozen


FAMILIES: tuple[Family, ...] = (
    Family("normal", ("mean", "sd"), False, _normal, _frozen("norm", lambda mean, sd: {"loc": mean, "scale": sd})),
    Family("lognormal", ("median", "sigma"), True, _lognormal,
           _frozen("lognorm", lambda median, sigma: {"s": sigma, "scale": median})),
    Family("gamma", ("shape", "scale"), True, _gamma, _frozen("gamma", lambda shape, scale: {"a": shape, "scale": scale})),
    Family("weibull", ("shape", "scale"), True, _weibull,
           _frozen("weibull_min", lambda shape, scale: {"c": shape, "scale": scale})),
    Family("exponential", ("mean",), True, _exponential, _frozen("expon", lambda mean: {"scale": mean})),
    Family("beta", ("alpha", "beta"), False, _beta, _frozen("beta", lambda alpha, beta: {"a": alpha, "b": beta})),
)
FAMILY = {family.name: family for family in FAMILIES}
