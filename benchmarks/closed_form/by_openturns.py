"""The four factors in OpenTURNS."""

from __future__ import annotations

import math

import openturns

from benchmarks.closed_form import FACTOR, PERCENTILES, RENTAL_PRICE, THROUGHPUT, UTILIZATION, Answer


def run(trials: int) -> Answer:
    median, sigma = THROUGHPUT
    factors = openturns.JointDistribution([openturns.Triangular(*RENTAL_PRICE), openturns.LogNormal(math.log(median), sigma),
                                           openturns.Beta(*UTILIZATION, 0, 1), openturns.Uniform(*FACTOR)])
    found = openturns.SymbolicFunction(["r", "t", "u", "f"], ["1e6 * r / (3600 * t * u * f)"])(factors.getSample(trials))
    return found.computeMean()[0], [found.computeQuantilePerComponent(p)[0] for p in PERCENTILES]
