"""Exponential, logarithm and inverse normal without branches, so that loops over trials vectorise.

numba's own `math.exp` and `math.log` are calls into a scalar library, which keeps a loop scalar. These are
plain arithmetic. Accuracy, held by tests: `exp`, `expm1` and `log` within 2 ulp, `inverse_normal` within 2e-15 of
SciPy's `ndtri`.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.kernels.jit import bits_of, double_of, fma, inline, jit

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01  # ln 2 with its last 32 bits zero, so that k · _LN2_HIGH is exact
_LN2_LOW = 1.90821492927058770002e-10  # ln 2 − _LN2_HIGH
_SHIFT = 6755399441055744.0  # 1.5 · 2^52: adding it rounds to an integer, kept in the low bits
_SHIFT_BITS = 0x4338000000000000
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_EXPONENT_ONE = 0x3FF0000000000000

# Every uniform is kept inside [SMALLEST_UNIFORM, 1 − SMALLEST_UNIFORM].
SMALLEST_UNIFORM = 1e-12
FARTHEST_NORMAL = 7.034483825301131  # −Φ⁻¹(SMALLEST_UNIFORM)
_CENTRE = 0.425  # |u − ½| up to which the first branch of AS 241 holds
_FAR_TAIL = 1.3887943864964021e-11  # exp(−25): where the third begins


@inline
def _reduced(x):
    """Cody–Waite: x = k·ln 2 + r, |r| ≤ ½ ln 2. Returns k as an int64 and e^r − 1, by Taylor to degree 13."""
    shifted = fma(x, _LOG2_E, _SHIFT)
    k = shifted - _SHIFT
    r = fma(-k, _LN2_LOW, fma(-k, _LN2_HIGH, x))
    p = 1.0 / 6227020800.0
    p = fma(p, r, 1.0 / 479001600.0)
    p = fma(p, r, 1.0 / 39916800.0)
    p = fma(p, r, 1.0 / 3628800.0)
    p = fma(p, r, 1.0 / 362880.0)
    p = fma(p, r, 1.0 / 40320.0)
    p = fma(p, r, 1.0 / 5040.0)
    p = fma(p, r, 1.0 / 720.0)
    p = fma(p, r, 1.0 / 120.0)
    p = fma(p, r, 1.0 / 24.0)
    p = fma(p, r, 1.0 / 6.0)
    p = fma(p, r, 0.5)
    return bits_of(shifted) - _SHIFT_BITS, fma(p * r, r, r)


@inline
def _power_of_two(k):
    """2^k, −1022 ≤ k ≤ 1023, k an int64."""
    return double_of((k << 52) + _EXPONENT_ONE)


@inline
def exp(x):
    """e^x; 0 below −708.4, infinite above 709.78."""
    k, p = _reduced(min(max(x, -708.4), 709.78))
    # Two factors, since 2^1024 alone is no double.
    half = k >> 1
    scaled = (1.0 + p) * _power_of_two(half) * _power_of_two(k - half)
    return 0.0 if x < -708.4 else (np.inf if x > 709.78 else scaled)


@inline
def expm1(x):
    """e^x − 1 to full relative accuracy near 0, for x ≤ 700."""
    k, p = _reduced(max(x, -700.0))
    scale = _power_of_two(k)
    return fma(scale, p, scale - 1.0)


@inline
def log(x):
    """Natural logarithm of a positive normal double: x = 2^e·m, m in [√½, √2), series of 2·atanh."""
    bits = bits_of(x)
    exponent = (bits - _SQRT_HALF_BITS) >> 52
    m = double_of(bits - (exponent << 52))
    # An int64 to a double without a conversion instruction, by the low bits of _SHIFT.
    e = double_of(exponent + _SHIFT_BITS) - _SHIFT
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 1.0 / 23.0
    p = fma(p, z, 1.0 / 21.0)
    p = fma(p, z, 1.0 / 19.0)
    p = fma(p, z, 1.0 / 17.0)
    p = fma(p, z, 1.0 / 15.0)
    p = fma(p, z, 1.0 / 13.0)
    p = fma(p, z, 1.0 / 11.0)
    p = fma(p, z, 1.0 / 9.0)
    p = fma(p, z, 1.0 / 7.0)
    p = fma(p, z, 1.0 / 5.0)
    p = fma(p, z, 1.0 / 3.0)
    # 2·atanh(s) = f − s·(f − 2 z p): the leading term f is exact.
    return fma(e, _LN2_HIGH, f - fma(s, fma(-2.0 * z, p, f), -e * _LN2_LOW))


@inline
def _degree_seven(x, c7, c6, c5, c4, c3, c2, c1, c0):
    """A polynomial by Horner's rule."""
    return fma(fma(fma(fma(fma(fma(fma(c7, x, c6), x, c5), x, c4), x, c3), x, c2), x, c1), x, c0)


