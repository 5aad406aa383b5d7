"""Standard errors from a likelihood: the observed information, and Akaike's criterion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def aic(log_likelihood: float, parameters: int) -> float:
    """Akaike's information criterion, 2 p − 2 log L: smaller is better, and only differences mean something."""
    return 2 * parameters - 2 * log_likelihood


def standard_errors(log_likelihood: Callable[[Array], float], at: Array, steps: Array) -> Array | None:
    """Roots of the diagonal of the inverse of −∇² log L at a maximum; None where it has no inverse with such roots.

    at     float64[p], the maximum
    steps  float64[p], small against the errors that are looked for
    """
    count = len(at)
    information = np.empty((count, count))
    middle = log_likelihood(at)
    unit = np.diag(steps)
    for i in range(count):
        for j in range(i + 1):
            if i == j:
                second = log_likelihood(at + unit[i]) - 2 * middle + log_likelihood(at - unit[i])
            else:
                second = (log_likelihood(at + unit[i] + unit[j]) - log_likelihood(at + unit[i] - unit[j])
                          - log_likelihood(at - unit[i] + unit[j]) + log_likelihood(at - unit[i] - unit[j])) / 4
            information[i, j] = information[j, i] = -second / (steps[i] * steps[j])
    if not np.all(np.isfinite(information)):
        return None
    try:
        variances = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        return None
    return np.sqrt(variances) if np.all(variances > 0) else None
