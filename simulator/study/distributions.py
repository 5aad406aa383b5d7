"""Distributions: the forms in which people state them, and what they become.

A `Marginal` is a distribution in its plainest parameters and canonical unit. Parameter fitting is exact: a
distribution through two percentiles has these percentiles to 1e-9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from simulator.study.problems import any_of, figure

FIRST, LAST = 1e-12, 1 - 1e-12  # the outermost quantiles that a sampler can draw
# Shapes of beta and gamma beyond these leave the quantiles without their digits: below, most of the mass lies where
# a double is 0; above, the distribution is so narrow that SciPy's inverses are not smooth to 1e-12.
LEAST_SHAPE, LARGEST_SHAPE = 0.05, 1e5
_SHAPES_IN_WORDS = f"at least {LEAST_SHAPE:g} and at most {LARGEST_SHAPE:g} (narrower: normal or triangular)"


@dataclass(frozen=True)
class Marginal:
    """A distribution of one number, in canonical units.

    family      constant (value) · uniform (low, high) · triangular (low, mode, high) · normal (mean, sd)
                · truncated_normal (mean, sd, low, high) · lognormal (mean and sd of the log)
                · beta (alpha, beta, low, high) · gamma (shape, scale) · weibull (shape, scale)
                · exponential (mean,) · discrete (values…, cumulative weights…)
    """

    family: str
    parameters: tuple[float, ...]

    @property
    def is_constant(self) -> bool:
        return self.family == "constant"

    def quantile(self, p: float) -> float:
        """The value that a share p of outcomes does not exceed, FIRST ≤ p ≤ LAST."""
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
        return 1 - _increasing_root(lambda p: 1.0 if self.quantile(p) > x else -1.0, FIRST, LAST)


def constant(value: float) -> Marginal:
    return Marginal("constant", (value,))


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
    return next(value for value, reached in zip(parameters[:count], parameters[count:], strict=True) if p <= reached)


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
}


# --- from what people state to a marginal ------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """The parameters with which a distribution may be stated: `required`, and `optional` with defaults."""

    required: tuple[str, ...]
    build: Callable[..., Marginal]
    optional: Mapping[str, float | None]


@dataclass(frozen=True)
class Distribution:
    """A distribution as it may be written: by one of `forms`, or by `percentiles` many percentiles."""

    forms: tuple[Form, ...]
    percentiles: int = 0
    fit: Callable[..., Marginal] | None = None
    fit_optional: tuple[str, ...] = ()

    def through(self, levels: Sequence[float], values: Sequence[float], **bounds: float) -> Marginal:
        """The one with these percentiles: `levels` in 0..1 and `values`, both rising. Raises UnusableError if there is none."""
        if self.fit is None:
            raise UnusableError("found percentiles; expected other parameters")
        fitted = self.fit(levels, values, **bounds)
        # The search for a shape ends at the bounds of what can be computed with, whether they fit or not.
        tolerance = 1e-9 * max(map(abs, values))
        if any(abs(fitted.quantile(p) - value) > tolerance for p, value in zip(levels, values, strict=True)):
            raise UnusableError(NO_SUCH_PERCENTILES)
        return fitted

    def parameters(self) -> tuple[str, ...]:
        names: dict[str, None] = {}
        for form in self.forms:
            names.update(dict.fromkeys((*form.required, *form.optional)))
        return tuple(names)

    def in_words(self) -> str:
        """What it takes: "alpha and beta, or mean and sd, or two percentiles (low and high may be added)"."""
        ways = [_listed(form.required) for form in self.forms if form.required]
        if self.percentiles:
            ways.append({1: "one percentile such as p95", 2: "two percentiles such as p5 and p95"}[self.percentiles])
        optional = dict.fromkeys(name for form in self.forms for name in form.optional)
        return ", or ".join(ways) + (f" ({_listed(tuple(optional))} may be added)" if optional else "")


def _listed(names: Sequence[str]) -> str:
    return any_of(names).replace(" or ", " and ")


class UnusableError(ValueError):
    """Parameters that make no distribution; the message says what was found and what was expected."""


# Parameters that are pure numbers; all others are amounts in the unit of the input.
PURE = frozenset({"sigma", "alpha", "beta", "shape", "weights"})


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UnusableError(message)


def _rising(low: float, high: float) -> None:
    _require(low < high, f"found low {figure(low)} and high {figure(high)}; expected low below high")


def _positive(**values: float) -> None:
    for name, value in values.items():
        _require(value > 0, f"found {name} {figure(value)}; expected it above 0")


def _build_uniform(low: float, high: float) -> Marginal:
    _rising(low, high)
    return Marginal("uniform", (low, high))


def _corners(low: float, mode: float, high: float) -> None:
    _require(low <= mode <= high and low < high,
             f"found low {figure(low)}, mode {figure(mode)}, high {figure(high)}; expected them in rising order")


def _build_triangular(low: float, mode: float, high: float) -> Marginal:
    _corners(low, mode, high)
    return Marginal("triangular", (low, mode, high))


def _build_pert(low: float, mode: float, high: float, shape: float) -> Marginal:
    _corners(low, mode, high)
    _positive(shape=shape)
    lean = shape / (high - low)
    return Marginal("beta", (1 + lean * (mode - low), 1 + lean * (high - mode), low, high))


def _build_normal(mean: float, sd: float) -> Marginal:
    _positive(sd=sd)
    return Marginal("normal", (mean, sd))


def _build_truncated_normal(mean: float, sd: float, low: float | None, high: float | None) -> Marginal:
    _positive(sd=sd)
    _require(low is not None or high is not None, "found neither low nor high; expected one or both, or the distribution normal")
    lowest, highest = -math.inf if low is None else low, math.inf if high is None else high
    _rising(lowest, highest)
    within = max(_NORMAL.cdf((highest - mean) / sd) - _NORMAL.cdf((lowest - mean) / sd),
                 _NORMAL.cdf((mean - lowest) / sd) - _NORMAL.cdf((mean - highest) / sd))
    _require(within > 1e-9, f"found low and high so far from the mean {figure(mean)} that almost nothing of the distribution is "
             "left between them; expected bounds nearer to the mean")
    return Marginal("truncated_normal", (mean, sd, lowest, highest))


def _build_lognormal(median: float, sigma: float) -> Marginal:
    _positive(median=median, sigma=sigma)
    return Marginal("lognormal", (math.log(median), sigma))


def _lognormal_from_moments(mean: float, sd: float) -> Marginal:
    _positive(mean=mean, sd=sd)
    variance = math.log1p((sd / mean) ** 2)
    return Marginal("lognormal", (math.log(mean) - variance / 2, math.sqrt(variance)))


def _build_beta(alpha: float, beta: float, low: float, high: float) -> Marginal:
    _positive(alpha=alpha, beta=beta)
    _rising(low, high)
    _require(min(alpha, beta) >= LEAST_SHAPE and max(alpha, beta) <= LARGEST_SHAPE,
             f"found a beta distribution with alpha {alpha:.4g} and beta {beta:.4g}; expected both {_SHAPES_IN_WORDS}")
    return Marginal("beta", (alpha, beta, low, high))


def _beta_from_moments(mean: float, sd: float, low: float, high: float) -> Marginal:
    _positive(sd=sd)
    _require(low < mean < high, f"found mean {figure(mean)}; expected it between low {figure(low)} and high {figure(high)}")
    m, v = (mean - low) / (high - low), (sd / (high - low)) ** 2
    _require(v < m * (1 - m), f"found sd {figure(sd)}; expected it below {math.sqrt(m * (1 - m)) * (high - low):.4g}, the most "
             f"that a mean of {figure(mean)} between {figure(low)} and {figure(high)} allows")
    total = m * (1 - m) / v - 1
    return _build_beta(m * total, (1 - m) * total, low, high)


def _build_gamma(shape: float, scale: float) -> Marginal:
    _positive(shape=shape, scale=scale)
    _require(LEAST_SHAPE <= shape <= LARGEST_SHAPE,
             f"found a gamma distribution of shape {shape:.4g}; expected {_SHAPES_IN_WORDS}")
    return Marginal("gamma", (shape, scale))


def _gamma_from_moments(mean: float, sd: float) -> Marginal:
    _positive(mean=mean, sd=sd)
    return _build_gamma((mean / sd) ** 2, sd**2 / mean)


def _build_weibull(shape: float, scale: float) -> Marginal:
    _positive(shape=shape, scale=scale)
    _require(shape >= LEAST_SHAPE, f"found a weibull distribution of shape {shape:.4g}; expected at least {LEAST_SHAPE:g}")
    return Marginal("weibull", (shape, scale))


def _build_exponential(mean: float) -> Marginal:
    _positive(mean=mean)
    return Marginal("exponential", (mean,))


def _build_discrete(values: Sequence[float], weights: Sequence[float]) -> Marginal:
    _require(len(values) == len(weights) > 0,
             f"found {len(values)} values and {len(weights)} weights; expected one weight a value")
    _require(all(a < b for a, b in pairwise(values)), "found values out of order; expected each to be above the one before")
    _require(all(weight > 0 for weight in weights), f"found the weight {figure(min(weights))}; expected all weights above 0")
    total = math.fsum(weights)
    reached = [math.fsum(weights[: k + 1]) / total for k in range(len(weights))]
    return Marginal("discrete", (*values, *reached[:-1], 1.0))


# --- through percentiles -----------------------------------------------------------------------------------


def _increasing_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function crosses zero, by bisection to the last bits (no import of an optimizer)."""
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return (low + high) / 2


