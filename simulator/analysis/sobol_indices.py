"""Sobol' indices from pick-freeze samples: which share of a variance each independent input explains.

An input's first-order index is the share of the variance that goes where the input becomes known; its total index the share
that stays where everything else is known. Both from two independent samples A and B, and from A with one input at a time
out of B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, ratio_of_sums, sectioning

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Indices:
    """The variance of an output, and the first-order and total index of each input."""

    variance: Estimate
    first: tuple[Estimate, ...]
    total: tuple[Estimate, ...]


def sobol_indices(kept: Array, fresh: Array, swapped: Array) -> Indices | None:
    """First-order and total indices; None where the output is constant.

    kept, fresh  float64[replicates, n]: outputs at A and at B
    swapped      float64[inputs, replicates, n]: outputs at A with one input out of B
    First: Saltelli et al., Computer Physics Communications 181 (2010), 259–270, table 2 (b), of centred outputs. Total: Jansen,
    Computer Physics Communications 117 (1999), 35–43. Errors from replicates, as of ratios of sums.
    """
    if is_constant(kept) and is_constant(fresh):
        return None
    centre = 0.5 * (kept.mean() + fresh.mean())
    a, b = kept - centre, fresh - centre
    variances = 0.5 * ((a * a).mean(axis=1) + (b * b).mean(axis=1))
    first, total = [], []
    for output in swapped:
        moved = output - kept
        first.append(ratio_of_sums((b * moved).mean(axis=1), variances))
        total.append(ratio_of_sums(0.5 * (moved * moved).mean(axis=1), variances))
    return Indices(sectioning(variances.mean(), variances), tuple(first), tuple(total))


def is_constant(outputs: Array) -> bool:
    """Whether nothing varies."""
    return bool(outputs.min() == outputs.max())