@inline
def _inverse_normal_centre(u):
    """First branch of Wichura's AS 241 (PPND16), for |u − ½| ≤ 0.425; elsewhere its sign is right."""
    q = u - 0.5
    r = 0.180625 - q * q
    return q * _degree_seven(
        r, 2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0) / _degree_seven(
        r, 5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0)


@inline
def _inverse_normal_tail(p):
    """Second branch of AS 241: the distance from 0 at which p lies beyond, exp(−25) < p < 0.075."""
    s = math.sqrt(-log(p)) - 1.6
    return _degree_seven(
        s, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
        3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0) / _degree_seven(
        s, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0)


@inline
def _inverse_normal_far_tail(p):
    """Third branch of AS 241, for p ≤ exp(−25)."""
    s = math.sqrt(-log(p)) - 5.0
    return _degree_seven(
        s, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0) / _degree_seven(
        s, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0)


@inline
def inverse_normal(u):
    """Quantile of the standard normal at u, 0 < u < 1. Source: Wichura, Applied Statistics 37 (1988), AS 241."""
    if abs(u - 0.5) <= _CENTRE:
        return _inverse_normal_centre(u)
    p = min(u, 1.0 - u)
    tail = _inverse_normal_tail(p) if p > _FAR_TAIL else _inverse_normal_far_tail(p)
    return tail if u > 0.5 else -tail


@jit
def fill_inverse_normal(u, z, places):
    """z[i] = inverse normal of u[i], u in (0, 1); both float64[n]. Overwrites u and places, uint64[n].

    The centre is computed for all, the tails for those seven in a hundred on either side that lie there, side by side.
    """
    beyond, far = 0, 0
    for i in range(u.size):
        z[i] = _inverse_normal_centre(u[i])
    for i in range(u.size):
        p = min(u[i], 1.0 - u[i])
        u[beyond] = p
        places[beyond] = i
        beyond += p < 0.5 - _CENTRE
    for k in range(beyond):
        far += u[k] <= _FAR_TAIL
    if far > 0:
        for k in range(beyond):
            u[k] = _inverse_normal_tail(u[k]) if u[k] > _FAR_TAIL else _inverse_normal_far_tail(u[k])
    else:
        for k in range(beyond):
            u[k] = _inverse_normal_tail(u[k])
    for k in range(beyond):
        i = places[k]
        z[i] = u[k] if z[i] > 0.0 else -u[k]


@jit
def fill_exp(x, y):
    """y[i] = e^x[i], both float64[n]."""
    for i in range(x.size):
        y[i] = exp(x[i])


@jit
def fill_expm1(x, y):
    """y[i] = e^x[i] − 1, both float64[n]."""
    for i in range(x.size):
        y[i] = expm1(x[i])


@jit
def fill_log(x, y):
    """y[i] = natural logarithm of x[i] > 0, both float64[n]."""
    for i in range(x.size):
        y[i] = log(x[i])