NO_SUCH_PERCENTILES = ("found percentiles that no usable distribution of this kind has; expected them further apart or closer "
                       "together")


def _fitted(build: Callable[..., Marginal], *parameters: float) -> Marginal:
    try:
        return build(*parameters)
    except UnusableError:  # would name parameters that the user did not write
        raise UnusableError(NO_SUCH_PERCENTILES) from None


def _fit_uniform(p: Sequence[float], x: Sequence[float]) -> Marginal:
    slope = (x[1] - x[0]) / (p[1] - p[0])
    return _build_uniform(x[0] - p[0] * slope, x[0] + (1 - p[0]) * slope)


def _fit_normal(p: Sequence[float], x: Sequence[float]) -> Marginal:
    z = [_NORMAL.inv_cdf(q) for q in p]
    sd = (x[1] - x[0]) / (z[1] - z[0])
    return _build_normal(x[0] - sd * z[0], sd)


def _fit_lognormal(p: Sequence[float], x: Sequence[float]) -> Marginal:
    _positive(percentile=x[0])
    return Marginal("lognormal", _fit_normal(p, [math.log(v) for v in x]).parameters)


def _fit_weibull(p: Sequence[float], x: Sequence[float]) -> Marginal:
    _positive(percentile=x[0])
    e = [math.log(-math.log1p(-q)) for q in p]
    shape = (e[1] - e[0]) / math.log(x[1] / x[0])
    return _fitted(_build_weibull, shape, x[0] / math.exp(e[0] / shape))


