"""Price paths against the moments of the process."""

import numpy as np
import pytest

from simulator.kernels.processes import (
    HAS_JUMPS,
    HAS_START,
    HAS_STATIONARY_START,
    HAS_STRIKE,
    IS_DEFLATED,
    PROCESS_ROWS,
    bridge_nodes,
    fill_jumps,
    mean_reverting_prices,
    place_shock,
)
from simulator.units import MONTHS


def shocks_from(z):
    """Shocks float64[MONTHS, n] from standard normals of the same shape, one row a dimension."""
    shocks = np.full_like(z, np.nan)
    for k, node in enumerate(bridge_nodes()):
        place_shock(node, z[k], shocks)
    return shocks


def parameters_of(n, **given):
    parameters = np.full((len(PROCESS_ROWS), n), np.nan)
    for name, value in {"delivery": 0.0, "hedged_share": 0.0, **given}.items():
        parameters[PROCESS_ROWS.index(name)] = value
    return parameters


def prices_from(shocks, months=MONTHS, jumps=None, stationary=False, **given):
    n = shocks.shape[1]
    flags = ((HAS_STATIONARY_START if stationary else HAS_START if "start" in given else 0)
             | (HAS_STRIKE if "strike" in given else 0) | (HAS_JUMPS if jumps is not None else 0)
             | (IS_DEFLATED if "inflation" in given else 0))
    prices, scratch = shocks.copy(), np.empty((5, n))
    none = np.zeros((1, n))
    mean_reverting_prices(parameters_of(n, **given), flags, months, none if jumps is None else jumps, *scratch, prices)
    return prices


def test_the_bridge_is_an_orthogonal_map():
    # Independent normals in, independent normals out, whatever the sampler: that is what keeps the process exact.
    matrix = shocks_from(np.eye(MONTHS))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(MONTHS), atol=1e-13)


def test_the_first_dimensions_carry_the_level():
    matrix = shocks_from(np.eye(MONTHS))
    np.testing.assert_allclose(matrix[:60].sum(axis=0), [np.sqrt(60), *[0] * (MONTHS - 1)], atol=1e-12)


def test_every_month_is_split_once():
    nodes = bridge_nodes()
    assert nodes.shape == (MONTHS, 3)
    starts = [first if middle == end else middle for first, middle, end in nodes]
    assert sorted(starts) == list(range(MONTHS))


def test_path_is_the_recursion_of_the_definition():
    rng = np.random.default_rng(1)
    shocks = rng.standard_normal((MONTHS, 50))
    kappa, sigma = rng.uniform(0.5, 8, 50), rng.uniform(0.2, 2, 50)
    median, start = rng.uniform(20, 60, (2, 50))
    found = prices_from(shocks, median=median, reversion_rate=kappa, volatility=sigma, start=start, delivery=7.0,
                        hedged_share=0.25, strike=50.0)
    x, mu = np.log(start), np.log(median)
    for t in range(MONTHS):
        x = mu + (x - mu) * np.exp(-kappa / 12) + sigma * np.sqrt((1 - np.exp(-kappa / 6)) / (2 * kappa)) * shocks[t]
        np.testing.assert_allclose(found[t], 7 + 0.75 * np.exp(x) + 0.25 * 50, rtol=1e-12)


@pytest.mark.parametrize("month", [1, 6, 60, 180])
def test_moments_are_those_of_the_process(month):
    kappa, sigma, median, start = 2.5, 1.05, 41.0, 80.0
    shocks = np.random.default_rng(2).standard_normal((MONTHS, 200_000))
    x = np.log(prices_from(shocks, months=month, median=median, reversion_rate=kappa, volatility=sigma, start=start)[month - 1])
    mean = np.log(median) + np.log(start / median) * np.exp(-kappa * month / 12)
    variance = sigma**2 * -np.expm1(-2 * kappa * month / 12) / (2 * kappa)
    assert x.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / x.size))
    assert x.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / x.size))


def test_a_hedge_at_the_default_strike_is_no_free_lunch():
    shocks = np.random.default_rng(3).standard_normal((MONTHS, 100_000))
    common = {"median": 41.0, "reversion_rate": 2.5, "volatility": 1.05}
    bare, hedged = (prices_from(shocks, **common, hedged_share=share)[60:].mean() for share in (0.0, 0.8))
    assert hedged == pytest.approx(bare, rel=0.01)
    assert hedged == pytest.approx(41 * np.exp(1.05**2 / 10), rel=0.01)


