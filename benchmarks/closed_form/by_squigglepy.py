"""The four factors in squigglepy."""

from __future__ import annotations

import math

import squigglepy

from benchmarks.closed_form import FACTOR, PERCENTILES, RENTAL_PRICE, THROUGHPUT, UTILIZATION, Answer, cost

_P95 = 1.6448536269514722  # of the standard normal: a lognormal is given by its 5th and 95th percentiles


def run(trials: int) -> Answer:
    median, sigma = THROUGHPUT
    spread = math.exp(_P95 * sigma)
    factors = (squigglepy.triangular(*RENTAL_PRICE), squigglepy.lognorm(median / spread, median * spread),
               squigglepy.beta(*UTILIZATION), squigglepy.uniform(*FACTOR))
    found = cost(*(squigglepy.sample(factor, n=trials) for factor in factors))
    wanted = [100 * p for p in PERCENTILES]
    percentiles = squigglepy.get_percentiles(found, percentiles=wanted)
    return float(found.mean()), [float(percentiles[p]) for p in wanted]
