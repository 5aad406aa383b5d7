"""Distributions of complete data: maximum likelihood, standard errors, AIC, Kolmogorov–Smirnov."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.fitting.candidates import (
    Bounds,
    Candidate,
    GoodnessOfFit,
    best_of,
    choice_in_words,
    is_usable,
    ranked,
    stated_parameters,
)
from simulator.fitting.families import FAMILIES, Array, Family, UnfittableError
from simulator.fitting.likelihood import aic, standard_errors

FEWEST_VALUES = 10
RESAMPLES = 399
# Resamples are no longer than this: √n times the distance hardly depends on n beyond it.
LONGEST_RESAMPLE = 1000
_SEED = 20260101
_FEW, _RARE, _TIES, _DEPENDENT = 30, 0.05, 0.2, 0.3


@dataclass(frozen=True)
class DistributionFit:
    """Candidates ranked by AIC, the one to use, and what is to be said about them. `data` is float64[n]."""

    candidates: tuple[Candidate, ...]
    best: Candidate
    warnings: tuple[str, ...]
    data: Array


def fit_distributions(data: Array, bounds: Bounds, wanted: str | None = None) -> DistributionFit:
    """Fit every family that can hold the data. Raises UnfittableError.

    data    float64[n], in the unit of the parameters, in the order in which they were observed
    bounds  of the quantity
    wanted  the candidate to use, in place of the best
    """
    _check(data, bounds)
    low, high = bounds.between or (0.0, 1.0)
    asked = [family for family in FAMILIES if family.name != "beta" or bounds.between]
    families = [family for family in asked if family.supports(data, low, high)]
    fitted = [_candidate(family, data, bounds, low, high) for family in families]
    candidates = ranked([candidate for candidate in fitted if candidate is not None])
    best = best_of(candidates, wanted)
    left_out = [family.name for family in asked if family not in families]
    return DistributionFit(candidates, best, tuple(_warnings(data, bounds, candidates, best, left_out, wanted)), data)


def _check(data: Array, bounds: Bounds) -> None:
    if len(data) < FEWEST_VALUES:
        raise UnfittableError(f"found {len(data)} value{'s' * (len(data) != 1)}; expected at least {FEWEST_VALUES} to fit a "
                              "distribution to")
    if np.ptp(data) <= 1e-12 * np.max(np.abs(data)):
        raise UnfittableError(f"found {len(data):,} values that are all {data[0]:g}; expected some spread: write the number "
                              "itself in the study")
    outside = int(np.sum((data < bounds.low) | (data > bounds.high)))
    if outside and bounds.stated:
        raise UnfittableError(f"found {outside:,} of {len(data):,} values outside {bounds.low:g} to {bounds.high:g}, where this "
                              "quantity lies; expected another unit, another column, or other --low and --high")


def _candidate(family: Family, data: Array, bounds: Bounds, low: float, high: float) -> Candidate | None:
    own = {"low": low, "high": high} if family.name == "beta" else {}
    values = family.fitted(data, low, high)
    if not np.all(np.isfinite(values)) or (family.name != "normal" and np.any(values <= 0)):
        return None

    def log_likelihood(parameters: Array) -> float:
        return float(np.sum(family.frozen(*parameters, **own).logpdf(data)))

    best = log_likelihood(values)
    if not math.isfinite(best):
        return None
    steps = 0.05 / math.sqrt(len(data)) * np.abs(values)
    if family.name == "normal":
        steps[:] = 0.05 / math.sqrt(len(data)) * values[1]
    errors = standard_errors(log_likelihood, values, steps)
    parameters = stated_parameters(family.name, values, (low, high))
    return Candidate(
        family.name, parameters, {} if errors is None else dict(zip(family.parameters, map(float, errors), strict=True)), best,
        aic(best, len(values)), is_usable(family.name, parameters, bounds), goodness_of_fit(family, values, data, low, high))


def goodness_of_fit(family: Family, values: Array, data: Array, low: float = 0.0, high: float = 1.0) -> GoodnessOfFit:
    """Kolmogorov–Smirnov with a p-value by parametric bootstrap: the tables are for parameters known beforehand.

    RESAMPLES samples are drawn from the fit and fitted again, each compared with its own fit (after Lilliefors 1967).
    """
    own = {"low": low, "high": high} if family.name == "beta" else {}
    found = _distance(family.frozen(*values, **own), np.sort(data))
    count = min(len(data), LONGEST_RESAMPLE)
    drawn = family.frozen(*values, **own).rvs(size=(RESAMPLES, count), random_state=np.random.default_rng(_SEED))
    if family.name != "normal":  # a draw may round to the end of its range, where logarithms end
        drawn = np.clip(drawn, np.nextafter(low, high), np.nextafter(high, low)) if own else np.maximum(drawn, 1e-300)
    refitted = family.fitted(drawn, low, high)
    distances = _distance(family.frozen(*(column[:, None] for column in refitted.T), **own), np.sort(drawn, -1))
    larger = int(np.sum(math.sqrt(count) * distances >= math.sqrt(len(data)) * found))
    return GoodnessOfFit(float(found), (1 + larger) / (RESAMPLES + 1))


def _distance(frozen: Any, ordered: Array) -> Any:
    """Largest distance between a distribution and the steps of a sample, over the last axis."""
    count = ordered.shape[-1]
    reached, ranks = frozen.cdf(ordered), np.arange(count) / count
    return np.maximum((reached - ranks).max(-1), (ranks + 1 / count - reached).max(-1))


def _warnings(data: Array, bounds: Bounds, candidates: tuple[Candidate, ...], best: Candidate,
              left_out: list[str], wanted: str | None) -> list[str]:
    said = []
    if len(data) < _FEW:
        said.append(f"{len(data)} values are few: they hardly tell one distribution from another")
    if left_out:
        said.append(f"not fitted, since some values lie at or beyond the ends of their range: {', '.join(left_out)}")
    said += choice_in_words(candidates, best, bounds, wanted)
    if best.goodness and best.goodness.p_value < _RARE:
        said.append(f"{best.distribution} is the best candidate but does not fit (Kolmogorov–Smirnov p = "
                    f"{best.goodness.p_value:.2g}): look at --picture, and at what happened where it bends away")
    if len(np.unique(data)) < (1 - _TIES) * len(data):
        said.append("many values are equal: they were rounded or counted, and the Kolmogorov–Smirnov test takes that for misfit")
    if len(data) >= _FEW and (correlation := _serial_correlation(data)) > _DEPENDENT:
        said.append(f"neighbouring values are alike (correlation {correlation:.2f} from one to the next): standard errors and "
                    "p-values, which take them for independent, are too small")
    return said


def _serial_correlation(data: Array) -> float:
    centred = data - data.mean()
    return float(np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2))
