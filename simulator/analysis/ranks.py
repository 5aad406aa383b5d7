"""Ranks of trials, their normal scores, and what linear measures make of them: Spearman's coefficient and regression."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate
from simulator.analysis.jackknife import jackknife, without_each
from simulator.analysis.normal_equations import solved
from simulator.kernels.ranks import rank_positions
from simulator.kernels.regression import product_sums

Array = np.ndarray[Any, np.dtype[np.float64]]
Order = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Ranked:
    """Values with their order: order int64[rows, n] sorts each row; ranks float64[rows, n], 0 … n − 1, averaged over ties."""

    values: Array
    order: Order
    ranks: Array

    def scores(self) -> Array:
        """Normal scores Φ⁻¹((rank + ½)/n), float64[rows, n]."""
        from scipy.special import ndtri

        n = self.values.shape[1]
        table = ndtri((np.arange(2 * n - 1) / 2 + 0.5) / n)
        found: Array = table[(2 * self.ranks).astype(np.int64)]
        return found


def ranked(values: Array, threads: int = 1) -> Ranked:
    """Rank each row of float64[rows, n]."""
    order, ranks = np.empty(values.shape, np.int64), np.empty(values.shape)

    def one(row: int) -> None:
        order[row] = np.argsort(values[row])
        rank_positions(order[row], values[row], ranks[row])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(len(values))))
    return Ranked(values, order, ranks)


def rank_correlations(inputs: Array, outputs: Array, replicates: int) -> list[list[Estimate]]:
    """Spearman's rank correlation of each input with each output, by ranks: float64[inputs, n], float64[outputs, n].

    0 where an input or an output is constant. The error is from replicates, each left out in turn.
    """
    products = _products(np.concatenate([inputs, outputs]), replicates)
    pooled = _correlations(products.sum(axis=0))
    left_out = _correlations(without_each(products))
    first = len(inputs)
    return [[jackknife(pooled[k, first + o], left_out[:, k, first + o]) for k in range(first)] for o in range(len(outputs))]


def regression_coefficients(inputs: Array, outputs: Array, replicates: int) -> list[tuple[list[Estimate], Estimate]]:
    """For each output the standardised coefficients of a linear regression on all inputs, and the share of variance it explains.

    β_k sd(x_k)/sd(y): by how many sd the output moves when the input alone moves by one. Inputs that say the same thing share
    what they say (the smallest coefficients that fit best). inputs float64[inputs, n], outputs float64[outputs, n].
    """
    products = _products(np.concatenate([inputs, outputs]), replicates)
    first = len(inputs)

    correlations = _correlations(np.concatenate([products.sum(axis=0)[None], without_each(products)]))
    among, between = correlations[:, :first, :first], np.swapaxes(correlations[:, :first, first:], -1, -2)
    beta = solved(among, between, np.ones(len(among)))
    explained = np.sum(beta * between, axis=-1)
    return [([jackknife(beta[0, o, k], beta[1:, o, k]) for k in range(first)], jackknife(explained[0, o], explained[1:, o]))
            for o in range(len(outputs))]


def _products(rows: Array, replicates: int) -> Array:
    """Sums of products of rows, with a row of ones first, by replicate: float64[R, 1 + rows, 1 + rows].

    Rows are centred and scaled, so that sums lose no digits.
    """
    spread = rows.std(axis=1, keepdims=True)
    varies = (rows.min(axis=1) < rows.max(axis=1))[:, None]
    scaled = np.where(varies, rows - rows.mean(axis=1, keepdims=True), 0.0) / np.where(varies, spread, 1.0)
    whole = np.ascontiguousarray(np.concatenate([np.ones((1, rows.shape[1])), scaled]).T).reshape(replicates, -1, 1 + len(rows))
    found: Array = np.empty((replicates, 1 + len(rows), 1 + len(rows)))
    for design, gram in zip(whole, found, strict=True):
        product_sums(design, gram)
    return found


def _correlations(products: Array) -> Array:
    """Correlations of rows from sums of products with ones: float64[…, rows, rows]; 0 with what is constant."""
    count, sums = products[..., :1, :1], products[..., 1:, :1]
    covariances = products[..., 1:, 1:] - sums * np.swapaxes(sums, -1, -2) / count
    variances = np.einsum("...kk->...k", covariances)
    scale = np.where(variances > 0, variances, np.inf) ** -0.5
    found: Array = covariances * scale[..., :, None] * scale[..., None, :]
    return found
