"""Rank correlation, regression and first-order indices: known answers and independent packages, through the product's code."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import qmc, spearmanr

from simulator.analysis.conditional_means import fit
from simulator.analysis.jackknife import jackknife
from simulator.analysis.ranks import rank_correlations, ranked, regression_coefficients

REPLICATES, EACH = 32, 1024


def points(dimensions, sampler="sobol"):
    if sampler == "random":
        return np.random.default_rng(7).random((dimensions, REPLICATES * EACH))
    return np.concatenate([qmc.Sobol(dimensions, rng=r).random(EACH) for r in range(REPLICATES)]).T


def first_order(columns, output):
    scores = ranked(columns).scores()
    return [fit(scores[k:k + 1], output[None], REPLICATES).explained()[0] for k in range(len(columns))]


def ishigami(u):
    x = np.pi * (2 * u - 1)
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def g_function(u):
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])[:, None]
    return np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=0)


def lognormals(u):
    return np.exp(np.array([0.1, 0.2, 0.3]) @ ndtri(u))


@pytest.mark.parametrize("sampler", ["sobol", "random"])
@pytest.mark.parametrize(("function", "dimensions", "known"), [
    (ishigami, 4, [0.3139052, 0.4424111, 0, 0]),
    (g_function, 8, [0.7161922, 0.1790480, 0.0236758, 0.0071619, 0.000104, 0.000104, 0.000104, 0.000104]),
    (lognormals, 3, [0.0668790, 0.2715761, 0.6266847])])
def test_first_order_indices_of_known_functions(sampler, function, dimensions, known):
    u = points(dimensions, sampler)
    for found, right in zip(first_order(u, function(u)), known, strict=True):
        assert abs(found.value - right) < 4 * found.standard_error + 2e-4
        assert found.standard_error < (0.006 if sampler == "random" else 0.0015)


def test_a_group_holds_what_its_members_do_together():
    u = points(4)
    x = ndtri(u)
    y = np.array([x[0] + x[1] ** 2 + x[0] * x[2]])  # variances 1, 2, 1
    shares = [fit(ranked(u).scores()[list(group)], y, REPLICATES).explained()[0] for group in ((0, 1), (0, 2), (0, 1, 2), (1, 3))]
    for found, right in zip(shares, (0.75, 0.5, 1.0, 0.5), strict=True):
        assert abs(found.value - right) < 4 * found.standard_error + 2e-3


def test_a_gaussian_linear_model():
    z = ndtri(points(2))
    rho, beta, sd = 0.5, np.array([1, 2]), np.array([1, 3])
    x = sd[:, None] * np.array([z[0], rho * z[0] + np.sqrt(1 - rho**2) * z[1]])
    y = beta @ x
    variance = 43.0
    ((coefficients, explained),) = regression_coefficients(x, y[None], REPLICATES)
    for found, right in zip(coefficients, beta * sd / np.sqrt(variance), strict=True):
        assert found.value == pytest.approx(right, abs=0.005)
    assert explained.value == pytest.approx(1, abs=1e-6)
    # With correlation an index holds what the others tell along: Cov(x, y)²/(Var x · Var y).
    for found, right in zip(first_order(x, y), ((1 + 2 * 1.5) ** 2 / 43, (1.5 + 18) ** 2 / (9 * 43)), strict=True):
        assert found.value == pytest.approx(right, abs=0.003)
    for k, correlations in enumerate(rank_correlations(ranked(x).ranks, ranked(y[None]).ranks, REPLICATES)[0]):
        assert correlations.value == pytest.approx(spearmanr(x[k], y).statistic, abs=3e-4)


@pytest.mark.parametrize("tied", [False, True])
def test_rank_correlations_are_those_of_scipy(tied):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3, 640))
    y = np.exp(x[0] - x[1] + rng.normal(size=640))
    if tied:
        x = np.round(x)
    found = rank_correlations(ranked(x).ranks, ranked(y[None]).ranks, 32)[0]
    pooled = np.corrcoef(np.concatenate([ranked(x).ranks, ranked(y[None]).ranks]))[:3, 3]
    for k in range(3):
        assert pooled[k] == pytest.approx(spearmanr(x[k], y).statistic, abs=1e-12)
        assert abs(found[k].value - pooled[k]) < 0.1 * found[k].standard_error
        assert found[k].standard_error == pytest.approx(0.03, rel=0.6)


def test_what_is_constant_or_twice_the_same():
    u = points(2)
    x = np.array([u[0], np.full(u.shape[1], 3.0), u[0]])
    y = np.array([u[0] + u[1], np.full(u.shape[1], 0.1)])
    (varying, _), (still, nothing) = regression_coefficients(x, y, REPLICATES)
    assert varying[0].value == pytest.approx(varying[2].value, rel=1e-4)
    assert varying[0].value == pytest.approx(np.sqrt(0.5) / 2, abs=1e-3)
    assert varying[1].value == 0 and [c.value for c in still] == [0, 0, 0] and nothing.value == 0
    assert rank_correlations(ranked(x).ranks, ranked(y).ranks, REPLICATES)[0][1].value == 0
    assert first_order(x, y[0])[1].value == pytest.approx(0, abs=1e-3) and first_order(x, y[1])[0].value == 0


def test_an_input_with_few_values():
    u = points(2)
    x = np.array([np.where(u[0] < 0.93, 1.0, 6.0), u[1]])
    y = x[0] + ndtri(u[1])
    variance = 25 * 0.93 * 0.07
    assert first_order(x, y)[0].value == pytest.approx(variance / (variance + 1), abs=2e-3)


def test_errors_cover_the_truth():
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(2, 32 * 64))
        share = fit(ranked(x).scores()[:1], (x[0] + 2 * x[1])[None], 32).explained()[0]
        hits += share.low <= 0.2 <= share.high
    assert hits >= 51


def test_the_jackknife_knows_the_error_and_the_bias_of_a_variance():
    values = np.random.default_rng(1).normal(size=20)
    left_out = np.array([np.delete(values, k).var() for k in range(20)])
    assert jackknife(values.var(), left_out).value == pytest.approx(values.var(ddof=1))
    means = np.array([np.delete(values, k).mean() for k in range(20)])
    assert jackknife(values.mean(), means).standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(20))


def test_first_order_indices_of_another_package():
    """Plischke's estimator as SALib has it, on the same sample; coarser, and without an error."""
    rbd_fast = pytest.importorskip("SALib.analyze.rbd_fast")
    u = points(3)
    y = lognormals(u)
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    shuffled = np.random.default_rng(0).permutation(u.shape[1])[:4096]
    theirs = rbd_fast.analyze(problem, u.T[shuffled], y[shuffled], num_resamples=2, seed=1)["S1"]
    for found, other in zip(first_order(u, y), theirs, strict=True):
        assert found.value == pytest.approx(other, abs=0.03)
