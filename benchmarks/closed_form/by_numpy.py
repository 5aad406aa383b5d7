"""The four factors in NumPy."""

from __future__ import annotations

import numpy as np

from benchmarks.closed_form import FACTOR, PERCENTILES, RENTAL_PRICE, THROUGHPUT, UTILIZATION, Answer


def run(trials: int) -> Answer:
    rng = np.random.Generator(np.random.SFC64(1))
    median, sigma = THROUGHPUT
    divisor = rng.standard_normal(trials)
    divisor *= sigma
    np.exp(divisor, out=divisor)
    divisor *= rng.beta(*UTILIZATION, trials)
    divisor *= rng.uniform(*FACTOR, trials)
    found = rng.triangular(*RENTAL_PRICE, trials)
    found *= 1e6 / (3600 * median)
    found /= divisor
    mean = float(found.mean())
    found.sort()
    return mean, [float(found[int(np.ceil(trials * p)) - 1]) for p in PERCENTILES]
