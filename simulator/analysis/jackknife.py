"""Error and bias of a statistic that is no mean: computed again with each replicate left out.

A replicate alone may hold too few trials for a regression; all but one hold nearly as many as all. Replicates are independent
under every sampler, so that what is found is right for Sobol' points too, whose noise is not that of independent trials.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, student_quantile

Array = np.ndarray[Any, np.dtype[np.float64]]


def jackknife(pooled: float, left_out: Array) -> Estimate:
    """θ ± t_{R−1} √((R−1)/R · Σ(θ_(r) − mean)²), θ_(r) the statistic without replicate r, float64[R].

    Of θ what goes as 1/R is taken away: θ = R·pooled − (R−1)·mean, which no longer holds what a regression explains by chance.
    Sources: Quenouille, Notes on bias in estimation, Biometrika 43 (1956); Efron and Stein, Annals of Statistics 9 (1981).
    """
    count, pooled = len(left_out), float(pooled)
    pooled += (count - 1) * (pooled - float(left_out.mean()))
    error = math.sqrt((count - 1) / count * float(np.sum((left_out - left_out.mean()) ** 2)))
    half = student_quantile(count - 1) * error
    return Estimate(pooled, error, pooled - half, pooled + half)


def without_each(by_replicate: Array) -> Array:
    """Sums over all replicates but one, for each one: the shape stays, float64[R, …]."""
    found: Array = by_replicate.sum(axis=0) - by_replicate
    return found
