"""Shapley effects against closed forms, by all subsets and on walks."""

from __future__ import annotations

import numpy as np
import pytest
from known_functions import ishigami, linear
from pick_freeze_by_numpy import REPLICATES, all_subsets, walks
from scipy import stats

from simulator.analysis.shapley import of_subsets, of_walks

CORRELATED = [[1, 0.5], [0.5, 1]]
ISHIGAMI = [0.4357470, 0.4424111, 0.1218418]


def orders(inputs, count, seed=1):
    rng = np.random.default_rng(seed)
    return np.array([[rng.permutation(inputs) for _ in range(count)] for _ in range(REPLICATES)])


def effects(function, inputs, n, correlations=None, tail=False):
    """By all subsets, and on walks."""
    chosen = orders(inputs, 8)
    return (of_subsets(all_subsets(function, inputs, n, correlations), inputs, tail),
            of_walks(walks(function, inputs, n, chosen, correlations), chosen, tail))


def holds(estimates, expected, error):
    for estimate, value in zip(estimates, expected, strict=True):
        assert abs(estimate.value - value) < 4 * estimate.standard_error
        assert estimate.standard_error < error


def test_independent_inputs():
    for found in effects(ishigami, 3, 1024):
        holds(found.shares, ISHIGAMI, 0.015)
        holds([found.whole], [13.8445879], 0.3)


def test_correlated_gaussian_linear():
    for found in effects(linear, 2, 1024, CORRELATED):
        holds(found.shares, [8.375 / 43, 34.625 / 43], 0.015)
        holds([found.whole], [43], 0.8)


def test_tail_of_a_gaussian():
    """In the tail of Y = Σ aᵢ zᵢ, E[z | Y] is linear: shares are those of the variance, and the whole is sd · φ(q)/0.05."""
    for found in effects(linear, 2, 2048, CORRELATED, tail=True):
        holds(found.shares, [8.375 / 43, 34.625 / 43], 0.02)
        holds([found.whole], [43**0.5 * stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05], 0.4)


@pytest.mark.parametrize("tail", [False, True])
def test_shares_sum_to_one(tail):
    for found in effects(ishigami, 3, 64, tail=tail):
        assert sum(share.value for share in found.shares) == pytest.approx(1, abs=1e-12)


def test_errors_are_what_repetitions_scatter_by():
    chosen = orders(3, 4)
    found = [of_walks(walks(ishigami, 3, 32, chosen, seed=seed), chosen).shares[0] for seed in range(40)]
    scatter = np.std([estimate.value for estimate in found], ddof=1)
    assert np.mean([estimate.standard_error for estimate in found]) == pytest.approx(scatter, rel=0.35)


def test_nothing_varies():
    assert effects(lambda z: np.full(z.shape[:-1], 3.7), 2, 64) == (None, None)


def test_one_input_is_everything_and_one_without_effect_nothing():
    for found in effects(lambda z: z[..., 0] ** 3, 1, 64):
        assert [share.value for share in found.shares] == [1]
    for found in effects(lambda z: z[..., 0] ** 3, 2, 64):
        assert [share.value for share in found.shares] == pytest.approx([1, 0])
