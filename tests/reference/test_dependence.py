"""Rank correlations come out as they were stated, marginals and the Sobol' net stay intact, and extremes come together."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import special, stats

import simulator
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.engine.quantile_tables import student_table
from simulator.engine.trials import Trials
from simulator.kernels.copulas import student_score
from simulator.kernels.trajectories import BLOCK
from simulator.study.correlations import cholesky, nearest_possible, rank_correlation, score_correlation

UTILIZATION, PRICE, THROUGHPUT = "shared.utilization", "platforms.a.rental_price", "platforms.a.throughput"
COPULAS = ["gaussian", {"family": "t", "degrees_of_freedom": 4}, {"family": "t", "degrees_of_freedom": 1.5}]


def study(pairs, copula="gaussian", trials=4096, **platform):
    return {"schema": 1, "simulation": {"trials": trials, "seed": 5, "replicates": 16},
            "shared": {"utilization": {"distribution": "beta", "alpha": 3, "beta": 2}},
            "platforms": {"a": {"ownership": "rent", "throughput": {"distribution": "lognormal", "median": 900, "sigma": 0.4},
                                "rental_price": {"distribution": "triangular", "low": 1, "mode": 2, "high": 5}, **platform}},
            "correlations": {"copula": copula, "pairs": pairs}}


def drawn(loaded, *paths):
    """All trials of the first replicate of some inputs."""
    rows = layout(loaded)
    compiled = compile_study(loaded, rows.wanted, rows.pairs)
    trials = Trials(compiled, loaded.simulation, len(rows.rows), 1)
    blocks = [trials.block(0, first).values.copy() for first in range(0, loaded.simulation.trials_per_replicate, BLOCK)]
    values = np.concatenate(blocks, axis=1)
    return [values[compiled.rows.index(path)] for path in paths]


PAIRS = [[UTILIZATION, PRICE, 0.5], [PRICE, THROUGHPUT, -0.7], [UTILIZATION, THROUGHPUT, -0.2]]


@pytest.mark.parametrize("sampler", ["sobol", "random"])
@pytest.mark.parametrize("copula", COPULAS, ids=["gaussian", "t4", "t1.5"])
def test_rank_correlations_come_out(load, copula, sampler):
    loaded = load(study(PAIRS, copula, 16 * 2**17), f"simulation.sampler={sampler}")
    values = dict(zip((UTILIZATION, PRICE, THROUGHPUT), drawn(loaded, UTILIZATION, PRICE, THROUGHPUT), strict=True))
    for first, second, rank in PAIRS:
        assert stats.spearmanr(values[first], values[second]).statistic == pytest.approx(rank, abs=0.01)
    # Marginals stay what they were.
    for path, marginal in ((UTILIZATION, stats.beta(3, 2)), (THROUGHPUT, stats.lognorm(0.4, scale=900))):
        np.testing.assert_allclose(np.quantile(values[path], [0.05, 0.5, 0.95]), marginal.ppf([0.05, 0.5, 0.95]), rtol=0.01)


def test_the_net_stays_intact(load):
    """The first member in the order of paths is drawn as without a copula; under Sobol' its points stay evenly spread."""
    alone, = drawn(load(study([])), PRICE)
    first, = drawn(load(study([[PRICE, UTILIZATION, 0.6]])), PRICE)
    np.testing.assert_allclose(first, alone, rtol=1e-12)
    other, = drawn(load(study([[PRICE, UTILIZATION, 0.6]], trials=16 * 1024)), UTILIZATION)
    u = stats.beta(3, 2).cdf(other)
    # A plain sample of 1024 would have a mean off by 0.009.
    assert abs(u.mean() - 0.5) < 0.001


def test_inputs_in_no_pair_stay_as_they_were(load):
    before, = drawn(load(study([])), THROUGHPUT)
    after, = drawn(load(study([[UTILIZATION, PRICE, 0.9]], COPULAS[1])), THROUGHPUT)
    assert np.array_equal(before, after)


def test_making_a_member_certain_moves_no_other(load):
    pairs = [[UTILIZATION, PRICE, 0.5], [PRICE, THROUGHPUT, -0.7]]
    before = drawn(load(study(pairs)), THROUGHPUT, UTILIZATION)
    certain = load(study(pairs), "platforms.a.rental_price=2")
    assert any("has no effect: platforms.a.rental_price is certain" in warning for warning in certain.warnings)
    assert all(np.array_equal(x, y) for x, y in zip(before, drawn(certain, THROUGHPUT, UTILIZATION), strict=True))


