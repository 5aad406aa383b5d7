"""The four factors in chaospy."""

from __future__ import annotations

import math

import chaospy
import numpy as np

from benchmarks.closed_form import FACTOR, PERCENTILES, RENTAL_PRICE, THROUGHPUT, UTILIZATION, Answer, cost


def run(trials: int) -> Answer:
    median, sigma = THROUGHPUT
    factors = chaospy.J(chaospy.Triangle(*RENTAL_PRICE), chaospy.LogNormal(math.log(median), sigma), chaospy.Beta(*UTILIZATION),
                        chaospy.Uniform(*FACTOR))
    found = cost(*factors.sample(trials, rule="random"))
    return float(found.mean()), np.quantile(found, PERCENTILES).tolist()
