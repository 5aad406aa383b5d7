"""Stochastic dominance between two costs: whether one is better whatever one thinks of risk, or for whoever dislikes it.

Of two costs A and B, A dominates at first order where P(A > x) ≤ P(B > x) for every x: no percentile of A is above that of B, and
whoever prefers less to more prefers A. It dominates at second order (in the increasing convex order, costs being bad) where
E[(A − x)⁺] ≤ E[(B − x)⁺] for every x: no expected shortfall of A is above that of B, and whoever also dislikes risk prefers A.
Source: Shaked and Shanthikumar, Stochastic Orders (2007), chapters 1 and 4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulator.analysis.intervals import CONFIDENCE, Estimate

Array = np.ndarray[Any, np.dtype[np.float64]]

DOMINATES, EQUAL, DOES_NOT, UNDECIDED = "dominates", "equal", "does not dominate", "undecided: within simulation error"
# Differences under this share of the largest number among those that are compared are rounding.
_ROUNDING = 1e-12


def largest_violation(this: Array, that: Array, least_high: float = 0.0, most: float = math.inf) -> Estimate:
    """By how much one function is above another at the worst, ≥ 0, with bounds at 95 % that hold for all points together.

    this, that  the functions of two costs that dominance compares, in each replicate: float64[replicates, points]
    least_high  what the upper bound is at least: what the trials could not have seen
    most        what no violation can exceed
    Replicate means have a t interval at each point, widened for their number (Bonferroni).
    """
    from scipy.special import stdtrit

    replicates, points = this.shape
    apart = this - that
    apart[np.abs(apart) <= _ROUNDING * max(np.abs(this).max(), np.abs(that).max())] = 0.0
    mean, error = apart.mean(axis=0), apart.std(axis=0, ddof=1) / math.sqrt(replicates)
    half = float(stdtrit(replicates - 1, 1 - (1 - CONFIDENCE) / 2 / points)) * error
    worst = int(np.argmax(mean) if mean.max() > 0 else np.argmax(mean + half))
    return Estimate(max(float(mean[worst]), 0.0), float(error[worst]), max(float(np.max(mean - half)), 0.0),
                    min(max(float(np.max(mean + half)), least_high, 0.0), most))


def verdict(violation: Estimate, reverse: Estimate) -> str:
    """Whether one dominates the other, from what violates that and from what violates the reverse.

    Dominates: violated nowhere in the trials, while the reverse is by more than chance would. Equal: neither is violated
    anywhere. Does not dominate: violated by more than chance would. Else the trials cannot tell.
    """
    if violation.value == reverse.value == 0:
        return EQUAL
    if violation.low > 0:
        return DOES_NOT
    return DOMINATES if violation.value == 0 and reverse.low > 0 else UNDECIDED
