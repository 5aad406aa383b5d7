"""Tornados and spiders against closed forms: a rented platform costs price · 1e6 / (throughput · utilization · 3600)."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
import studies

from simulator.engine.parameters import compile_study
from simulator.experiments.sensitivity.one_at_a_time import PERCENTILES, one_at_a_time
from simulator.experiments.sensitivity.price_levels import price_levels

Z = NormalDist().inv_cdf(0.9)


def lognormal(median, sigma):
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


def study(shared, correlations=None, **platforms):
    data = {"schema": 1, "simulation": {"trials": 1024}, "shared": shared,
            "platforms": {name: {"ownership": "rent", **inputs} for name, inputs in platforms.items()}}
    return {**data, "correlations": {"pairs": correlations}} if correlations else data


A = {"rental_price": lognormal(2.5, 0.1), "throughput": lognormal(900, 0.2)}
B = {"rental_price": lognormal(4, 0.3), "throughput": 1500}
UTILIZATION = {"distribution": "uniform", "low": 0.2, "high": 0.8}


@pytest.mark.parametrize("correlations", [None, [["platforms.a.rental_price", "platforms.a.throughput", 0.8]]])
def test_bars_are_exact_whatever_is_correlated(load, correlations):
    found = one_at_a_time(load(study({"utilization": UTILIZATION}, correlations, a=A, b=B)))
    base = 2.5e6 / (900 * 0.5 * 3600)
    assert found.at_medians[0] == pytest.approx(base, rel=1e-12)
    expected = {"shared.utilization": (base * 0.5 / 0.26, base * 0.5 / 0.74),
                "platforms.a.throughput": (base * math.exp(0.2 * Z), base * math.exp(-0.2 * Z)),
                "platforms.a.rental_price": (base * math.exp(-0.1 * Z), base * math.exp(0.1 * Z))}
    bars = found.tornado(0)
    assert [bar.input for bar in bars] == list(expected), "the longest first, and nothing of the other platform"
    for bar in bars:
        assert (bar.at_p10, bar.at_p90) == pytest.approx(expected[bar.input], rel=1e-12)
        assert bar.swing == abs(bar.at_p90 - bar.at_p10)
    assert found.notes == ()


def test_bars_of_a_ratio_leave_out_what_cancels(load):
    found = one_at_a_time(load(study({"utilization": UTILIZATION}, a=A, b=B)))
    base = 4 / 1500 / (2.5 / 900)
    bars = {bar.input: bar for bar in found.tornado(1, 0)}
    assert list(bars) == ["platforms.b.rental_price", "platforms.a.throughput", "platforms.a.rental_price"]
    assert bars["platforms.a.throughput"].at_p90 == pytest.approx(base * math.exp(0.2 * Z), rel=1e-12)
    assert bars["platforms.a.rental_price"].at_p90 == pytest.approx(base * math.exp(-0.1 * Z), rel=1e-12)


def test_a_spider_passes_through_all_percentiles(load):
    found = one_at_a_time(load(study({"utilization": UTILIZATION}, a=A)))
    line = next(line for line in found.lines if line.input == "shared.utilization")
    assert line.values == pytest.approx(0.2 + 0.6 * np.array(PERCENTILES)) and line.unit == "1"
    assert line.costs[0] == pytest.approx(2.5e6 / (900 * line.values * 3600), rel=1e-12)


def test_a_certain_study_has_no_bars(load):
    found = one_at_a_time(load(study({"utilization": 0.5}, a={"rental_price": 2, "throughput": 900})))
    assert found.lines == () and found.tornado(0) == () and found.at_medians[0] == pytest.approx(2e6 / (900 * 0.5 * 3600))


PRICE = {"process": "mean_reverting", "median": 2.0, "reversion_rate": 1.5, "volatility": 0.6}


def held_mean(shock, kappa, sigma, start=0.0, months=60):
    """Mean over the months of e^x along the path with equal shocks, in plain Python."""
    rho = math.exp(-kappa / 12)
    step = sigma * math.sqrt((1 - rho**2) / (2 * kappa))
    x, total = start, 0.0
    for _ in range(months):
        x = rho * x + step * shock
        total += math.exp(x)
    return total / months


def simulated_means(kappa, sigma, start, paths=40000, seed=7):
    draws = np.random.default_rng(seed)
    rho = math.exp(-kappa / 12)
    step = sigma * math.sqrt((1 - rho**2) / (2 * kappa))
    x = start(draws, paths)
    total = np.zeros(paths)
    for _ in range(60):
        x = rho * x + step * draws.standard_normal(paths)
        total += np.exp(x)
    return total / 60


@pytest.mark.parametrize(("more", "start", "held"), [
    ({}, lambda draws, n: np.zeros(n), 0.0),
    ({"start": "stationary"}, lambda draws, n: 0.6 / math.sqrt(3) * draws.standard_normal(n), 0.0),
    ({"start": 5.0}, lambda draws, n: np.full(n, math.log(2.5)), math.log(2.5))])
@pytest.mark.parametrize("life", [1.0, 9.0])
def test_the_level_of_a_price_over_sixty_months(load, more, start, held, life):
    """Also where nobody pays it for as long."""
    data = study({"utilization": 0.5, "gpu_lifetime": life}, a={"rental_price": {**PRICE, **more}, "throughput": 900})
    loaded = load(data)
    p = np.array([0.1, 0.5, 0.9])
    (found,) = price_levels(compile_study(loaded, [], []), loaded.simulation, p)
    assert found.levels == pytest.approx(2 * np.quantile(simulated_means(1.5, 0.6, start), p), rel=0.015)
    assert found.reached.all()
    assert [2 * held_mean(shock, 1.5, 0.6, held) for shock in found.shocks] == pytest.approx(found.levels, rel=1e-6)


def test_a_process_is_its_path_and_its_parameters_are_inputs(load):
    price = {**PRICE, "median": lognormal(2.0, 0.3), "delivery": {"distribution": "uniform", "low": 0, "high": 1},
             "start": "stationary"}
    found = one_at_a_time(load(study({"utilization": 1, "gpu_lifetime": 5}, a={"rental_price": price, "throughput": 1e6 / 3600})))
    lines = {line.input: line for line in found.lines}
    assert sorted(lines) == ["platforms.a.rental_price" + end for end in ("", ".delivery", ".median")]
    assert found.at_medians[0] == pytest.approx(2.5, rel=1e-12)
    assert lines["platforms.a.rental_price.median"].costs[0] == pytest.approx(
        0.5 + lines["platforms.a.rental_price.median"].values, rel=1e-12)
    path = lines["platforms.a.rental_price"]
    assert path.costs[0] == pytest.approx(0.5 + path.values, rel=1e-6), "undiscounted over a life of 60 months"
    assert np.all(np.diff(path.values) > 0)


def test_jumps_that_equal_shocks_cannot_follow_are_said(load):
    price = {**PRICE, "volatility": 0, "jumps": {"rate": 1, "mean": 0.5, "sd": 0.1}}
    found = one_at_a_time(load(study({"utilization": UTILIZATION}, a={"rental_price": price, "throughput": 900})))
    assert [line.input for line in found.lines] == ["shared.utilization"]
    assert "platforms.a.rental_price is left out" in found.notes[0]


def test_single_failures_are_as_expected_and_that_is_said(load):
    data = studies.study()
    data["platforms"]["a"] |= {"failure_rate": 0.05, "replacement_cost": 0.5, "fleet_size": 72}
    found = one_at_a_time(load(data))
    assert "platforms.a.failures" not in {line.input for line in found.lines}
    assert any("single failures" in note for note in found.notes)
