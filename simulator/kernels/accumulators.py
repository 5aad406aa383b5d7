"""Statistics of a stream of trials in constant memory: moments by block, counts by bin, values by bracket.

Bins divide the *ordered bit patterns* of doubles: an order that agrees with the order of the numbers, spaced
evenly within each power of two, so that any range of values has bins of about equal relative width. Where values change
sign, bins divide the values themselves.
"""

from __future__ import annotations

import numpy as np

from simulator.kernels.jit import bits_of, inline, jit

# Columns of a row's moments.
SUM, SUM_OF_SQUARES = 0, 1  # of x − centre
_SIGN = np.uint64(1 << 63)
EVEN_ZERO = 1 << 63  # the position of 0 where positions are even in the values
LIMBS = 66  # of an exact sum
_MOST_IN_BUCKET = 24
_LOW_HALF = np.uint64(0xFFFFFFFF)
_FARTHEST = 4e18  # positions from there, beyond which a value's own does not matter


@inline
def order_key(x):
    """A uint64 that is ordered as the doubles are (−0 just under 0)."""
    bits = np.uint64(bits_of(x))
    return ~bits if bits & _SIGN else bits | _SIGN


@inline
def position(x, per_unit):
    """Where a value stands, as a uint64: its order key; where per_unit is not 0, how many whole 1 / per_unit are in it.

    A power of two as per_unit makes that exact; −0 stands just under 0, as its order key does.
    """
    if per_unit == 0.0:
        return order_key(x)
    step = min(max(np.floor(x * per_unit), -_FARTHEST), _FARTHEST)
    if step == 0.0 and np.uint64(bits_of(x)) & _SIGN:
        step = -1.0
    return np.uint64(np.int64(step)) + _SIGN


@jit
def position_of(x, per_unit):
    """The position of one value."""
    return position(x, per_unit)


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
def count_bins(values, low, shift, per_unit, counts):
    """counts[0] += values whose position is below `low`; then bins of 2^shift positions each; the last takes all above.

    values float64[n]; low uint64; shift int64 < 64; per_unit of `position`; counts int64[bins]
    """
    last = counts.size - 1
    for i in range(values.size):
        key = position(values[i], per_unit)
        if key < low:
            counts[0] += 1
        else:
            step = (key - low) >> np.uint64(shift)
            counts[np.int64(step) + 1 if step < np.uint64(last) else last] += 1


@jit
def pick(values, low, shift, per_unit, flags, kept):
    """Copy the values that fall in flagged bins (as `count_bins` lays them) to `kept`; returns how many.

    values float64[n]; flags bool[bins]; kept float64[≥ those flagged]
    """
    last = flags.size - 1
    filled = 0
    for i in range(values.size):
        key = position(values[i], per_unit)
        place = 0
        if key >= low:
            step = (key - low) >> np.uint64(shift)
            place = np.int64(step) + 1 if step < np.uint64(last) else last
        if flags[place]:
            kept[filled] = values[i]
            filled += 1
    return filled


@jit
def add_exactly(values, limbs):
    """Add values to a sum that is not rounded, and so the same in any order: Σ limbs[k] · 2^(32 k − 1074).

    values float64[n], finite; limbs int64[LIMBS], which hold the sum of up to 2^31 values.
    After Neal, "Fast exact summation using small and large superaccumulators" (2015), arXiv:1505.05571.
    """
    for i in range(values.size):
        bits = bits_of(values[i])
        exponent = (bits >> 52) & 0x7FF
        mantissa = np.uint64(bits & 0xFFFFFFFFFFFFF)
        if exponent > 0:  # else subnormal
            mantissa |= np.uint64(1 << 52)
            exponent -= 1
        limb, shift = exponent >> 5, np.uint64(exponent & 31)
        upper = mantissa >> np.uint64(32)
        parts = (np.int64((mantissa << shift) & _LOW_HALF), np.int64((mantissa >> (np.uint64(32) - shift)) & _LOW_HALF),
                 np.int64(upper >> (np.uint64(32) - shift)))
        sign = -1 if bits < 0 else 1
        limbs[limb] += sign * parts[0]
        limbs[limb + 1] += sign * parts[1]
        limbs[limb + 2] += sign * parts[2]


