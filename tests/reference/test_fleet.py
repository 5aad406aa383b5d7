"""Failures of single GPUs: chance within the world, which averages out as fleets grow, and epidemics, which do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit
from scipy import stats

import simulator
from simulator.kernels.distributions import poisson

LIFE, RATE, COST, CAPEX = 5, 0.06, 0.7, 30000
BOUGHT = {"ownership": "buy", "throughput": 1000, "capex": CAPEX, "power": 1, "pue": 1, "gpu_lifetime": LIFE,
          "energy_price": 0.08, "failure_rate": RATE, "replacement_cost": COST}


def study(trials=65536, **changes):
    return {"schema": 1, "simulation": {"trials": trials, "seed": 4}, "shared": {"utilization": 1, "discount_rate": 0.08},
            "platforms": {"a": {**BOUGHT, **changes}}}


@njit
def quantiles(u, mean):
    found = np.empty(u.size)
    for i in range(u.size):
        found[i] = poisson(u[i], mean)
    return found


@pytest.mark.parametrize("mean", [1e-9, 0.01, 0.7, 5, 30, 49.9])
def test_poisson_is_that_of_scipy(mean):
    u = np.concatenate([np.linspace(0.0005, 0.9995, 2000), [1e-12, 1 - 1e-12]])
    np.testing.assert_array_equal(quantiles(u, mean), stats.poisson(mean).ppf(u))


@pytest.mark.parametrize("mean", [50.1, 300, 5000])
def test_many_failures_have_the_moments_of_a_poisson_distribution(mean):
    found = quantiles((np.arange(400_000) + 0.5) / 400_000, mean)
    assert found.mean() == pytest.approx(mean, rel=1e-4)
    assert found.var() == pytest.approx(mean, rel=2e-3)
    assert stats.skew(found) == pytest.approx(mean**-0.5, rel=0.05)


def discounts():
    return 1.08 ** -((np.arange(12 * LIFE) + 0.5) / 12)


@pytest.mark.parametrize("fleet", [1, 8, 72, 20_000])
def test_the_noise_of_a_fleet_in_closed_form(load, fleet):
    """Σ v_t N_t / fleet with N_t Poisson: mean Σ v_t λ, variance Σ v_t² λ / fleet, of what one failure costs."""
    run = simulator.run(load(study(fleet_size=fleet)))
    v, tokens = discounts(), 1000 * 2_629_800
    one = COST * CAPEX * 1e6 / (tokens * v.sum())
    part = run.estimate("a", "parts.replacement", "mean")
    assert abs(part.value - one * RATE / 12 * v.sum()) < 5 * part.standard_error
    found = run.estimate("a", "cost_per_million_tokens", "sd")
    assert found.value == pytest.approx(one * math.sqrt((v**2).sum() * RATE / 12 / fleet), abs=5 * found.standard_error)


UNCERTAIN = {"failure_rate": {"distribution": "uniform", "low": 0.02, "high": 0.2}, "warranty": 1,
             "failure_epidemic": {"probability": 0.2, "rate_multiplier": 5}}


@pytest.mark.parametrize("attrition", ["with_replacement", "without_replacement"])
def test_as_the_fleet_grows_the_range_becomes_that_of_the_rates_alone(load, attrition):
    words = {"attrition": attrition}
    alone = simulator.run(load(study(**UNCERTAIN, **words)))
    distances, spreads = [], []
    for fleet in (8, 512, 1e7):
        run = simulator.run(load(study(**UNCERTAIN, **words, fleet_size=fleet)))
        distances.append([run.estimate("a", "cost_per_million_tokens", p).value
                          - alone.estimate("a", "cost_per_million_tokens", p).value for p in ("p5", "p95")])
        spreads.append(run.estimate("a", "cost_per_million_tokens", "sd").value)
    nearer, middle = np.abs(distances), alone.estimate("a", "cost_per_million_tokens", "p50").value
    assert np.all(nearer[0] > 3 * nearer[2]) and np.all(nearer[2] < 2e-4 * middle)
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] == pytest.approx(alone.estimate("a", "cost_per_million_tokens", "sd").value, rel=2e-3)


def test_an_epidemic_hits_the_whole_platform(load):
    """Costs fall into two groups, however large the fleet."""
    run = simulator.run(load(study(failure_epidemic={"probability": 0.1, "rate_multiplier": 6}, fleet_size=1e6)))
    v, tokens = discounts(), 1000 * 2_629_800
    usual = RATE * COST * CAPEX / 12 * 1e6 / tokens

    def without(p):
        return run.estimate("a", "cost_per_million_tokens", p).value - base

    base = 1e6 * (CAPEX + (0.08 * 730.5 * v).sum()) / (tokens * v.sum())
    assert without("p50") == pytest.approx(usual, rel=0.01) and without("p95") == pytest.approx(6 * usual, rel=0.01)
    mean = run.estimate("a", "parts.replacement", "mean")
    assert mean.value == pytest.approx(usual * (0.9 + 0.6), rel=0.01)


def test_what_is_not_replaced_lowers_tokens_and_energy(load):
    """Running GPUs fall by the month's share; tokens, energy and nothing else with them."""
    run = simulator.run(load(study(trials=256, attrition="without_replacement", warranty=1)))
    v, months = discounts(), np.arange(1, 12 * LIFE + 1)
    after = np.cumprod(np.where(months > 12, 1 - RATE / 12, 1.0))
    alive = (after + np.concatenate([[1], after[:-1]])) / 2
    tokens = 1000 * 2_629_800 * (v * alive).sum()
    cost = CAPEX + (v * alive * 0.08 * 730.5).sum()
    assert run.estimate("a", "cost_per_million_tokens", "mean").value == pytest.approx(1e6 * cost / tokens, rel=1e-12)
    energy = run.estimate("a", "energy_per_million_tokens", "p50").value
    assert energy == pytest.approx(1e6 * 730.5 / (1000 * 2_629_800), rel=1e-12)
    with pytest.raises(KeyError):
        run.estimate("a", "parts.replacement", "mean")


def test_a_fleet_is_drawn_for_each_platform_by_itself(load):
    data = study(fleet_size=8)
    data["platforms"]["b"] = data["platforms"]["a"]
    run = simulator.run(load(data))
    x, y = (run.sample.outputs[k, "cost_per_million_tokens"] for k in (0, 1))
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.1
