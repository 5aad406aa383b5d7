"""From independent to dependent normals: Gaussian and t copulas over lanes of trials.

u → z = Φ⁻¹(u) → L z → (· √(ν/χ²)) → the normal of the same probability, with L the Cholesky factor of the correlation
matrix. Each uniform keeps its own address, and Sobol' points are never reordered, so that marginals and the net stay what
they were.
"""

from __future__ import annotations

import math

from simulator.kernels.distributions import TABLE_HIGH, normal_probability, table_polynomial
from simulator.kernels.elementary import FARTHEST_NORMAL, SMALLEST_UNIFORM, log
from simulator.kernels.jit import inline, jit


@jit
def dependent_normals(factor, member, normals, chi_squared, degrees, tables, first, intervals, farthest, z):
    """z[i] of one member of a copula: standard normals, as far out as uniforms reach.

    factor       float64[members, members]: the lower Cholesky factor; member: its row
    normals      float64[members, ≥ n]: independent standard normals of all members
    chi_squared  float64[≥ n], of the member's group, read where degrees > 0; degrees: of freedom of a t copula, else 0
    tables, first, intervals, farthest  normal scores of Student's t (`engine.quantile_tables.student_table`)
    """
    dependent_scores(factor, member, normals, chi_squared, degrees, z)
    scores_to_normals(z, degrees, tables, first, intervals, farthest)


@jit
def dependent_scores(factor, member, normals, chi_squared, degrees, z):
    """z[i] of one member of a copula: standard normal, or Student's t where degrees > 0; as `dependent_normals`."""
    n = z.size
    z[:] = 0.0
    for other in range(member + 1):
        weight = factor[member, other]
        if weight != 0.0:
            for i in range(n):
                z[i] += weight * normals[other, i]
    if degrees > 0.0:
        for i in range(n):
            z[i] *= math.sqrt(degrees / chi_squared[i])


@jit
def scores_to_normals(z, degrees, tables, first, intervals, farthest):
    """Turn scores into the normals of the same probability, in place, as far out as uniforms reach."""
    if degrees > 0.0:
        for i in range(z.size):
            z[i] = student_score(z[i], tables, first, intervals, farthest)
    for i in range(z.size):
        z[i] = min(max(z[i], -FARTHEST_NORMAL), FARTHEST_NORMAL)


@jit
def fill_probabilities(z, u):
    """u[i] = Φ(z[i]), within what uniforms are kept in."""
    for i in range(u.size):
        u[i] = min(max(normal_probability(z[i]), SMALLEST_UNIFORM), 1.0 - SMALLEST_UNIFORM)


@inline
def student_score(t, tables, first, intervals, farthest):
    """The standard normal with the probability of Student's t, from a table over asinh t that reaches to ± farthest."""
    size = abs(t)
    y = min(log(size + math.sqrt(size * size + 1.0)), farthest) * (TABLE_HIGH / farthest)
    score = table_polynomial(y, tables, first, intervals)
    return score if t >= 0.0 else -score


@jit
def mix_shocks(factor, months, shocks):
    """Correlate the monthly shocks of several markets in place: shocks float64[markets, MONTHS, ≥ n], factor lower Cholesky."""
    markets = factor.shape[0]
    for market in range(markets - 1, -1, -1):
        for t in range(months):
            for i in range(shocks.shape[2]):
                shocks[market, t, i] *= factor[market, market]
        for other in range(market):
            weight = factor[market, other]
            if weight != 0.0:
                for t in range(months):
                    for i in range(shocks.shape[2]):
                        shocks[market, t, i] += weight * shocks[other, t, i]
