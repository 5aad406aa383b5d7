"""E[Y | some of the inputs], from a sample in hand: one regression serves first-order indices and values of information.

Inputs come as normal scores, so that the shape of a distribution plays no part. One number is met by a function that is
linear between knots; several by polynomials: each to the third power, and products of pairs. All sums are by replicate, so
that a fit without some replicates costs no more than a small solve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate
from simulator.analysis.jackknife import jackknife, without_each
from simulator.analysis.normal_equations import RIDGE, solved
from simulator.kernels.regression import (
    design_values,
    fill_polynomials,
    hat_sums,
    hat_values,
    output_sums,
    place_on_hats,
    product_sums,
)

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

# Probabilities between which the function of one number is linear in its normal score: even in the middle, for functions that
# turn; closer in the tails, where scores of heavy-tailed inputs run far.
_MIDDLE = np.arange(1, 32) / 32
_TAIL = np.array([0.001, 0.005, 0.015])
KNOT_PROBABILITIES = np.concatenate([_TAIL, _MIDDLE, 1 - _TAIL[::-1]])
FEWEST_PER_KNOT = 50  # trials; with fewer there are fewer knots
MOST_INTERACTING = 6  # columns whose products are taken; more change values of information by less than their errors


@dataclass(frozen=True)
class Fit:
    """Sums of a regression by replicate.

    gram     float64[R, K, K]: of basis functions with one another
    moments  float64[R, O, K]: with outputs, which are centred at their means over all trials
    squares  float64[R, O, 2]: sums and sums of squares of the centred outputs
    each     trials of a replicate
    """

    basis: Hats | Polynomials
    gram: Array
    moments: Array
    squares: Array
    means: Array
    each: int

    def explained(self) -> list[Estimate]:
        """Share of each output's variance that the conditional mean has: the first-order index of the inputs together.

        What a fit explains by chance is taken away (`jackknife`); 0 for an output that is constant.
        """
        shares = self._shares(*(np.concatenate([sums.sum(axis=0)[None], without_each(sums)])
                                for sums in (self.gram, self.moments, self.squares)))
        return [jackknife(of_output[0], of_output[1:]) for of_output in shares.T]

    def _shares(self, gram: Array, moments: Array, squares: Array) -> Array:
        """For sums over all replicates, then over all but each: float64[1 + R, O]."""
        n = self.each * np.array([len(self.gram), *[len(self.gram) - 1] * len(self.gram)])[:, None]
        beta = solved(gram, moments, n[:, 0])
        correction = squares[..., 0] ** 2 / n
        total = squares[..., 1] - correction
        # What the fit leaves is Σy² − 2β·m + βGβ, and (G + λ1)β = m.
        fitted = np.sum(beta * moments, axis=-1) + RIDGE * n * np.sum(beta**2, axis=-1)
        found: Array = np.where(total > 0, (fitted - correction) / np.where(total > 0, total, 1.0), 0.0)
        return found

    def out_of_fold(self, outputs: slice, folds: int) -> Array:
        """E[Y | inputs] of some outputs at every trial, from fits to the other folds of replicates: float64[O, n]."""
        replicates = len(self.gram)
        fold_of = np.arange(replicates) % folds
        chosen = (fold_of[None, :] != np.arange(folds)[:, None]).astype(float)
        beta = solved(np.tensordot(chosen, self.gram, 1), np.tensordot(chosen, self.moments[:, outputs], 1),
                      chosen.sum(axis=1) * self.each)
        return self.basis.values(beta, fold_of, self.each) + self.means[outputs, None]


@dataclass(frozen=True)
class Hats:
    """Piecewise linear in one number: cells int64[n], weights float64[n] (`kernels.regression`), knots."""

    cells: Ints
    weights: Array
    knots: int

    def sums(self, outputs: Array, replicates: int) -> tuple[Array, Array]:
        gram = np.empty((replicates, self.knots, self.knots))
        moments = np.empty((replicates, len(outputs), self.knots))
        hat_sums(self.cells, self.weights, outputs, outputs.shape[1] // replicates, gram, moments)
        return gram, moments

    def values(self, beta: Array, fold_of: Ints, each: int) -> Array:
        fitted = np.empty((beta.shape[1], len(self.cells)))
        hat_values(self.cells, self.weights, beta, fold_of, each, fitted)
        return fitted


@dataclass(frozen=True)
class Polynomials:
    """Hermite polynomials of several normal scores, float64[columns, n]: to degree 3 each, and of pairs to degree 3 in all.

    Made replicate by replicate, and made again when values are wanted, so that memory stays small.
    """

    scores: Array
    interacting: Ints

    @property
    def functions(self) -> int:
        columns, q = len(self.scores), len(self.interacting)
        return -(-(1 + 3 * columns + 3 * q * (q - 1) // 2) // 4) * 4

    def sums(self, outputs: Array, replicates: int) -> tuple[Array, Array]:
        each = outputs.shape[1] // replicates
        gram = np.empty((replicates, self.functions, self.functions))
        moments = np.empty((replicates, len(outputs), self.functions))
        for r in range(replicates):
            design = self._design(r * each, each)
            product_sums(design, gram[r])
            output_sums(design, outputs, r * each, moments[r])
        return gram, moments

    def values(self, beta: Array, fold_of: Ints, each: int) -> Array:
        fitted = np.empty((beta.shape[1], self.scores.shape[1]))
        for r, fold in enumerate(fold_of):
            design_values(self._design(r * each, each), beta[fold], r * each, fitted)
        return fitted

    def _design(self, first: int, count: int) -> Array:
        design = np.empty((count, self.functions))
        fill_polynomials(self.scores, first, self.interacting, design)
        return design


def fit(scores: Array, outputs: Array, replicates: int, weight: Sequence[float] = ()) -> Fit:
    """Regress outputs, float64[O, n], on inputs given as normal scores, float64[columns, n]; trials replicate after replicate.

    weight  how much each column matters, to choose those whose products are taken where there are many; as they come else
    """
    means = outputs.mean(axis=1)
    centred = outputs - means[:, None]
    basis = _hats(scores[0]) if len(scores) == 1 else _polynomials(scores, weight)
    gram, moments = basis.sums(centred, replicates)
    by_replicate = centred.reshape(len(outputs), replicates, -1)
    squares = np.stack([by_replicate.sum(axis=2).T, (by_replicate**2).sum(axis=2).T], axis=-1)
    return Fit(basis, gram, moments, squares, means, by_replicate.shape[2])


def _hats(scores: Array) -> Hats:
    from scipy.special import ndtri

    n = len(scores)
    step = max(1, -(-len(KNOT_PROBABILITIES) * FEWEST_PER_KNOT // n))
    middle = len(KNOT_PROBABILITIES) // 2
    chosen = KNOT_PROBABILITIES[middle % step::step]
    knots = ndtri(chosen if len(chosen) > 1 else np.array([0.25, 0.75]))
    cells, weights = np.empty(n, np.int64), np.empty(n)
    place_on_hats(np.ascontiguousarray(scores), knots, cells, weights)
    return Hats(cells, weights, len(knots))


def _polynomials(scores: Array, weight: Sequence[float]) -> Polynomials:
    strength = weight or [0.0] * len(scores)
    order = sorted(range(len(scores)), key=lambda column: -strength[column])
    # No more functions than a twentieth of the trials can tell apart.
    room = scores.shape[1] // 20 - 1 - 3 * len(scores)
    most = max((q for q in range(2, MOST_INTERACTING + 1) if 3 * q * (q - 1) // 2 <= room), default=0)
    return Polynomials(scores, np.array(sorted(order[:most]), np.int64))
