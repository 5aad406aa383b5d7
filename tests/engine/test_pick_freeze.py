"""Costs with some inputs kept and the others drawn anew: what is kept, the law of what is not, and both samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rented_lognormals import PAIRS, SAMPLERS, TRIPLE, study, whole
from scipy import stats

import simulator
from simulator.engine.pick_freeze import LANES, REPLICATES, mixed_columns, pick_freeze, random_invertible_bits
from simulator.quantities import COST


def normal_scores(costs):
    """Scores of the three rental prices in each set: float64[sets, platforms, trials]."""
    logs = np.log(costs)
    median = np.median(logs, axis=(0, 1, 3), keepdims=True)
    found = (logs - median) / np.array([0.1, 0.2, 0.3])[:, None]
    return np.moveaxis(found, 0, 2).reshape(costs.shape[1], 3, -1)


@pytest.mark.parametrize("copula", ["gaussian", {"family": "t", "degrees_of_freedom": 3}])
@pytest.mark.parametrize("kept", [(), (0,), (2, 0), (0, 1, 2)])
def test_redrawn_inputs_have_the_law_of_those_they_replace(load, copula, kept):
    loaded = load(study({}, TRIPLE, PAIRS, copula))
    freeze = pick_freeze(loaded)
    keeps = np.zeros((REPLICATES, 1, 2, 3), bool)
    keeps[:, :, 0] = True
    keeps[..., 1, list(kept)] = True
    z = normal_scores(freeze.costs(keeps, np.tile(np.arange(3), (REPLICATES, 1, 1)), 512))
    first, second = z
    for member in kept:
        assert np.array_equal(first[member], second[member])
    # Both have the same correlations, the same tails together, and normal margins.
    assert np.corrcoef(second) == pytest.approx(np.corrcoef(first), abs=0.035)
    together = [np.mean((np.abs(sample[0]) > 1.645) & (np.abs(sample[2]) > 1.645)) for sample in z]
    assert together[0] == pytest.approx(together[1], abs=0.004)
    for row in second:
        assert stats.kstest(row, "norm").statistic < 0.012
    if copula == "gaussian":
        matrix = np.array(loaded.correlations.inputs.matrix)
        k = list(kept)
        known = matrix[:, k] @ np.linalg.solve(matrix[np.ix_(k, k)], matrix[k]) if k else np.zeros((3, 3))
        assert np.cov(first, second)[:3, 3:] == pytest.approx(known, abs=0.035)


@pytest.mark.parametrize("copula", ["gaussian", {"family": "t", "degrees_of_freedom": 3}])
def test_what_another_input_determines_is_kept_with_it(load, copula):
    paths = [f"platforms.{name}.rental_price" for name in "ab"]
    freeze = pick_freeze(load(study({}, {name: TRIPLE[name] for name in "ab"}, [(*paths, 1.0)], copula)))
    keeps = np.tile([[True, True], [True, False], [False, True], [False, False]], (REPLICATES, 1, 1, 1))
    a, b = np.moveaxis(np.log(freeze.costs(keeps, np.tile([1, 0], (REPLICATES, 1, 1)), LANES)), 2, 0)
    for chosen in (1, 2):
        assert a[:, chosen] == pytest.approx(a[:, 0], abs=1e-6) and b[:, chosen] == pytest.approx(b[:, 0], abs=1e-6)
    spread = a[:, 3].std() / b[:, 3].std()
    assert spread == pytest.approx(0.5, abs=1e-6) and abs(np.corrcoef(a[:, 3].ravel(), a[:, 0].ravel())[0, 1]) < 0.08


@pytest.mark.parametrize("sampler", ["sobol", "random", "latin_hypercube"])
def test_what_keeps_everything_is_the_ordinary_run(load, sampler):
    loaded = load(whole(), f"simulation.sampler={sampler}", "simulation.trials=8192")
    freeze = pick_freeze(loaded)
    count = len(freeze.factors)
    costs = freeze.costs(np.ones((REPLICATES, 1, 1, count), bool), np.tile(np.arange(count), (REPLICATES, 1, 1)), 256)
    run = simulator.run(loaded)
    for owner, platform in enumerate(loaded.platforms):
        assert costs[:, 0, owner].mean() == pytest.approx(run.estimate(platform.name, COST.name, "mean").value, rel=1e-12)


def test_composed_step_by_step_as_all_at_once(load):
    """Sets that differ much from the one before are the same as when they come alone, in any order of members."""
    freeze = pick_freeze(load(whole()))
    count = len(freeze.factors)
    rng = np.random.default_rng(0)
    keeps = np.repeat(rng.random((1, 1, 6, count)) < 0.5, REPLICATES, axis=0)
    orders = np.tile(rng.permutation(count), (REPLICATES, 1, 1))
    together = freeze.costs(keeps, orders, LANES)
    for chosen in range(6):
        alone = freeze.costs(keeps[:, :, [chosen]], orders, LANES, threads=1)
        # In what order B's normals of dependent inputs are used depends on the sets before: the law stays, the numbers do not.
        assert alone[:, 0].mean(axis=(0, 2)) == pytest.approx(together[:, chosen].mean(axis=(0, 2)), rel=0.02)
        assert np.array_equal(alone[:, 0, 1], together[:, chosen, 1]), "b depends on nothing correlated"


def test_index_bits_are_mixed_by_an_invertible_matrix():
    matrix = random_invertible_bits(9, 7, 3).astype(int)
    assert round(np.linalg.det(matrix)) % 2 == 1
    assert not np.array_equal(matrix, random_invertible_bits(9, 7, 4))
    columns = np.array([[1 << (63 - k) for k in range(9)]], np.uint64)
    mixed = mixed_columns(columns, 7, 3)
    points = [set(), set()]
    for side, given in enumerate((columns, mixed)):
        for index in range(512):
            point = 0
            for k in range(9):
                point ^= int(given[0, k]) if index >> k & 1 else 0
            points[side].add(point)
    assert points[0] == points[1], "the same points in another order"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_both_samples_are_independent(load, sampler):
    """E[f(A) g(B)] is E f · E g, and has the variance of independent pairs at most: leading digits are not tied."""
    uniform = {"distribution": "uniform", "low": 1, "high": 2}
    freeze = pick_freeze(load(study({}, {"a": {"rental_price": uniform}}, sampler=sampler)))
    keeps = np.array([[True], [False]])[None, None].repeat(REPLICATES, axis=0)
    costs = freeze.costs(keeps, np.zeros((REPLICATES, 1, 1), np.int64), 512)
    u = costs[:, :, 0] / costs.min() - 1
    for power in (1, 4):
        a, b = (np.sign(u[:, side] - 0.5) * np.abs(2 * u[:, side] - 1) ** (1 / power) for side in (0, 1))
        products = (a * b).mean(axis=1)
        independent = np.sqrt((a**2).mean() * (b**2).mean() / 512)
        assert abs(products.mean()) < 4 * independent / math.sqrt(REPLICATES)
        assert products.std() < 1.5 * independent
