"""Tables of quantile functions that have no closed form, made from SciPy's and checked against it.

log q is smooth in the standard normal z = Φ⁻¹(u), also where q itself spans hundreds of decades; so it is
tabulated as polynomials of degree 7 on equal intervals of z, and the intervals are halved until points between the
nodes agree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.kernels.distributions import TABLE_DEGREE, TABLE_HIGH, TABLE_LOW
from simulator.study.families import Marginal
from simulator.study.mixtures import mixture_quantiles

Array = np.ndarray[Any, np.dtype[np.float64]]
TOLERANCE = 2e-12  # of log q between the nodes, that is, relative in q
_MOST_INTERVALS = 8192


def log_quantile(family: str, shape: tuple[float, ...], z: Array) -> Array:
    """log of the standard quantile at Φ(z): beta (alpha, beta) on 0..1, gamma (shape) of scale 1."""
    from scipy import special

    below, above = special.ndtr(np.minimum(z, 0)), special.ndtr(np.minimum(-z, 0))
    with np.errstate(divide="ignore", under="ignore"):
        if family == "beta":
            a, b = shape
            q = np.where(z <= 0, special.betaincinv(a, b, below), special.betainccinv(a, b, above))
            q = _polished(q, np.where(z <= 0, special.betainc(a, b, q) - below, above - special.betaincc(a, b, q)),
                          special.xlogy(a - 1, q) + special.xlog1py(b - 1, -q) - special.betaln(a, b))
            # Leading term of the series at 0, where q is too small for a double: u = q^a / (a B(a, b)).
            tiny = (special.log_ndtr(z) + np.log(a) + special.betaln(a, b)) / a
        else:
            (a,) = shape
            q = np.where(z <= 0, special.gammaincinv(a, below), special.gammainccinv(a, above))
            q = _polished(q, np.where(z <= 0, special.gammainc(a, q) - below, above - special.gammaincc(a, q)),
                          special.xlogy(a - 1, q) - q - special.gammaln(a))
            tiny = (special.log_ndtr(z) + special.gammaln(a + 1)) / a
        found: Array = np.where(q > 1e-200, np.log(q), tiny)
    return found


def _polished(q: Array, excess: Array, log_density: Array) -> Array:
    """One step of Newton: SciPy's inverses stop up to 1e-10 short for narrow distributions, its integrals do not."""
    with np.errstate(over="ignore", invalid="ignore"):
        step = excess * np.exp(-log_density)
        return np.where(np.abs(step) < 1e-6 * q, q - step, q)


@lru_cache(maxsize=512)
def quantile_table(family: str, shape: tuple[float, ...]) -> Array:
    """Coefficients float64[intervals, 8] of log q, ascending powers. Raises ValueError where none is close enough."""
    table = _even_table(lambda z: log_quantile(family, shape, z), TOLERANCE)
    table.flags.writeable = False
    return table


def _even_table(function: Callable[[Array], Array], tolerance: float) -> Array:
    """Coefficients float64[intervals, 8], ascending powers, of a function on equal intervals from TABLE_LOW to TABLE_HIGH.

    Raises ValueError where no division of at most 8192 intervals is close enough.
    """
    # Chebyshev nodes on [−1, 1] with the matrix from values to coefficients, and check points between them.
    nodes = np.cos(np.pi * (np.arange(TABLE_DEGREE + 1) + 0.5) / (TABLE_DEGREE + 1))
    to_coefficients = np.linalg.inv(np.vander(nodes, increasing=True))
    checks = np.array([-1.0, -0.6, 0.1, 0.75])
    intervals = 64
    while intervals <= _MOST_INTERVALS:
        width = (TABLE_HIGH - TABLE_LOW) / intervals
        middles = TABLE_LOW + width * (np.arange(intervals) + 0.5)
        table: Array = function(middles[:, None] + nodes * width / 2) @ to_coefficients.T
        wanted = function(middles[:, None] + checks * width / 2)
        found = table @ np.vander(checks, TABLE_DEGREE + 1, increasing=True).T
        # Near a mode far in the tail log q itself is large: compare with what a double can hold of it.
        if np.all(np.abs(found - wanted) <= tolerance * np.maximum(1, np.abs(wanted))):
            return table
        intervals *= 2
    raise ValueError(f"a function cannot be tabulated to {tolerance:g}")


