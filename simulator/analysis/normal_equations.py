"""Least squares from sums of products: many small systems at once, also where inputs say the same thing."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.kernels.regression import solve_normal_equations

Array = np.ndarray[Any, np.dtype[np.float64]]
# Of the number of trials, where columns have a variance of about 1: too little to be seen, but enough to share out what
# columns that repeat one another say, and to give nothing to a column without trials.
RIDGE = 1e-9


def solved(gram: Array, moments: Array, trials: Array) -> Array:
    """Coefficients β of (gram + RIDGE·trials·1) β = moments, system by system: float64[S, O, K].

    gram float64[S, K, K]; moments float64[S, O, K]; trials [S]: how many the sums are over
    """
    coefficients = np.empty(moments.shape)
    solve_normal_equations(np.array(gram), np.ascontiguousarray(moments), RIDGE * np.asarray(trials, float), coefficients)
    return coefficients