def test_a_t_copula_has_its_tail_dependence(load):
    """λ = 2 T_{ν+1}(−√((ν+1)(1−r)/(1+r))); at a finite share it is a little more than in the limit."""
    rank, degrees, share = 0.5, 4.0, 0.01
    joint = {}
    for copula in ("gaussian", {"family": "t", "degrees_of_freedom": degrees}):
        x, y = drawn(load(study([[PRICE, UTILIZATION, rank]], copula, 16 * 2**17)), PRICE, UTILIZATION)
        joint[str(copula)] = np.mean((x < np.quantile(x, share)) & (y < np.quantile(y, share))) / share
    gaussian, student = joint.values()
    r = score_correlation(rank, degrees)
    exact = stats.multivariate_t(shape=[[1, r], [r, 1]], df=degrees).cdf([stats.t(degrees).ppf(share)] * 2) / share
    assert student == pytest.approx(exact, abs=0.03)
    limit = 2 * stats.t(degrees + 1).cdf(-math.sqrt((degrees + 1) * (1 - r) / (1 + r)))
    assert limit < student and gaussian < 0.6 * student


def test_groups_that_no_pair_connects_do_not_share_extremes(load):
    pairs = [[UTILIZATION, PRICE, 0.0], ["platforms.a.throughput_factors.x", THROUGHPUT, 0.5]]
    factor = {"throughput_factors": {"x": {"distribution": "uniform", "low": 0.5, "high": 1}}}
    loaded = load(study(pairs, {"family": "t", "degrees_of_freedom": 1}, 16 * 2**14, **factor))
    one, other = drawn(loaded, UTILIZATION, THROUGHPUT)
    extreme = [np.abs(stats.rankdata(x) / len(x) - 0.5) > 0.48 for x in (one, other)]
    assert np.mean(extreme[0] & extreme[1]) == pytest.approx(0.04**2, rel=0.3)


def test_perfect_dependence_is_allowed(load):
    x, y = drawn(load(study([[PRICE, UTILIZATION, 1.0]])), PRICE, UTILIZATION)
    assert stats.spearmanr(x, y).statistic == pytest.approx(1, abs=1e-9)


def test_smallest_attainable_correlation_of_two_lognormals(load):
    """Two lognormals with σ = 1 cannot be correlated (in Pearson's sense) below (e⁻¹ − 1)/(e − 1) = −0.3679."""
    lognormal = {"distribution": "lognormal", "median": 1, "sigma": 1}
    data = study([[PRICE, THROUGHPUT, -1]], trials=16 * 2**17, throughput=lognormal, rental_price=lognormal)
    x, y = drawn(load(data), PRICE, THROUGHPUT)
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(-0.3679, abs=0.002)


def test_processes_depend_through_their_monthly_shocks(load):
    process = {"process": "mean_reverting", "median": 2, "reversion_rate": 1.5, "volatility": 0.6}
    data = study([["markets.one", "markets.two", 0.8]], trials=16 * 4096)
    data["markets"] = {"one": {**process, "of": "rental_price"}, "two": {**process, "of": "rental_price", "volatility": 0.3}}
    data["platforms"] = {name: {"ownership": "rent", "throughput": 900, "gpu_lifetime": 3, "rental_price": {"market": market}}
                         for name, market in (("a", "one"), ("b", "two"))}
    loaded = load(data)
    rows = layout(loaded)
    trials = Trials(compile_study(loaded, rows.wanted, rows.pairs), loaded.simulation, len(rows.rows), 1)
    prices = np.concatenate([trials.block(0, first).prices.copy() for first in range(0, 4096, BLOCK)], axis=2)
    x = np.log(prices[:, :36] / 2)
    kept = math.exp(-1.5 / 12)
    shocks = x[:, 1:] - kept * x[:, :-1]
    for month in (0, 10, 34):
        assert stats.spearmanr(shocks[0, month], shocks[1, month]).statistic == pytest.approx(0.8, abs=0.02)
    assert abs(stats.spearmanr(shocks[0, 3], shocks[1, 4]).statistic) < 0.05
    # Each market alone is the same process as before.
    assert x[1, 35].var() == pytest.approx(0.3**2 * -math.expm1(-2 * 1.5 * 3) / 3, rel=0.05)


