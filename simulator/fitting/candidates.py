"""A fitted distribution, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.fitting.families import FAMILY, UnfittableError
from simulator.study.builders import UnusableError
from simulator.study.distributions import DISTRIBUTIONS
from simulator.study.families import Marginal
from simulator.study.problems import any_of

Array = np.ndarray[Any, np.dtype[np.float64]]
_CLOSE = 2.0  # a difference of AIC that says nothing


@dataclass(frozen=True)
class Bounds:
    """Where values of a quantity may lie.

    between  the ends between which beta is fitted; None where it is no candidate
    stated   whether the user or the quantity says so, and not the data
    """

    low: float = -np.inf
    high: float = np.inf
    between: tuple[float, float] | None = None
    stated: bool = False


@dataclass(frozen=True)
class GoodnessOfFit:
    """Kolmogorov–Smirnov distance, and its p-value for parameters that were fitted to the same data."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class Candidate:
    """One distribution, fitted by maximum likelihood. `parameters` are those of the study format, in the data's unit.

    standard_errors  by parameter; empty where the likelihood is too flat to have them
    usable           whether a study can draw from it, inside the bounds of its quantity
    goodness         of complete data
    kaplan_meier_distance  of censored data: the largest between the share alive by the fit and by Kaplan and Meier
    """

    distribution: str
    parameters: Mapping[str, float]
    standard_errors: Mapping[str, float]
    log_likelihood: float
    aic: float
    usable: bool
    goodness: GoodnessOfFit | None = None
    kaplan_meier_distance: float | None = None

    @property
    def frozen(self) -> Any:
        """The distribution of scipy.stats."""
        own = FAMILY[self.distribution].parameters
        bounds = {name: value for name, value in self.parameters.items() if name not in own}
        return FAMILY[self.distribution].frozen(*(self.parameters[name] for name in own), **bounds)

    def document(self) -> dict[str, Any]:
        """For JSON. What does not apply is absent."""
        said: dict[str, Any] = {"distribution": self.distribution, **self.parameters,
                                "standard_errors": dict(self.standard_errors), "log_likelihood": self.log_likelihood,
                                "aic": self.aic, "usable": self.usable}
        if self.goodness:
            said["ks"] = {"statistic": self.goodness.statistic, "p_value": self.goodness.p_value}
        if self.kaplan_meier_distance is not None:
            said["kaplan_meier_distance"] = self.kaplan_meier_distance
        return said


def stated_parameters(name: str, values: Iterable[float], between: tuple[float, float] = (0.0, 1.0)) -> dict[str, float]:
    """Parameters by name as the format has them; beta's bounds where they are not 0 and 1."""
    parameters = dict(zip(FAMILY[name].parameters, map(float, values), strict=True))
    if name == "beta" and between != (0, 1):
        parameters |= {"low": float(between[0]), "high": float(between[1])}
    return parameters


def is_usable(name: str, parameters: Mapping[str, float], bounds: Bounds) -> bool:
    """Whether a study can draw from it, and draws nothing outside the bounds."""
    form = DISTRIBUTIONS[name].forms[0]
    try:
        marginal: Marginal = form.build(**{**form.optional, **parameters})
        low, high = marginal.support()
    except (UnusableError, ArithmeticError, ValueError):
        return False
    return bool(np.isfinite(low) and np.isfinite(high) and bounds.low <= low and high <= bounds.high)


def ranked(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """By AIC, the best first."""
    return tuple(sorted(candidates, key=lambda candidate: candidate.aic))


def best_of(candidates: Sequence[Candidate], wanted: str | None = None) -> Candidate:
    """The one that is wanted; else the first that a study can use; the first of all where none can be used.

    Raises UnfittableError where the one that is wanted is no candidate.
    """
    if wanted:
        for candidate in candidates:
            if candidate.distribution == wanted:
                return candidate
        raise UnfittableError(f"found data that {wanted} cannot have, or for which its likelihood has no maximum; expected "
                              f"{any_of(candidate.distribution for candidate in candidates)}")
    return next((candidate for candidate in candidates if candidate.usable), candidates[0])


def choice_in_words(candidates: Sequence[Candidate], best: Candidate, bounds: Bounds, wanted: str | None) -> list[str]:
    """What is to be said of the choice: candidates passed over, and others that fit about as well."""
    said = []
    passed = ", ".join(candidate.distribution for candidate in candidates[:candidates.index(best)])
    reach = f"outside {bounds.low:g} to {bounds.high:g}, where this quantity lies"
    if not best.usable:
        said.append(f"{best.distribution} reaches {reach}: a study refuses it")
    elif passed and wanted:
        said.append(f"asked for, though the AIC of others is smaller: {passed}")
    elif passed:
        said.append(f"passed over, though the AIC is smaller: {passed}, reaching {reach}")
    near = ", ".join(other.distribution for other in candidates
                     if other is not best and other.usable and abs(other.aic - best.aic) < _CLOSE)
    if near and best.usable:
        said.append(f"the data hardly tell {best.distribution} from {near} (AIC within {_CLOSE:g}): run the study with each")
    return said
