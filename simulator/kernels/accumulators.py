"""Statistics of a stream of trials in constant memory: moments by block, counts by bin, values by bracket.

Bins divide the *ordered bit patterns* of doubles: an order that agrees with the order of the numbers, spaced
evenly within each power of two, so that any range of values has bins of about equal relative width.
"""

from __future__ import annotations

import numpy as np

from simulator.kernels.jit import bits_of, inline, jit

# Columns of a row's moments.
SUM, SUM_OF_SQUARES = 0, 1  # of x − centre
_SIGN = np.uint64(1 << 63)


@inline
def order_key(x):
    """A uint64 that is ordered as the doubles are (−0 just under 0)."""
    bits = np.uint64(bits_of(x))
    return ~bits if bits & _SIGN else bits | _SIGN


@jit
def order_keys(values, keys):
    """keys[i] = the order key of values[i]; float64[n] to uint64[n]."""
    for i in range(values.size):
        keys[i] = order_key(values[i])


@jit
def block_moments(results, centres, block, sums, extremes):
    """Sums of a chunk, block by block.

    results   float64[rows, n]; centres float64[rows], subtracted before squaring
    sums      float64[blocks, rows, 2], filled
    extremes  float64[rows, 2]: least and largest, carried on
    Returns the first position with a value that is not finite, or −1.
    """
    rows, n = results.shape
    bad = -1
    for row in range(rows):
        centre, low, high = centres[row], extremes[row, 0], extremes[row, 1]
        for b in range(sums.shape[0]):
            total, squares = 0.0, 0.0
            for i in range(b * block, min(n, (b + 1) * block)):
                x = results[row, i]
                if not np.isfinite(x) and (bad < 0 or i < bad):
                    bad = i
                low, high = min(low, x), max(high, x)
                total += x - centre
                squares += (x - centre) ** 2
            sums[b, row, SUM] = total
            sums[b, row, SUM_OF_SQUARES] = squares
        extremes[row, 0], extremes[row, 1] = low, high
    return bad


@jit
def count_bins(values, low, shift, counts):
    """counts[0] += values whose key is below `low`; then equal bins of 2^shift keys each; the last takes all above.

    values float64[n]; low uint64; shift int64 < 64; counts int64[bins]
    """
    last = counts.size - 1
    for i in range(values.size):
        key = order_key(values[i])
        if key < low:
            counts[0] += 1
        else:
            step = (key - low) >> np.uint64(shift)
            counts[np.int64(step) + 1 if step < np.uint64(last) else last] += 1


@jit
def pick(values, low, shift, flags, kept):
    """Copy the values that fall in flagged bins (as `count_bins` lays them) to `kept`; returns how many.

    values float64[n]; flags bool[bins]; kept float64[≥ those flagged]
    """
    last = flags.size - 1
    filled = 0
    for i in range(values.size):
        key = order_key(values[i])
        place = 0
        if key >= low:
            step = (key - low) >> np.uint64(shift)
            place = np.int64(step) + 1 if step < np.uint64(last) else last
        if flags[place]:
            kept[filled] = values[i]
            filled += 1
    return filled


@jit
def sums_outside(values, low, high, block, sums):
    """Sums of the values whose key is below `low` and of those above `high`, block by block.

    values float64[n]; low, high uint64; sums float64[blocks, 2], filled
    """
    for b in range(sums.shape[0]):
        below, above = 0.0, 0.0
        for i in range(b * block, min(values.size, (b + 1) * block)):
            key = order_key(values[i])
            if key < low:
                below += values[i]
            elif key > high:
                above += values[i]
        sums[b, 0], sums[b, 1] = below, above