def test_dependence_moves_the_answer_as_it_should(load):
    """cost = price/(throughput · …) of lognormals: the variance of its log is σ₁² + σ₂² − 2 r σ₁ σ₂."""
    data = study([[PRICE, THROUGHPUT, 0.6]], trials=65536, rental_price={"distribution": "lognormal", "median": 2, "sigma": 0.3})
    data["shared"]["utilization"] = 0.5
    run = simulator.run(load(data))
    r = 2 * math.sin(math.pi * 0.6 / 6)
    sigma = math.sqrt(0.3**2 + 0.4**2 - 2 * r * 0.3 * 0.4)
    found = run.estimate("a", "cost_per_million_tokens", "p95")
    assert abs(found.value - 2e6 / (900 * 0.5 * 3600) * math.exp(1.6448536 * sigma)) < 5 * found.standard_error < 0.02


# --- the mathematics -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rank", "degrees", "r"), [(0.5, 0, 0.5176380902), (0.3, 0, 2 * math.sin(math.pi * 0.05))])
def test_scores_under_a_gaussian_copula(rank, degrees, r):
    assert score_correlation(rank, degrees) == pytest.approx(r, abs=1e-9)


def test_ranks_under_a_t_copula():
    """The Gaussian formula is off by −.0139 at ρ = .5, ν = 4 (by 2·10⁷ simulated pairs, too)."""
    r = score_correlation(0.5, 4.0)
    assert rank_correlation(r, 4.0) == pytest.approx(0.5, abs=1e-9)
    assert float(rank_correlation(2 * math.sin(math.pi * 0.5 / 6), 4.0)) - 0.5 == pytest.approx(-0.0139, abs=0.0002)
    rng = np.random.default_rng(3)
    z = rng.standard_normal((2, 1_000_000))
    t = np.array([z[0], r * z[0] + math.sqrt(1 - r * r) * z[1]]) / np.sqrt(rng.chisquare(4, 1_000_000) / 4)
    assert stats.spearmanr(t[0], t[1]).statistic == pytest.approx(0.5, abs=0.004)


@pytest.mark.parametrize("degrees", [1.0, 1.5, 4.0, 30.0, 200.0])
def test_normal_scores_of_students_t(degrees):
    table, farthest = student_table(degrees)
    t = np.concatenate([-np.geomspace(1e-6, abs(special.stdtrit(degrees, 1e-12)), 300), [0.0], np.linspace(0, 6, 100)])
    found = np.array([student_score(x, table, 0, len(table), farthest) for x in t])
    np.testing.assert_allclose(found, np.where(t < 0, special.ndtri(special.stdtr(degrees, t)),
                                               -special.ndtri(special.stdtr(degrees, -t))), atol=1e-8)


def test_cholesky_of_regular_and_of_singular_matrices():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((6, 6))
    np.testing.assert_allclose(cholesky(a @ a.T), np.linalg.cholesky(a @ a.T), atol=1e-9)
    singular = np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]])
    factor = cholesky(singular)
    np.testing.assert_allclose(factor @ factor.T, singular, atol=1e-12)


def test_the_nearest_possible_correlations():
    """Higham (2002), section 4: the nearest to [[1, 1, 0], [1, 1, 1], [0, 1, 1]] has 0.7607 and 0.1573."""
    matrix = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1.0]])
    found = 2 * np.sin(np.pi / 6 * nearest_possible(matrix, 0))
    assert found[0, 1] == pytest.approx(0.7607, abs=2e-3) and found[0, 2] == pytest.approx(0.1573, abs=2e-3)
    assert np.linalg.eigvalsh(found)[0] > -1e-9


def test_leaving_out_a_platform_moves_no_draw(load):
    """Also where what it had, inputs and processes, others depend on, and comes before them in the order of paths."""
    rent = {"process": "mean_reverting", "median": 2, "reversion_rate": 1.5, "volatility": 0.6}
    data = study([["platforms.a.rental_price", "platforms.b.rental_price", 0.8],
                  ["platforms.a.throughput", "platforms.b.throughput", 0.7], [UTILIZATION, "platforms.a.throughput", -0.3]],
                 {"family": "t", "degrees_of_freedom": 4}, rental_price=rent)
    data["platforms"]["b"] = data["platforms"]["a"]
    whole = load(data)
    alone = dataclasses.replace(whole, platforms=whole.platforms[1:])
    before, after = simulator.run(whole), simulator.run(alone)
    assert before.estimate("b", "cost_per_million_tokens", "mean") == after.estimate("b", "cost_per_million_tokens", "mean")
    assert before.estimate("b", "cost_per_gpu_hour", "p95") == after.estimate("b", "cost_per_gpu_hour", "p95")