def test_slow_reversion_is_a_random_walk():
    shocks = np.random.default_rng(4).standard_normal((MONTHS, 20))
    found = prices_from(shocks, median=40.0, reversion_rate=1e-9, volatility=0.3, strike=1.0)
    np.testing.assert_allclose(found, 40 * np.exp(0.3 / np.sqrt(12) * np.cumsum(shocks, axis=0)), rtol=1e-6)


def test_the_gap_formula_is_continuous_where_it_changes():
    shocks = np.ones((MONTHS, 2))
    found = prices_from(shocks, median=1.0, reversion_rate=np.array([0.006 * (1 - 1e-12), 0.006 * (1 + 1e-12)]), volatility=0.3)
    np.testing.assert_allclose(found[:, 0], found[:, 1], rtol=1e-11)


def jumps_of(n, **given):
    jumps = np.full((MONTHS, n), np.nan)
    fill_jumps(parameters_of(n, **given), MONTHS, np.uint64(7), np.uint64(8), 3, 0, np.empty(n), np.empty(n), jumps)
    return jumps


def test_jumps_are_a_compound_poisson_sum():
    rate, mean, sd = 30.0, 0.3, 0.2
    jumps = jumps_of(40_000, **{"jumps.rate": rate, "jumps.mean": mean, "jumps.sd": sd})
    expected, variance = rate / 12 * mean, rate / 12 * (mean**2 + sd**2)
    assert jumps.mean() == pytest.approx(expected, abs=5 * np.sqrt(variance / jumps.size))
    assert jumps.var() == pytest.approx(variance, rel=0.01)
    assert np.mean(jumps == 0) == pytest.approx(np.exp(-rate / 12), abs=5e-4)
    correlation = np.corrcoef(jumps[10], jumps[11])[0, 1]
    assert abs(correlation) < 5 / np.sqrt(jumps.shape[1])


@pytest.mark.parametrize("month", [1, 12, 120])
def test_moments_with_jumps_are_those_of_the_process(month):
    """Shot noise: Σ λ/12 m ρ^k and Σ λ/12 (m² + s²) ρ^2k over the months since the jump."""
    kappa, sigma, rate, mean, sd = 1.5, 0.6, 2.0, 0.4, 0.3
    n = 200_000
    shocks = np.random.default_rng(5).standard_normal((MONTHS, n))
    jumps = jumps_of(n, **{"jumps.rate": rate, "jumps.mean": mean, "jumps.sd": sd})
    x = np.log(prices_from(shocks, months=month, jumps=jumps, median=1.0, reversion_rate=kappa, volatility=sigma)[month - 1])
    kept = np.exp(-kappa / 12) ** np.arange(month)
    expected = rate / 12 * mean * kept.sum()
    variance = sigma**2 * -np.expm1(-2 * kappa * month / 12) / (2 * kappa) + rate / 12 * (mean**2 + sd**2) * (kept**2).sum()
    assert x.mean() == pytest.approx(expected, abs=5 * np.sqrt(variance / n))
    assert x.var() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("month", [1, 7, 60])
def test_a_stationary_start_stays_stationary(month):
    rng = np.random.default_rng(6)
    n, kappa, sigma = 200_000, 0.7, 0.9
    found = prices_from(rng.standard_normal((MONTHS, n)), months=month, stationary=True, median=2.0, reversion_rate=kappa,
                        volatility=sigma, start=rng.standard_normal(n))
    x = np.log(found[month - 1])
    assert x.mean() == pytest.approx(np.log(2), abs=5 * sigma / np.sqrt(2 * kappa * n))
    assert x.var() == pytest.approx(sigma**2 / (2 * kappa), rel=5 * np.sqrt(2 / n))


def test_a_strike_in_nominal_money_is_deflated():
    found = prices_from(np.zeros((MONTHS, 3)), median=1.0, reversion_rate=1.0, volatility=0.1, hedged_share=1.0, strike=50.0,
                        delivery=2.0, inflation=0.03)
    years = (np.arange(MONTHS) + 0.5) / 12
    np.testing.assert_allclose(found, np.repeat((2 + 50 * 1.03**-years)[:, None], 3, axis=1), rtol=1e-12)
