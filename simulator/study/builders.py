"""From stated parameters to a marginal: a function for each way to state a distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from simulator.study.families import Marginal
from simulator.study.problems import figure

# Shapes of beta and gamma beyond these leave the quantiles without their digits: below, most of the mass lies where
# a double is 0; above, the distribution is so narrow that SciPy's inverses are not smooth to 1e-12.
LEAST_SHAPE, LARGEST_SHAPE = 0.05, 1e5
_SHAPES_IN_WORDS = f"at least {LEAST_SHAPE:g} and at most {LARGEST_SHAPE:g} (narrower: normal or triangular)"

_NORMAL = NormalDist()


class UnusableError(ValueError):
    """Parameters that make no distribution; the message says what was found and what was expected."""


def require(condition: bool, message: str) -> None:
    if not condition:
        raise UnusableError(message)


def rising(low: float, high: float) -> None:
    require(low < high, f"found low {figure(low)} and high {figure(high)}; expected low below high")


def positive(**values: float) -> None:
    for name, value in values.items():
        require(value > 0, f"found {name} {figure(value)}; expected it above 0")


def build_uniform(low: float, high: float) -> Marginal:
    rising(low, high)
    return Marginal("uniform", (low, high))


def corners(low: float, mode: float, high: float) -> None:
    require(low <= mode <= high and low < high,
             f"found low {figure(low)}, mode {figure(mode)}, high {figure(high)}; expected them in rising order")


def build_triangular(low: float, mode: float, high: float) -> Marginal:
    corners(low, mode, high)
    return Marginal("triangular", (low, mode, high))


def build_pert(low: float, mode: float, high: float, shape: float) -> Marginal:
    corners(low, mode, high)
    positive(shape=shape)
    lean = shape / (high - low)
    return Marginal("beta", (1 + lean * (mode - low), 1 + lean * (high - mode), low, high))


def build_normal(mean: float, sd: float) -> Marginal:
    positive(sd=sd)
    return Marginal("normal", (mean, sd))


def build_truncated_normal(mean: float, sd: float, low: float | None, high: float | None) -> Marginal:
    positive(sd=sd)
    require(low is not None or high is not None, "found neither low nor high; expected one or both, or the distribution normal")
    lowest, highest = -math.inf if low is None else low, math.inf if high is None else high
    rising(lowest, highest)
    within = max(_NORMAL.cdf((highest - mean) / sd) - _NORMAL.cdf((lowest - mean) / sd),
                 _NORMAL.cdf((mean - lowest) / sd) - _NORMAL.cdf((mean - highest) / sd))
    require(within > 1e-9, f"found low and high so far from the mean {figure(mean)} that almost nothing of the distribution is "
             "left between them; expected bounds nearer to the mean")
    return Marginal("truncated_normal", (mean, sd, lowest, highest))


def build_lognormal(median: float, sigma: float) -> Marginal:
    positive(median=median, sigma=sigma)
    return Marginal("lognormal", (math.log(median), sigma))


def lognormal_from_moments(mean: float, sd: float) -> Marginal:
    positive(mean=mean, sd=sd)
    variance = math.log1p((sd / mean) ** 2)
    return Marginal("lognormal", (math.log(mean) - variance / 2, math.sqrt(variance)))


def build_beta(alpha: float, beta: float, low: float, high: float) -> Marginal:
    positive(alpha=alpha, beta=beta)
    rising(low, high)
    require(min(alpha, beta) >= LEAST_SHAPE and max(alpha, beta) <= LARGEST_SHAPE,
             f"found a beta distribution with alpha {alpha:.4g} and beta {beta:.4g}; expected both {_SHAPES_IN_WORDS}")
    return Marginal("beta", (alpha, beta, low, high))


def beta_from_moments(mean: float, sd: float, low: float, high: float) -> Marginal:
    positive(sd=sd)
    require(low < mean < high, f"found mean {figure(mean)}; expected it between low {figure(low)} and high {figure(high)}")
    m, v = (mean - low) / (high - low), (sd / (high - low)) ** 2
    require(v < m * (1 - m), f"found sd {figure(sd)}; expected it below {math.sqrt(m * (1 - m)) * (high - low):.4g}, the most "
             f"that a mean of {figure(mean)} between {figure(low)} and {figure(high)} allows")
    total = m * (1 - m) / v - 1
    return build_beta(m * total, (1 - m) * total, low, high)


def build_gamma(shape: float, scale: float) -> Marginal:
    positive(shape=shape, scale=scale)
    require(LEAST_SHAPE <= shape <= LARGEST_SHAPE,
             f"found a gamma distribution of shape {shape:.4g}; expected {_SHAPES_IN_WORDS}")
    return Marginal("gamma", (shape, scale))


def gamma_from_moments(mean: float, sd: float) -> Marginal:
    positive(mean=mean, sd=sd)
    return build_gamma((mean / sd) ** 2, sd**2 / mean)


def build_weibull(shape: float, scale: float) -> Marginal:
    positive(shape=shape, scale=scale)
    require(shape >= LEAST_SHAPE, f"found a weibull distribution of shape {shape:.4g}; expected at least {LEAST_SHAPE:g}")
    return Marginal("weibull", (shape, scale))


def build_exponential(mean: float) -> Marginal:
    positive(mean=mean)
    return Marginal("exponential", (mean,))


def build_discrete(values: Sequence[float], weights: Sequence[float]) -> Marginal:
    require(len(values) == len(weights) > 0,
             f"found {len(values)} values and {len(weights)} weights; expected one weight a value")
    require(all(a < b for a, b in pairwise(values)), "found values out of order; expected each to be above the one before")
    require(all(weight > 0 for weight in weights), f"found the weight {figure(min(weights))}; expected all weights above 0")
    total = math.fsum(weights)
    reached = [math.fsum(weights[: k + 1]) / total for k in range(len(weights))]
    return Marginal("discrete", (*values, *reached[:-1], 1.0))
