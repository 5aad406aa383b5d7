"""Quantile functions: the scalar formula, then the loop over trials.

Families without a closed form (beta, gamma) are read from a table of their logarithm over the standard normal z:
piecewise polynomials of degree 7, made and checked by `engine.quantile_tables`.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.kernels.elementary import exp, fill_inverse_normal, inverse_normal, log
from simulator.kernels.jit import fma, inline, jit

# Family codes, and the meaning of a family's parameters (at most five).
CONSTANT = 0  # value
UNIFORM = 1  # low, high
TRIANGULAR = 2  # low, mode, high
NORMAL = 3  # mean, sd
TRUNCATED_NORMAL = 4  # mean, sd, low, high
LOGNORMAL = 5  # mean and sd of the log
WEIBULL = 6  # shape, scale
EXPONENTIAL = 7  # mean
LOG_TABLE = 8  # first row of the table, number of intervals, offset, scale: offset + scale·exp(polynomial(z))
DISCRETE = 9  # first row of the table, number of values: rows of (value, cumulative weight)
EMPIRICAL = 10  # first row of the table, number of values, eight to a row: linear between order statistics at (k−1)/(n−1)
METALOG = 11  # first row of the table, bounds (as below), low, high: a row for the polynomial, a row for the one times L
PIECEWISE = 12  # first row of the table, number of pieces: rows of (first z of a piece, polynomial of degree 6)
PARAMETERS = 5
UNBOUNDED, BOUNDED_BELOW, BOUNDED_ABOVE, BOUNDED = range(4)

_MANY = 50.0  # mean of a Poisson distribution beyond which it is drawn from a corrected normal one

TABLE_DEGREE = 7
TABLE_LOW, TABLE_HIGH = -7.04, 7.04  # beyond Φ⁻¹ of the outermost uniforms, ±7.0345


@inline
def log1p_negative(u):
    """log(1 − u), 1e-12 ≤ u < 1, to full relative accuracy also where u is small."""
    w = 1.0 - u
    return log(w) * (-u / (w - 1.0))


@inline
def uniform(u, low, high):
    return low + u * (high - low)


@inline
def triangular(u, low, mode, high):
    width = high - low
    rising = low + math.sqrt(u * width * (mode - low))
    falling = high - math.sqrt((1.0 - u) * width * (high - mode))
    return rising if u * width < mode - low else falling


@inline
def weibull(u, shape, scale):
    return scale * exp(log(-log1p_negative(u)) / shape)


@inline
def exponential(u, mean):
    return -mean * log1p_negative(u)


@inline
def table_polynomial(z, tables, first, intervals):
    """The tabulated function at z: the polynomial of z's interval, in s ∈ [−1, 1] across it."""
    position = (z - TABLE_LOW) * (intervals / (TABLE_HIGH - TABLE_LOW))
    k = min(max(int(position), 0), intervals - 1)
    s = 2.0 * (position - k) - 1.0
    row = first + k
    value = tables[row, 7]
    for power in range(TABLE_DEGREE - 1, -1, -1):
        value = fma(value, s, tables[row, power])
    return value


@inline
def metalog(u, tables, first, bounds, low, high):
    """Keelin's metalog at u, 1e-12 ≤ u ≤ 1 − 1e-12."""
    c = u - 0.5
    plain, times_logit = 0.0, 0.0
    for power in range(7, -1, -1):
        plain = fma(plain, c, tables[first, power])
        times_logit = fma(times_logit, c, tables[first + 1, power])
    m = plain + times_logit * (log(u) - log1p_negative(u))
    if bounds == UNBOUNDED:
        return m
    if bounds == BOUNDED_BELOW:
        return low + exp(m)
    if bounds == BOUNDED_ABOVE:
        return high - exp(-m)
    return low + (high - low) / (1.0 + exp(-m))


@inline
def piecewise(z, tables, first, pieces):
    """A tabulated function of unequal pieces at z: the row after the last piece holds where that one ends."""
    low, high = 0, pieces - 1
    while low < high:
        middle = (low + high + 1) // 2
        if z < tables[first + middle, 0]:
            high = middle - 1
        else:
            low = middle
    row = first + low
    s = 2.0 * (z - tables[row, 0]) / (tables[row + 1, 0] - tables[row, 0]) - 1.0
    value = tables[row, 7]
    for column in range(6, 0, -1):
        value = fma(value, s, tables[row, column])
    return value


