"""Two markets, a claim beside a measurement, and the margin of an API: what the studies say holds in their files and results."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from measured import frontier, interpolate, needs_benchmark
from ruamel.yaml import YAML
from scipy import stats

import simulator
from simulator.study.correlations import rank_correlation

REPOSITORY = Path(__file__).parents[2]
STUDIES = REPOSITORY / "configs" / "studies"
BLACKWELL = "gb300_nvl72"


def tree(name):
    return YAML(typ="safe").load((REPOSITORY / "configs" / name).read_text(encoding="utf-8"))


def run(name):
    return simulator.run(simulator.load(STUDIES / name, overrides=["simulation.trials=2048"]))


def test_two_markets_differ_in_their_electricity_alone():
    """The hardware is that of the library's GB300, and the markets are the library's."""
    stated, platform = tree("studies/two_markets.yaml"), tree("platforms/gb300_nvl72.yaml")["platforms"][BLACKWELL]
    assert stated["shared"].items() <= platform.items()
    assert set(platform) - set(stated["shared"]) == {
        "label", "vendor", "ownership", "operating_point", "frontier", "peak_flops_basis"}
    for name, market in stated["markets"].items():
        assert {key: market[key] for key in market if key != "of"} == tree(f"markets/{name}.yaml")["shared"]["energy_price"]
    first, second = ({key: value for key, value in found.items() if key not in ("label", "energy_price")}
                     for found in stated["platforms"].values())
    assert first == second and first["operating_point"].items() >= {
        key: value for key, value in platform["operating_point"].items() if key != "note"}.items()


def test_two_markets_move_together():
    study = simulator.load(STUDIES / "two_markets.yaml")
    shocks = study.correlations.shocks
    assert set(shocks.members) == {"markets.pjm", "markets.ercot"}
    assert rank_correlation(shocks.matrix[0][1], 0) == pytest.approx(0.55)
    inputs = study.correlations.inputs
    place = {name: position for position, name in enumerate(inputs.members)}
    expected = {("markets.pjm.median", "markets.ercot.median"): 0.55, ("markets.pjm.median", "shared.pue"): 0.2,
                ("markets.ercot.median", "shared.pue"): 0.2, ("shared.utilization", "shared.throughput"): -0.2,
                ("shared.residual_decay", "shared.gpu_lifetime"): -0.4}
    assert {(first, second): float(rank_correlation(inputs.matrix[place[first]][place[second]], 0))
            for first, second in expected} == pytest.approx(expected)
    ratio = run("two_markets.yaml").estimate("gb300_in_ercot/gb300_in_pjm", "ratio", "p50").value
    assert max(ratio, 1 / ratio) == pytest.approx(1.02, abs=0.005)


def test_correlation_of_the_markets_is_the_measured_one():
    """Residuals of log prices on those of the month before: rank correlation 0.57, and 0.55 without February 2021."""
    shocks = []
    for region in ("US-MIDA-PJM", "US-TEX-ERCO"):
        file = REPOSITORY.parent / "shared" / "data" / f"power_price_monthly_{region}.csv"
        if not file.exists():
            pytest.skip("the prices are not in the repository")
        logs = np.log(np.loadtxt(file, delimiter=",", skiprows=1, usecols=1))
        slope, offset = np.polyfit(logs[:-1], logs[1:], 1)
        shocks.append(logs[1:] - offset - slope * logs[:-1])
    kept = np.arange(len(shocks[1])) != np.argmax(shocks[1])
    assert stats.spearmanr(*shocks).statistic == pytest.approx(0.57, abs=0.005)
    assert stats.spearmanr(*(x[kept] for x in shocks)).statistic == pytest.approx(0.55, abs=0.005)


@pytest.fixture(scope="module")
def claimed():
    return run("claim_and_measured.yaml")


def test_a_claim_is_run_beside_the_measurement(claimed):
    """Cost goes with one over the throughput; the median of a ratio is that of 6000/690 up to the measurement's spread."""
    measured, claim = (claimed.estimate(BLACKWELL, "cost_per_million_tokens", "p50", scenario).value
                       for scenario in ("base", "with_claims"))
    assert measured / claim == pytest.approx(6000 / 690, rel=0.03)
    # Nothing else differs: an hour of the GPU costs the same.
    assert claimed.estimate(BLACKWELL, "cost_per_gpu_hour", "p50") == claimed.estimate(
        BLACKWELL, "cost_per_gpu_hour", "p50", "with_claims")


