"""Means given that an input is low or high."""

from statistics import NormalDist

import numpy as np
import pytest

from simulator.analysis.conditional import given_low_and_high

NORMAL = NormalDist()
TENTH = NORMAL.pdf(NORMAL.inv_cdf(0.1)) / 0.1  # −E[x | x in its lowest tenth] of a standard normal


def given(values, results):
    (only,) = given_low_and_high(values, results[None])
    return only


def pair(correlation, seed=1, shape=(32, 2048)):
    x, y = np.random.default_rng(seed).standard_normal((2, *shape))
    return x, correlation * x + np.sqrt(1 - correlation**2) * y


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.5, 1.0])
def test_truncated_normals(correlation):
    x, y = pair(correlation)
    low, high = given(x, y)
    for found, expected in ((low, -correlation * TENTH), (high, correlation * TENTH)):
        assert abs(found.mean.value - expected) < 4 * found.mean.standard_error < 0.1
        assert found.share == pytest.approx(0.1, abs=1e-4)
    assert low.threshold == pytest.approx(NORMAL.inv_cdf(0.1), abs=0.03) and high.threshold > 1.2


def test_the_error_is_the_spread():
    found = [given(*pair(0.5, seed, (16, 64)))[0].mean for seed in range(300)]
    claimed = np.sqrt(np.mean([mean.standard_error**2 for mean in found]))
    assert 0.85 < claimed / np.std([mean.value for mean in found]) < 1.15


def test_few_trials_of_which_a_replicate_may_hold_none():
    low, _ = given(*pair(0.5, 3, (16, 4)))
    assert np.isfinite(low.mean.standard_error) and low.mean.standard_error > 0


def test_equal_values_stay_together():
    """An input that is 1 in nine of ten trials, but for rounding, and else 4."""
    values = np.where(np.arange(1000).reshape(10, 100) % 20 == 0, 4.0, 1.0)
    low, high = given(values * (1 + 1e-15 * np.arange(100)), values)
    assert low.share == pytest.approx(0.95) and low.mean.value == 1
    assert high.share == 1.0, "the highest tenth begins at 1"