@inline
def poisson(u, mean):
    """Quantile of the Poisson distribution: exact up to a mean of 50.

    Beyond, by Cornish and Fisher's expansion rounded to whole numbers, whose mean and variance are those of the
    Poisson distribution: m + z √(m − 5/36) + (z² − 1)/6, of which 1/18 and the rounding's 1/12 are the 5/36.
    """
    if mean > _MANY:
        z = inverse_normal(u)
        return max(math.floor(mean + math.sqrt(mean - 5.0 / 36.0) * z + (z * z - 1.0) / 6.0 + 0.5), 0.0)
    count, probability = 0.0, exp(-mean)
    reached = probability
    while u > reached and count < 1000.0:
        count += 1.0
        probability *= mean / count
        reached += probability
    return count


@inline
def normal_probability(x):
    """Φ(x), the standard normal's distribution function."""
    return 0.5 * math.erfc(-x * 0.7071067811865476)


@inline
def goes_by_normals(family):
    """Whether a family's quantile function is one of the standard normal."""
    return family in (NORMAL, LOGNORMAL, LOG_TABLE, PIECEWISE)


@jit
def fill_from_normals(family, parameters, tables, z, x):
    """x[i] = the quantile at Φ(z[i]) of a family that goes by normals; both float64[n], z is overwritten."""
    a, b, c, d = parameters[0], parameters[1], parameters[2], parameters[3]
    if family == NORMAL:
        for i in range(x.size):
            x[i] = a + b * z[i]
    elif family == LOGNORMAL:
        for i in range(x.size):
            x[i] = exp(a + b * z[i])
    elif family == LOG_TABLE:
        first, intervals = int(a), int(b)
        for i in range(x.size):
            z[i] = table_polynomial(z[i], tables, first, intervals)
        for i in range(x.size):
            x[i] = c + d * exp(z[i])
    else:
        first, pieces = int(a), int(b)
        for i in range(x.size):
            x[i] = piecewise(z[i], tables, first, pieces)


@jit
def fill_quantiles(family, parameters, tables, u, z, places, x):
    """x[i] = the quantile of a family at u[i].

    family      one of the codes above; parameters float64[5]; tables float64[rows, 8]
    u, z, x     float64[n], places uint64[n]; u is given, x is filled; u, z and places are overwritten where the family goes by z
    """
    n = x.size
    a, b, c, d = parameters[0], parameters[1], parameters[2], parameters[3]
    if family == CONSTANT:
        for i in range(n):
            x[i] = a
    elif family == UNIFORM:
        for i in range(n):
            x[i] = uniform(u[i], a, b)
    elif family == TRIANGULAR:
        for i in range(n):
            x[i] = triangular(u[i], a, b, c)
    elif goes_by_normals(family):
        fill_inverse_normal(u, z, places)
        fill_from_normals(family, parameters, tables, z, x)
    elif family == TRUNCATED_NORMAL:
        # In the upper tail 1 − Φ keeps its digits and Φ does not, so that a tail is mirrored.
        mirrored = c > a
        low, high = (c - a) / b, (d - a) / b
        below_low = normal_probability(-low if mirrored else low)
        below_high = normal_probability(-high if mirrored else high)
        for i in range(n):
            draw = inverse_normal(fma(u[i], below_high - below_low, below_low))  # a difference near the far end
            x[i] = min(max(a + b * (-draw if mirrored else draw), c), d)
    elif family == WEIBULL:
        for i in range(n):
            x[i] = weibull(u[i], a, b)
    elif family == EXPONENTIAL:
        for i in range(n):
            x[i] = exponential(u[i], a)
    elif family == DISCRETE:
        first, count = int(a), int(b)
        for i in range(n):
            low_row, high_row = 0, count - 1
            while low_row < high_row:
                middle = (low_row + high_row) // 2
                if u[i] <= tables[first + middle, 1]:
                    high_row = middle
                else:
                    low_row = middle + 1
            x[i] = tables[first + low_row, 0]
    elif family == EMPIRICAL:
        first, count = int(a), int(b)
        for i in range(n):
            position = u[i] * (count - 1)
            k = min(int(position), count - 2)
            lower, upper = tables[first + k // 8, k % 8], tables[first + (k + 1) // 8, (k + 1) % 8]
            x[i] = lower + (position - k) * (upper - lower)
    elif family == METALOG:
        first, bounds = int(a), int(b)
        for i in range(n):
            x[i] = metalog(u[i], tables, first, bounds, c, d)
    else:
        for i in range(n):
            x[i] = np.nan