@needs_benchmark
def test_the_measurement_beside_the_claim_is_the_frontier():
    stated = tree("studies/claim_and_measured.yaml")["platforms"][BLACKWELL]
    measured = stated["throughput"]["measured"]
    on_the_frontier = interpolate(frontier("gb300"), stated["operating_point"]["interactivity"])
    assert measured["median"] == pytest.approx(on_the_frontier, rel=0.01)
    assert measured["sigma"] == pytest.approx(math.hypot(0.066, 0.10), abs=0.002)


@pytest.fixture(scope="module")
def margin():
    return run("api_margin.yaml")


def blended(miss, hit, output, cached=342 / 608):
    """USD per million counted tokens at 8192 in and 1024 out."""
    return (8192 * ((1 - cached) * miss + cached * hit) + 1024 * output) / 9216


def test_prices_of_the_lists_are_what_the_note_says():
    lists = {"0.53": (0.55, 0.14, 2.19), "0.17": (0.28, 0.028, 0.42), "0.09": (0.14, 0.0028, 0.28), "0.13": (0.15, 0.003, 0.60),
             "0.25": (0.30, 0.006, 1.20)}
    shared = tree("studies/api_margin.yaml")["shared"]
    for printed, prices in lists.items():
        assert f"{blended(*prices):.2f}" == printed
        assert printed in shared["token_price_decline"]["source"]
    for price, column in zip(("input_token_price", "cached_input_token_price", "output_token_price"), range(3), strict=True):
        # R1's first list has been left behind; that of September 2025 was the highest since.
        assert shared[price]["mode"] == lists["0.17"][column]
        assert shared[price]["low"] == pytest.approx(min(prices[column] for prices in lists.values()), abs=3e-4)
        assert shared[price]["high"] == (0.56, 0.07, 1.68)[column]


def test_taxes_are_the_statutory_ones():
    rate = tree("studies/api_margin.yaml")["shared"]["tax_rate"]
    assert [rate[key] for key in ("low", "mode", "high")] == pytest.approx([0.21 + state * 0.79 for state in (0, 0.06, 0.0884)],
                                                                          abs=5e-4)


def test_the_margin_hangs_together(margin):
    """A price at the minimum leaves half of the revenue before tax, so it is twice the first-year break-even price less what
    that has to cover of tax; and a falling price has to begin above the constant one."""
    for platform in ("hgx_h200", BLACKWELL, f"{BLACKWELL}_rented"):
        minimum, first, cost = (margin.estimate(platform, name, "p50").value for name in (
            "minimum_price", "first_year_break_even_price", "cost_per_million_tokens"))
        taxed = not platform.endswith("_rented")  # a rent is deducted as it is paid
        assert 1.9 * first < minimum < 2 * first if taxed else minimum == pytest.approx(2 * first, rel=1e-6)
        assert 1.3 < first / cost < 3
        assert margin.estimate(platform, "carbon_per_million_tokens", "p50").value == pytest.approx(
            360 * margin.estimate(platform, "energy_per_million_tokens", "p50").value, rel=0.05)
    assert margin.estimate(BLACKWELL, "gross_margin", "p50").value > margin.estimate("hgx_h200", "gross_margin", "p50").value
    assert 0.3 < margin.estimate(BLACKWELL, "probability_of_loss").value < 0.7
