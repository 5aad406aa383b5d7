"""Distributions of lifetimes, of which some are only known to be longer than what was observed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.fitting.candidates import Bounds, Candidate, best_of, choice_in_words, is_usable, ranked, stated_parameters
from simulator.fitting.families import FAMILIES, Array, Family, UnfittableError
from simulator.fitting.likelihood import aic, standard_errors

FEWEST_FAILURES = 5
_FEW_FAILURES = 20
_FAR = 1.36  # 95 % point of √n times Kolmogorov's distance: for parameters that were fitted, on the safe side


@dataclass(frozen=True)
class Lifetimes:
    """float64[n] each: time observed, 1 where it ended in failure, age when observation began (0: from new)."""

    duration: Array
    failed: Array
    entry: Array


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan–Meier: at each time of failure, float64[k] rising, the share that is still alive just after it."""

    times: Array
    alive: Array


@dataclass(frozen=True)
class LifetimeFit:
    """Candidates ranked by AIC, the one to use, and what is to be said about them."""

    candidates: tuple[Candidate, ...]
    best: Candidate
    warnings: tuple[str, ...]
    curve: SurvivalCurve


def fit_lifetimes(data: Lifetimes, bounds: Bounds, wanted: str | None = None) -> LifetimeFit:
    """Fit every family of lifetimes by censored and truncated likelihood. Raises UnfittableError.

    log L = Σ_failed log f(t) + Σ_alive log S(t) − Σ log S(entry)    (Lawless 2003, Statistical Models and Methods for
    Lifetime Data, §2.4). Censoring has to say nothing about the failure that did not come to be seen.
    """
    _check(data)
    grouped, counts = _grouped(data)
    curve = kaplan_meier(data)
    fitted = [_candidate(family, grouped, counts, bounds, curve) for family in FAMILIES if family.lifetimes]
    candidates = ranked([candidate for candidate in fitted if candidate is not None])
    if not candidates:
        raise UnfittableError("found lifetimes to which no distribution can be fitted; expected failures at different ages")
    best = best_of(candidates, wanted)
    return LifetimeFit(candidates, best, tuple(_warnings(data, bounds, candidates, best, curve, wanted)), curve)


def log_likelihood(family: Family, parameters: Array, data: Lifetimes, counts: Array) -> float:
    """Log-likelihood of lifetimes that occur `counts` times each."""
    frozen, failed = family.frozen(*parameters), data.failed == 1
    said = np.where(failed, frozen.logpdf(np.where(failed, data.duration, 1.0)), frozen.logsf(data.duration))
    return float(np.sum(counts * (said - np.where(data.entry > 0, frozen.logsf(data.entry), 0.0))))


def kaplan_meier(data: Lifetimes) -> SurvivalCurve:
    """Share alive by age; a unit is at risk from its entry on (Kaplan and Meier 1958)."""
    times, deaths = np.unique(data.duration[data.failed == 1], return_counts=True)
    # At risk at t: those with entry < t ≤ duration.
    entered = np.searchsorted(np.sort(data.entry), times, "left")
    left = np.searchsorted(np.sort(data.duration), times, "left")
    return SurvivalCurve(times, np.cumprod(1 - deaths / (entered - left)))


def _check(data: Lifetimes) -> None:
    failures, total = int(data.failed.sum()), float(np.sum(data.duration - data.entry))
    if failures == 0:
        raise UnfittableError(f"found no failure in {len(data.duration):,} units; expected at least {FEWEST_FAILURES}. What such "
                              f"data do say: with 95 % confidence the failure rate is below {-math.log(0.05) / total:.3g} per "
                              "unit of time")
    if failures < FEWEST_FAILURES:
        raise UnfittableError(f"found {failures} failure{'s' * (failures != 1)} among {len(data.duration):,} units; expected at "
                              f"least {FEWEST_FAILURES} to fit a distribution to")
    ages = data.duration[data.failed == 1]
    if np.ptp(ages) <= 1e-12 * np.max(ages):
        raise UnfittableError(f"found failures that all came at {ages[0]:g}; expected different ages")


def _grouped(data: Lifetimes) -> tuple[Lifetimes, Array]:
    """Each distinct unit once, with how often it occurs: fleets are bought, and read, in batches."""
    rows, counts = np.unique(np.stack([data.duration, data.failed, data.entry], -1), axis=0, return_counts=True)
    return Lifetimes(rows[:, 0], rows[:, 1], rows[:, 2]), counts.astype(float)


def _candidate(family: Family, data: Lifetimes, counts: Array, bounds: Bounds, curve: SurvivalCurve) -> Candidate | None:
    from scipy.optimize import minimize

    failures = float(np.sum(counts * data.failed))
    at_risk = float(np.sum(counts * (data.duration - data.entry)))
    mean = at_risk / failures  # what an exponential distribution would have

    def loss(logs: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = -log_likelihood(family, np.exp(logs), data, counts)
        return value if math.isfinite(value) else 1e300

    start = {"weibull": (1.0, mean), "gamma": (1.0, mean), "lognormal": (mean, 1.0), "exponential": (mean,)}[family.name]
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000, "maxfev": 4000, "initial_simplex": _simplex(np.log(start))}
    found = minimize(loss, np.log(start), method="Nelder-Mead", options=options)
    values = np.exp(found.x)
    if not found.success or not np.all(np.isfinite(values)) or found.fun >= 1e300:
        return None
    errors = standard_errors(lambda at: log_likelihood(family, at, data, counts), values, 0.05 / math.sqrt(failures) * values)
    parameters = stated_parameters(family.name, values)
    return Candidate(
        family.name, parameters, {} if errors is None else dict(zip(family.parameters, map(float, errors), strict=True)),
        -float(found.fun), aic(-float(found.fun), len(values)), is_usable(family.name, parameters, bounds),
        kaplan_meier_distance=_distance(family.frozen(*values).sf(curve.times), curve))


def _distance(alive: Array, curve: SurvivalCurve) -> float:
    """Largest distance of a fitted share alive from the curve, just before and just after each failure."""
    before = np.concatenate([[1.0], curve.alive[:-1]])
    return float(np.maximum(np.abs(alive - curve.alive), np.abs(alive - before)).max())


def _simplex(start: Array) -> Array:
    return np.vstack([start, start + 0.5 * np.eye(len(start))])


def _warnings(data: Lifetimes, bounds: Bounds, candidates: tuple[Candidate, ...], best: Candidate,
              curve: SurvivalCurve, wanted: str | None) -> list[str]:
    said = []
    failures = int(data.failed.sum())
    if failures < _FEW_FAILURES:
        said.append(f"{failures} failures are few: they hardly tell one distribution from another")
    said += choice_in_words(candidates, best, bounds, wanted)
    distance = best.kaplan_meier_distance or 0.0
    if distance > _FAR / math.sqrt(failures):
        said.append(f"{best.distribution} lies up to {distance:.1%} from the share alive by Kaplan–Meier, which chance does not "
                    "do: look at --picture")
    if curve.alive[-1] > 0.5:
        medians = ", ".join(f"{one.distribution} {one.frozen.median():.3g}" for one in candidates[:3])
        said.append(f"{100 * curve.alive[-1]:.0f} % were still alive at {curve.times[-1]:.3g}, the last failure seen: later "
                    f"ages, and so the median, are extrapolated and depend on the distribution ({medians})")
    return said
