"""Distributions through percentiles: exact, to the last digits that a double holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist

from simulator.study import metalog
from simulator.study.builders import (
    LARGEST_SHAPE,
    LEAST_SHAPE,
    UnusableError,
    build_beta,
    build_exponential,
    build_gamma,
    build_normal,
    build_uniform,
    build_weibull,
    positive,
    require,
    rising,
)
from simulator.study.families import Marginal, increasing_root
from simulator.study.problems import figure

_NORMAL = NormalDist()
NO_SUCH_PERCENTILES = ("found percentiles that no usable distribution of this kind has; expected them further apart or closer "
                       "together")


def _fitted(build: Callable[..., Marginal], *parameters: float) -> Marginal:
    try:
        return build(*parameters)
    except UnusableError:  # would name parameters that the user did not write
        raise UnusableError(NO_SUCH_PERCENTILES) from None


def fit_uniform(p: Sequence[float], x: Sequence[float]) -> Marginal:
    slope = (x[1] - x[0]) / (p[1] - p[0])
    return build_uniform(x[0] - p[0] * slope, x[0] + (1 - p[0]) * slope)


def fit_normal(p: Sequence[float], x: Sequence[float]) -> Marginal:
    z = [_NORMAL.inv_cdf(q) for q in p]
    sd = (x[1] - x[0]) / (z[1] - z[0])
    return build_normal(x[0] - sd * z[0], sd)


def fit_lognormal(p: Sequence[float], x: Sequence[float]) -> Marginal:
    positive(percentile=x[0])
    return Marginal("lognormal", fit_normal(p, [math.log(v) for v in x]).parameters)


def fit_weibull(p: Sequence[float], x: Sequence[float]) -> Marginal:
    positive(percentile=x[0])
    e = [math.log(-math.log1p(-q)) for q in p]
    shape = (e[1] - e[0]) / math.log(x[1] / x[0])
    return _fitted(build_weibull, shape, x[0] / math.exp(e[0] / shape))


def fit_exponential(p: Sequence[float], x: Sequence[float]) -> Marginal:
    return build_exponential(x[0] / -math.log1p(-p[0]))


def fit_gamma(p: Sequence[float], x: Sequence[float]) -> Marginal:
    from scipy.special import gammaincinv

    positive(percentile=x[0])
    shape = _gamma_shape(p[0], p[1], math.log(x[1] / x[0]))
    return _fitted(build_gamma, shape, x[0] / float(gammaincinv(shape, p[0])))


@lru_cache(maxsize=1024)
def _gamma_shape(p0: float, p1: float, wanted: float) -> float:
    """The shape whose quantiles at p0 and p1 are so far apart in logs."""
    from scipy.special import gammaincinv

    def excess(log_shape: float) -> float:
        shape = math.exp(log_shape)
        first, second = float(gammaincinv(shape, p0)), float(gammaincinv(shape, p1))
        return wanted - math.log(second / first) if first > 0 else -math.inf

    return math.exp(increasing_root(excess, math.log(LEAST_SHAPE), math.log(LARGEST_SHAPE)))


def fit_beta(p: Sequence[float], x: Sequence[float], low: float, high: float) -> Marginal:
    rising(low, high)
    require(low < x[0] and x[1] < high, f"found percentiles {figure(x[0])} and {figure(x[1])}; expected them between "
             f"low {figure(low)} and high {figure(high)}")
    y = [(v - low) / (high - low) for v in x]
    return _fitted(build_beta, *_beta_shapes(p[0], p[1], y[0], y[1]), low, high)


@lru_cache(maxsize=1024)  # a study with what-ifs or a sweep is read many times, and most of its inputs are the same each time
def _beta_shapes(p0: float, p1: float, y0: float, y1: float) -> tuple[float, float]:
    """alpha and beta of the distribution on 0..1 with two percentiles: P(Y ≤ y0) = p0, P(Y ≤ y1) = p1."""
    from scipy.special import betainc

    def beta_for(alpha: float) -> float:
        return math.exp(increasing_root(lambda b: float(betainc(alpha, math.exp(b), y0)) - p0,
                                         math.log(1e-3), math.log(1e10)))

    # With the lower percentile held, a larger alpha narrows the distribution and lifts P(X ≤ upper).
    alpha = math.exp(increasing_root(lambda a: float(betainc(math.exp(a), beta_for(math.exp(a)), y1)) - p1,
                                      math.log(LEAST_SHAPE), math.log(LARGEST_SHAPE)))
    return alpha, beta_for(alpha)


def fit_metalog(p: Sequence[float], x: Sequence[float], low: float | None, high: float | None) -> Marginal:
    first, last = -math.inf if low is None else low, math.inf if high is None else high
    rising(first, last)
    require(first < x[0] and x[-1] < last, f"found percentiles from {figure(x[0])} to {figure(x[-1])}; expected them between the "
            f"bounds{'' if low is None else f' low {figure(low)}'}{'' if high is None else f' high {figure(high)}'}")
    try:
        coefficients = metalog.through(p, x, first, last)
    except ValueError:
        raise UnusableError(NO_SUCH_PERCENTILES) from None
    falls = metalog.falling(coefficients)
    if falls:
        raise UnusableError(f"found percentiles that no metalog has: between p{100 * falls[0]:.3g} and p{100 * falls[1]:.3g} its "
                            "quantiles would fall; expected fewer percentiles, or a smoother course between them")
    return Marginal("metalog", (first, last, *coefficients))