@jit
def add_beyond(values, edge, high, limbs):
    """Add the values above an edge (below it where not `high`) to an exact sum; as `add_exactly`."""
    beyond, found = np.empty(values.size), 0
    for i in range(values.size):
        beyond[found] = values[i]
        found += (values[i] > edge) if high else (values[i] < edge)
    add_exactly(beyond[:found], limbs)


@jit
def sort_into_places(values, low, shift, per_unit, guide, cuts, keep, add, counts, room, limbs):
    """Count values by place, keep those of some places and sum those of others exactly; returns how many are kept.

    values  float64[n]
    low, shift, per_unit  bins as `count_bins` lays them; guide uint8[bins]: how many cuts are in the bins before each
    cuts    float64[places], rising, ∞ last: place k takes cuts[k − 1] < x ≤ cuts[k]
    keep, add  int64[places], 0 or 1; counts int64[places] and limbs int64[LIMBS], added to
    room    float64[2, n]; what is kept comes to stand in the first row
    """
    last = guide.size - 1
    kept, summed = 0, 0
    for i in range(values.size):
        x = values[i]
        key = position(x, per_unit)
        bin_ = 0
        if key >= low:
            step = (key - low) >> np.uint64(shift)
            bin_ = np.int64(step) + 1 if step < np.uint64(last) else last
        place = np.int64(guide[bin_])
        while x > cuts[place]:
            place += 1
        counts[place] += 1
        # Without branches, which would often be guessed wrong.
        room[0, kept] = x
        kept += keep[place]
        room[1, summed] = x
        summed += add[place]
    add_exactly(room[1, :summed], limbs)
    return kept


@jit
def sort_by_buckets(values, ordered):
    """Sort values into `ordered`, by even buckets over their range; returns whether that was done: not if many share a bucket.

    float64[n ≥ 1] both, finite. Where the values are spread it takes a fraction of the time of a sort by comparisons.
    """
    n = values.size
    low, high = values[0], values[0]
    for i in range(n):
        low, high = min(low, values[i]), max(high, values[i])
    buckets = 4 * n
    scale = (buckets - 1) / (high - low)
    if not 0 < scale < np.inf:  # all equal, or nearly, or too far apart
        return False
    ends, places = np.zeros(buckets + 1, np.int32), np.empty(n, np.int32)
    for i in range(n):
        places[i] = np.int32((values[i] - low) * scale)
        ends[places[i] + 1] += 1
    for k in range(1, buckets + 1):
        if ends[k] > _MOST_IN_BUCKET:
            return False
        ends[k] += ends[k - 1]
    for i in range(n):
        ordered[ends[places[i]]] = values[i]
        ends[places[i]] += 1
    for i in range(1, n):
        x, k = ordered[i], i
        while k > 0 and ordered[k - 1] > x:
            ordered[k] = ordered[k - 1]
            k -= 1
        ordered[k] = x
    return True


@jit
def count_and_sum(values, levels, block, counts, sums):
    """Count and sum values between levels: bin k holds levels[k − 1] < x ≤ levels[k], the last all above.

    values float64[n]; levels float64[2^k − 1], rising, with ∞ where there are fewer
    counts int64[2^k] and sums float64[blocks, 2^k], added to
    """
    places = np.empty(block, np.int64)
    for b in range(sums.shape[0]):
        first = b * block
        n = min(block, values.size - first)
        places[:n] = 0
        # How many levels are below each value, by halving: a step at a time over the block, since steps of one value wait for
        # one another and those of different values do not.
        step = (levels.size + 1) >> 1
        while step > 0:
            for i in range(n):
                places[i] += step * (levels[places[i] + step - 1] < values[first + i])
            step >>= 1
        for i in range(n):
            counts[places[i]] += 1
            sums[b, places[i]] += values[first + i]
