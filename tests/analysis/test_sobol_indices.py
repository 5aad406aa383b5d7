"""Sobol' indices against closed forms, and where nothing varies or one input is all there is."""

from __future__ import annotations

import numpy as np
import pytest
from known_functions import ishigami, product_of_lognormals, sobol_g
from pick_freeze_by_numpy import one_by_one
from SALib.analyze import sobol as salib
from SALib.sample import sobol as salib_sample
from scipy.special import ndtri

from simulator.analysis.sobol_indices import sobol_indices

KNOWN = [
    (ishigami, 13.8445879, [0.3139052, 0.4424111, 0], [0.5575889, 0.4424111, 0.2436837]),
    (sobol_g, 0.4654244, [0.7161922, 0.1790480, 0.0236758, 0.0071619], [0.7871441, 0.2421982, 0.0343169, 0.0104604]),
    (product_of_lognormals, None, [0.0668790, 0.2715761, 0.6266847], [0.0761638, 0.3001380, 0.6588155])]


@pytest.mark.parametrize(("function", "variance", "first", "total"), KNOWN)
def test_closed_forms(function, variance, first, total):
    found = sobol_indices(*one_by_one(function, 8 if function is sobol_g else 3, 2048))
    if variance:
        assert abs(found.variance.value - variance) < 4 * found.variance.standard_error
    for estimates, expected in ((found.first, first), (found.total, total)):
        for estimate, value in zip(estimates, expected, strict=False):
            assert abs(estimate.value - value) < 4 * estimate.standard_error
            assert estimate.standard_error < 0.015


def test_errors_are_what_repetitions_scatter_by():
    found = [sobol_indices(*one_by_one(ishigami, 3, 64, seed=seed)).total[0] for seed in range(60)]
    scatter = np.std([estimate.value for estimate in found], ddof=1)
    assert np.mean([estimate.standard_error for estimate in found]) == pytest.approx(scatter, rel=0.3)
    assert sum(estimate.low < 0.5575889 < estimate.high for estimate in found) >= 51


def test_a_far_mean_takes_no_digits():
    a, b, swapped = one_by_one(ishigami, 3, 256)
    near, far = sobol_indices(a, b, swapped), sobol_indices(a + 1e6, b + 1e6, swapped + 1e6)
    assert far.first[0].value == pytest.approx(near.first[0].value, abs=1e-7)


def test_nothing_varies():
    flat = np.full((32, 8), 3.7)
    assert sobol_indices(flat, flat, np.array([flat, flat])) is None


def test_one_input_is_everything_and_one_without_effect_nothing():
    found = sobol_indices(*one_by_one(lambda z: z[..., 0] ** 3, 2, 512))
    assert found.total[1].value == found.first[1].value == 0 == found.first[1].standard_error
    alone = sobol_indices(*one_by_one(lambda z: z[..., 0] ** 3, 1, 512))
    assert abs(alone.first[0].value - 1) < 3 * alone.first[0].standard_error


def test_independent_package():
    problem = {"num_vars": 3, "names": ["x1", "x2", "x3"], "bounds": [[0, 1]] * 3}
    points = np.clip(salib_sample.sample(problem, 4096, calc_second_order=False, seed=1), 1e-12, 1 - 1e-12)
    y = ishigami(ndtri(points))
    theirs = salib.analyze(problem, y, calc_second_order=False, seed=1)
    # The same evaluations: A, then A with each column of B, then B.
    parts = y.reshape(-1, 5).T
    ours = sobol_indices(parts[0].reshape(32, -1), parts[4].reshape(32, -1), parts[1:4].reshape(3, 32, -1))
    assert [estimate.value for estimate in ours.first] == pytest.approx(theirs["S1"], abs=1e-3)
    assert [estimate.value for estimate in ours.total] == pytest.approx(theirs["ST"], rel=1e-9)


def test_another_independent_package():
    openturns = pytest.importorskip("openturns")
    openturns.RandomGenerator.SetSeed(1)
    points = openturns.SobolIndicesExperiment(openturns.JointDistribution([openturns.Normal()] * 3), 4096).generate()
    y = ishigami(np.array(points))
    theirs = openturns.JansenSensitivityAlgorithm(points, openturns.Sample(y[:, None]), 4096)
    # The same evaluations: A, B, then A with each column of B. Their shares are of the variance of A, ours of A and B together.
    parts = y.reshape(5, 32, -1)
    ours = sobol_indices(parts[0], parts[1], parts[2:])
    moved = [estimate.value * ours.variance.value for estimate in ours.total]
    assert moved == pytest.approx([share * parts[0].var() for share in theirs.getTotalOrderIndices()], rel=1e-3)