_PIECE_DEGREE = 6
_NARROWEST = 2.0**-38  # of z: where a quantile function jumps, pieces end that narrow
_PIECE_TOLERANCE = 1e-11  # relative to the value, or to the spread where values come near 0


@lru_cache(maxsize=128)
def mixture_table(mixture: Marginal) -> Array:
    """The quantile function of a mixture over the standard normal z, in pieces that are halved until they are close.

    float64[pieces + 1, 8]: first z of a piece and its polynomial of degree 6 in s ∈ [−1, 1], ascending; the last row holds
    the end. Where the quantile function jumps (between components that are apart) the jump is within 2^-38 of its z.
    """
    from scipy.special import ndtr

    def quantiles(z: Array) -> Array:
        return mixture_quantiles(mixture, ndtr(z), ndtr(-z))

    nodes = np.cos(np.pi * (np.arange(_PIECE_DEGREE + 1) + 0.5) / (_PIECE_DEGREE + 1))
    to_coefficients = np.linalg.inv(np.vander(nodes, increasing=True))
    checks = np.array([-1.0, -0.97, -0.6, 0.1, 0.75, 0.97, 1.0])
    at_checks = np.vander(checks, _PIECE_DEGREE + 1, increasing=True).T
    first = np.linspace(TABLE_LOW, TABLE_HIGH, 33)[:-1]
    width = (TABLE_HIGH - TABLE_LOW) / 32
    low, high = quantiles(np.array([-0.67, 0.67]))
    spread = max(high - low, 1e-3 * abs(high))
    done: list[Array] = []
    while first.size:
        middle = first[:, None] + width / 2
        table = quantiles(middle + nodes * width / 2) @ to_coefficients.T
        wanted = quantiles(middle + checks * width / 2)
        # Beside a jump the quantile function is so steep that the last bit of a probability moves it further than that.
        share = np.minimum(ndtr(middle), ndtr(-middle))
        step = share * np.finfo(float).eps / np.maximum(np.abs(ndtr(first + width) - ndtr(first))[:, None], 1e-300)
        noise = 16 * step * (wanted.max(axis=1) - wanted.min(axis=1))[:, None]
        close = np.abs(table @ at_checks - wanted) <= _PIECE_TOLERANCE * np.maximum(np.abs(wanted), spread) + noise
        if width < _NARROWEST:
            table = np.hstack([wanted[:, [3]], np.zeros((len(first), _PIECE_DEGREE))])
            close[:] = True
        good = close.all(axis=1)
        done.append(np.hstack([first[good, None], table[good]]))
        first = np.concatenate([first[~good], first[~good] + width / 2])
        width /= 2
    pieces = np.concatenate(done)
    found = np.vstack([pieces[pieces[:, 0].argsort()], [TABLE_HIGH, *[0.0] * (_PIECE_DEGREE + 1)]])
    found.flags.writeable = False
    return found


@lru_cache(maxsize=16)
def student_table(degrees: float) -> tuple[Array, float]:
    """Normal scores of Student's t: z with Φ(z) = T_ν(sinh y), over y in units of the farthest (the second result).

    The table is laid over ±TABLE_HIGH like those of `quantile_table`, and reaches beyond T_ν⁻¹(1 − 1e-12).
    """
    from scipy import special

    farthest = float(np.arcsinh(-special.stdtrit(degrees, 1e-13)))

    def score(y: Array) -> Array:
        # The lower tail of both keeps its digits.
        t = np.sinh(np.abs(y) * farthest / TABLE_HIGH)
        with np.errstate(divide="ignore"):
            z = -special.ndtri(np.maximum(special.stdtr(degrees, -t), 1e-300))
        signed: Array = np.where(y < 0, -z, z)
        return signed

    return _even_table(score, 1e-10), farthest
