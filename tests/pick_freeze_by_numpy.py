"""Pick-freeze samples of any function of dependent normals, in plain NumPy, by the textbook's conditional mean and variance."""

from __future__ import annotations

import itertools

import numpy as np

REPLICATES = 32


def conditional(z, fresh, correlations, kept):
    """Normals with `kept` members out of z and the others drawn given them; z, fresh float64[…, members], fresh independent."""
    kept = list(kept)
    others = [k for k in range(len(correlations)) if k not in kept]
    given, cross = correlations[np.ix_(kept, kept)], correlations[np.ix_(others, kept)]
    slopes = cross @ np.linalg.inv(given) if kept else np.zeros((len(others), 0))
    left = correlations[np.ix_(others, others)] - slopes @ cross.T
    found = z.copy()
    found[..., others] = z[..., kept] @ slopes.T + fresh[..., others] @ np.linalg.cholesky(left).T
    return found


def samples(inputs, n, correlations=None, seed=0):
    """z of A, dependent, and independent normals of B, float64[REPLICATES, n, inputs] each; and the correlations."""
    rng = np.random.default_rng(seed)
    correlations = np.eye(inputs) if correlations is None else np.asarray(correlations)
    return (rng.standard_normal((REPLICATES, n, inputs)) @ np.linalg.cholesky(correlations).T,
            rng.standard_normal((REPLICATES, n, inputs)), correlations)


def all_subsets(function, inputs, n, correlations=None, seed=0):
    """Outputs for `shapley.of_subsets`."""
    z, fresh, correlations = samples(inputs, n, correlations, seed)
    return np.array([function(conditional(z, fresh, correlations, [i for i in range(inputs) if u >> i & 1]))
                     for u in range(1 << inputs)])


def walks(function, inputs, n, orders, correlations=None, seed=0):
    """Outputs for `shapley.of_walks`."""
    z, fresh, correlations = samples(inputs, n, correlations, seed)
    found = np.empty((1 + inputs, REPLICATES, n))
    share = n // orders.shape[1]
    for step, replicate, walk in itertools.product(range(1 + inputs), range(REPLICATES), range(orders.shape[1])):
        there = slice(walk * share, (walk + 1) * share)
        found[step, replicate, there] = function(conditional(z[replicate, there], fresh[replicate, there], correlations,
                                                             orders[replicate, walk, :step]))
    return found


def one_by_one(function, inputs, n, seed=0):
    """Outputs for `sobol_indices`, of independent inputs: at A, at B, and at A with each one out of B."""
    a, b, _ = samples(inputs, n, seed=seed)
    swapped = []
    for k in range(inputs):
        mixed = a.copy()
        mixed[..., k] = b[..., k]
        swapped.append(function(mixed))
    return function(a), function(b), np.array(swapped)
