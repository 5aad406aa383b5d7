"""Distributions: the forms in which people state them.

Each form builds a `Marginal` in its plainest parameters. A distribution through percentiles has these percentiles to 1e-9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from simulator.study.builders import (
    UnusableError,
    beta_from_moments,
    build_beta,
    build_discrete,
    build_exponential,
    build_gamma,
    build_lognormal,
    build_normal,
    build_pert,
    build_triangular,
    build_truncated_normal,
    build_uniform,
    build_weibull,
    gamma_from_moments,
    lognormal_from_moments,
)
from simulator.study.families import Marginal, constant
from simulator.study.metalog import MOST_TERMS
from simulator.study.percentile_fits import (
    NO_SUCH_PERCENTILES,
    fit_beta,
    fit_exponential,
    fit_gamma,
    fit_lognormal,
    fit_metalog,
    fit_normal,
    fit_uniform,
    fit_weibull,
)
from simulator.study.problems import any_of

# Parameters that are pure numbers; all others are amounts in the unit of the input.
PURE = frozenset({"sigma", "alpha", "beta", "shape", "weights"})


@dataclass(frozen=True)
class Form:
    """The parameters with which a distribution may be stated: `required`, and `optional` with defaults."""

    required: tuple[str, ...]
    build: Callable[..., Marginal]
    optional: Mapping[str, float | None]


@dataclass(frozen=True)
class Distribution:
    """A distribution as it may be written: by one of `forms`, or by `percentiles` many percentiles (or more, up to `most`)."""

    forms: tuple[Form, ...]
    percentiles: int = 0
    fit: Callable[..., Marginal] | None = None
    fit_optional: Mapping[str, float | None] = field(default_factory=dict)
    most: int = 0

    def takes(self, count: int) -> bool:
        """Whether it may be stated by so many percentiles."""
        return self.fit is not None and self.percentiles <= count <= max(self.percentiles, self.most)

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
        return tuple({**names, **dict.fromkeys(self.fit_optional)})

    def in_words(self) -> str:
        """What it takes: "alpha and beta, or mean and sd, or two percentiles (low and high may be added)"."""
        ways = [_listed(form.required) for form in self.forms if form.required]
        if self.percentiles:
            ways.append({1: "one percentile such as p95", 2: "two percentiles such as p5 and p95",
                         3: f"three to {self.most} percentiles such as p10, p50 and p90"}[self.percentiles])
        optional = dict.fromkeys((*(name for form in self.forms for name in form.optional), *self.fit_optional))
        return ", or ".join(ways) + (f" ({_listed(tuple(optional))} may be added)" if optional else "")


def _listed(names: Sequence[str]) -> str:
    return any_of(names).replace(" or ", " and ")


_BETWEEN: Mapping[str, float | None] = {"low": 0.0, "high": 1.0}
# Made of other things than numbers; read in `compound`.
COMPOUND = {"empirical": "takes file and column", "mixture": "takes components: a list of {weight, and a distribution}"}

DISTRIBUTIONS: dict[str, Distribution] = {
    "constant": Distribution((Form(("value",), constant, {}),)),
    "uniform": Distribution((Form(("low", "high"), build_uniform, {}),), 2, fit_uniform),
    "triangular": Distribution((Form(("low", "mode", "high"), build_triangular, {}),)),
    "pert": Distribution((Form(("low", "mode", "high"), build_pert, {"shape": 4.0}),)),
    "normal": Distribution((Form(("mean", "sd"), build_normal, {}),), 2, fit_normal),
    "truncated_normal": Distribution((Form(("mean", "sd"), build_truncated_normal, {"low": None, "high": None}),)),
    "lognormal": Distribution((Form(("median", "sigma"), build_lognormal, {}),
                               Form(("mean", "sd"), lognormal_from_moments, {})), 2, fit_lognormal),
    "beta": Distribution((Form(("alpha", "beta"), build_beta, _BETWEEN), Form(("mean", "sd"), beta_from_moments, _BETWEEN)),
                         2, fit_beta, _BETWEEN),
    "gamma": Distribution((Form(("shape", "scale"), build_gamma, {}), Form(("mean", "sd"), gamma_from_moments, {})),
                          2, fit_gamma),
    "weibull": Distribution((Form(("shape", "scale"), build_weibull, {}),), 2, fit_weibull),
    "exponential": Distribution((Form(("mean",), build_exponential, {}),), 1, fit_exponential),
    "discrete": Distribution((Form(("values", "weights"), build_discrete, {}),)),
    "metalog": Distribution((), 3, fit_metalog, {"low": None, "high": None}, MOST_TERMS),
}