def _fit_exponential(p: Sequence[float], x: Sequence[float]) -> Marginal:
    return _build_exponential(x[0] / -math.log1p(-p[0]))


def _fit_gamma(p: Sequence[float], x: Sequence[float]) -> Marginal:
    from scipy.special import gammaincinv

    _positive(percentile=x[0])
    wanted = math.log(x[1] / x[0])

    def excess(log_shape: float) -> float:
        shape = math.exp(log_shape)
        first, second = float(gammaincinv(shape, p[0])), float(gammaincinv(shape, p[1]))
        return wanted - math.log(second / first) if first > 0 else -math.inf

    shape = math.exp(_increasing_root(excess, math.log(LEAST_SHAPE), math.log(LARGEST_SHAPE)))
    return _fitted(_build_gamma, shape, x[0] / float(gammaincinv(shape, p[0])))


def _fit_beta(p: Sequence[float], x: Sequence[float], low: float, high: float) -> Marginal:
    from scipy.special import betainc

    _rising(low, high)
    _require(low < x[0] and x[1] < high, f"found percentiles {figure(x[0])} and {figure(x[1])}; expected them between "
             f"low {figure(low)} and high {figure(high)}")
    y = [(v - low) / (high - low) for v in x]

    def beta_for(alpha: float) -> float:
        return math.exp(_increasing_root(lambda b: float(betainc(alpha, math.exp(b), y[0])) - p[0],
                                         math.log(1e-3), math.log(1e10)))

    # With the lower percentile held, a larger alpha narrows the distribution and lifts P(X ≤ upper).
    alpha = math.exp(_increasing_root(lambda a: float(betainc(math.exp(a), beta_for(math.exp(a)), y[1])) - p[1],
                                      math.log(LEAST_SHAPE), math.log(LARGEST_SHAPE)))
    return _fitted(_build_beta, alpha, beta_for(alpha), low, high)


# In the format, but beyond this version.
LATER_DISTRIBUTIONS = ("empirical", "metalog", "mixture")
_BETWEEN: Mapping[str, float | None] = {"low": 0.0, "high": 1.0}

DISTRIBUTIONS: dict[str, Distribution] = {
    "constant": Distribution((Form(("value",), constant, {}),)),
    "uniform": Distribution((Form(("low", "high"), _build_uniform, {}),), 2, _fit_uniform),
    "triangular": Distribution((Form(("low", "mode", "high"), _build_triangular, {}),)),
    "pert": Distribution((Form(("low", "mode", "high"), _build_pert, {"shape": 4.0}),)),
    "normal": Distribution((Form(("mean", "sd"), _build_normal, {}),), 2, _fit_normal),
    "truncated_normal": Distribution((Form(("mean", "sd"), _build_truncated_normal, {"low": None, "high": None}),)),
    "lognormal": Distribution((Form(("median", "sigma"), _build_lognormal, {}),
                               Form(("mean", "sd"), _lognormal_from_moments, {})), 2, _fit_lognormal),
    "beta": Distribution((Form(("alpha", "beta"), _build_beta, _BETWEEN), Form(("mean", "sd"), _beta_from_moments, _BETWEEN)),
                         2, _fit_beta, ("low", "high")),
    "gamma": Distribution((Form(("shape", "scale"), _build_gamma, {}), Form(("mean", "sd"), _gamma_from_moments, {})),
                          2, _fit_gamma),
    "weibull": Distribution((Form(("shape", "scale"), _build_weibull, {}),), 2, _fit_weibull),
    "exponential": Distribution((Form(("mean",), _build_exponential, {}),), 1, _fit_exponential),
    "discrete": Distribution((Form(("values", "weights"), _build_discrete, {}),)),
}
