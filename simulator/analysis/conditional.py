"""Means of a result given that an input is low or high."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, ratio_of_sums

Array = np.ndarray[Any, np.dtype[np.float64]]
SHARE = 0.1
_ROUNDING = 1e-9  # relative: values that quantile functions make of one number


@dataclass(frozen=True)
class Given:
    """Mean of a result over the trials in which an input lies at or beyond a threshold, which are a `share` of all."""

    threshold: float
    share: float
    mean: Estimate


def given_low_and_high(values: Array, results: Array, share: float = SHARE) -> list[tuple[Given, Given]]:
    """The mean of each result where an input is within its lowest and within its highest `share` of trials.

    values   float64[replicates, trials] of the input
    results  float64[results, replicates, trials] of the same trials, so that all that comes along with a low input counts
    Trials that equal the threshold all belong to it: of an input of few values the share may be much larger.
    The error is that of a ratio of sums, by replicates. Source: Cochran, Sampling Techniques (1977), ch. 6.
    """
    count = max(round(values.size * share), 1)
    low = float(np.partition(values.ravel(), count - 1)[count - 1])
    high = float(np.partition(values.ravel(), values.size - count)[values.size - count])
    low_end, high_end = low + _ROUNDING * abs(low), high - _ROUNDING * abs(high)
    return list(zip(_means(values <= low_end, results, low), _means(values >= high_end, results, high), strict=True))


def _means(chosen: Any, results: Array, threshold: float) -> list[Given]:
    counts = chosen.sum(axis=1)
    found = []
    for result in results:
        # Replicates may hold different numbers of chosen trials, or none.
        mean = ratio_of_sums(np.sum(result, axis=1, where=chosen), counts)
        found.append(Given(threshold, float(counts.sum() / chosen.size), mean))
    return found
