"""Ranks of values whose order is known, and bins that hold about as many each."""

from __future__ import annotations

import numpy as np

from simulator.kernels.jit import jit


@jit
def rank_positions(order, values, ranks):
    """Ranks 0 … n − 1 of values, those of equal ones averaged.

    order int64[n], which sorts values float64[n]; ranks float64[n], filled
    """
    n = values.size
    start = 0
    while start < n:
        end = start + 1
        while end < n and values[order[end]] == values[order[start]]:
            end += 1
        for k in range(start, end):
            ranks[order[k]] = 0.5 * (start + end - 1)
        start = end


@jit
def bin_positions(order, values, bins, places, edges):
    """Put values into about equally filled bins, equal ones into one; returns how many bins there are.

    bins    the most that there may be
    places  int64[n], filled: each value's bin, from 0
    edges   float64[bins + 1], filled: a bin holds the values between its edge and the next, halfway between neighbours
    """
    n = values.size
    used, begun = 0, 0
    edges[0] = -np.inf
    for k in range(n):
        if k * bins // n > begun and values[order[k]] > values[order[k - 1]]:
            begun = k * bins // n
            used += 1
            edges[used] = 0.5 * (values[order[k - 1]] + values[order[k]])
        places[order[k]] = used
    edges[used + 1] = np.inf
    return used + 1
