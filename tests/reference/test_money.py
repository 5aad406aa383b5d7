"""Money around the cost against closed forms and published tables: tax, inflation, terms of rent, prices of tokens, carbon."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

import simulator
from simulator.kernels.platform import FULL_EXPENSING, MACRS_5, STRAIGHT_LINE
from simulator.kernels.tax import present_deductions, written_off

MONTHLY_TOKENS = 1000 * 2_629_800
BOUGHT = {"ownership": "buy", "throughput": 1000, "capex": 30000, "power": 1, "pue": 1, "gpu_lifetime": 5, "energy_price": 0.08}
RENTED = {"ownership": "rent", "throughput": 1000, "rental_price": 2}
POINT = {"model": "R1", "input_tokens": 8192, "output_tokens": 1024, "token_basis": "total"}


def study(platform, trials=256, **shared):
    return {"schema": 1, "simulation": {"trials": trials}, "shared": {"utilization": 1, "discount_rate": 0.08, **shared},
            "platforms": {"a": platform}}


def mean(load, platform, quantity="cost_per_million_tokens", **shared):
    return simulator.run(load(study(platform, **shared))).estimate("a", quantity, "mean").value


def discounts(rate=0.08, months=60):
    return (1 + rate) ** -((np.arange(months) + 0.5) / 12)


# --- tax -------------------------------------------------------------------------------------------------------

@njit
def share(schedule, years, life):
    return written_off(schedule, years, life)


@njit
def present(schedule, rate, inflation, deployment, service, life):
    return present_deductions(schedule, rate, inflation, deployment, service, life)


def test_the_published_table_of_macrs():
    """IRS Publication 946, table A-1, 5-year property, half-year convention, in %: each year is spread over its months."""
    table = [20.00, 32.00, 19.20, 11.52, 11.52, 5.76]
    for year in range(1, 7):
        assert 100 * share(MACRS_5, float(year), 0.0) == pytest.approx(sum(table[:year]), abs=1e-12)
    assert 100 * share(MACRS_5, 1.25, 0.0) == pytest.approx(20 + 32 / 4) and share(MACRS_5, 50.0, 0.0) == pytest.approx(1)


def by_months(shares, rate, inflation, deployment, service):
    """Present value of shares a month of service, and of what is left at its end."""
    nominal = (1 + rate) * (1 + inflation) - 1
    months = round(12 * service)
    shares = np.concatenate([shares, np.zeros(200)])[:months]
    paid = shares * (1 + nominal) ** -(deployment + (np.arange(months) + 0.5) / 12)
    return paid.sum() + (1 - shares.sum()) * (1 + nominal) ** -(deployment + service)


@pytest.mark.parametrize("service", [0.5, 3, 5.25, 6, 9])
@pytest.mark.parametrize(("rate", "inflation", "deployment"), [(0.08, 0, 0), (0.05, 0.025, 0.5), (0, 0, 0)])
def test_present_values_of_deductions(service, rate, inflation, deployment):
    macrs = np.repeat(np.array([20, 32, 19.2, 11.52, 11.52, 5.76]) / 1200, 12)
    assert present(MACRS_5, rate, inflation, deployment, float(service), 0.0) == pytest.approx(
        by_months(macrs, rate, inflation, deployment, service), rel=1e-12)
    straight = np.full(60, 1 / 60)
    assert present(STRAIGHT_LINE, rate, inflation, deployment, float(service), 5.0) == pytest.approx(
        by_months(straight, rate, inflation, deployment, service), rel=1e-12)
    at_once = ((1 + rate) * (1 + inflation)) ** -deployment
    assert present(FULL_EXPENSING, rate, inflation, deployment, float(service), 0.0) == pytest.approx(at_once, rel=1e-12)


def test_full_expensing_at_once_is_neutral(load):
    """A cash-flow tax: the state pays its share of the price and takes it of the rest, whatever the rate."""
    before = mean(load, BOUGHT)
    for rate in (0.1, 0.4):
        assert mean(load, {**BOUGHT, "tax_rate": rate, "depreciation": "full_expensing"}) == pytest.approx(before, rel=1e-12)


def test_slower_depreciation_costs_more(load):
    words = ("full_expensing", "macrs_5", "straight_line")
    costs = [mean(load, {**BOUGHT, "tax_rate": 0.3, "depreciation": word}) for word in words]
    assert costs == sorted(costs) and costs[2] > 1.03 * costs[0]


def test_tax_on_a_straight_line_in_closed_form(load):
    tax, v = 0.25, discounts()
    capital = 30000 * (1 - tax * v.sum() / 60) / (1 - tax)
    expected = 1e6 * (capital + (v * 0.08 * 730.5).sum()) / (MONTHLY_TOKENS * v.sum())
    assert mean(load, {**BOUGHT, "tax_rate": tax, "depreciation": "straight_line"}) == pytest.approx(expected, rel=1e-12)


def test_proceeds_are_taxed_less_the_tax_basis(load):
    """Sold for exactly what is not yet written off, nothing is taxed at the end."""
    data = {**BOUGHT, "gpu_lifetime": 3, "residual_value": 0.4, "tax_rate": 0.25, "depreciation": "straight_line",
            "depreciation_life": 5}
    v, at_end = discounts(months=36), 1.08**-3
    cost = 30000 - 0.4 * 30000 * at_end + (1 - 0.25) * (v * 0.08 * 730.5).sum() - 0.25 * 30000 * v.sum() / 60
    expected = 1e6 * cost / ((1 - 0.25) * MONTHLY_TOKENS * v.sum())
    assert mean(load, data) == pytest.approx(expected, rel=1e-12)


def test_a_rent_is_deducted_as_it_is_paid(load):
    assert mean(load, {**RENTED, "tax_rate": 0.3}) == pytest.approx(mean(load, RENTED), rel=1e-12)


# --- inflation and terms ---------------------------------------------------------------------------------------

def test_a_nominal_rate_is_made_real(load):
    data = {**BOUGHT, "opex": 3000}
    real = mean(load, data, discount_rate=1.10 / 1.025 - 1)
    assert mean(load, data, discount_rate={"value": 0.10, "basis": "nominal"}, inflation=0.025) == pytest.approx(real, rel=1e-12)
    # 10 % nominal taken as real adds some 4 % to the cost.
    assert mean(load, data, discount_rate=0.10) / real == pytest.approx(1.04, abs=0.015)


def test_nominal_escalation_of_hosting(load):
    hosted = {**BOUGHT, "hosting_price": 150}
    nominal = {**hosted, "hosting_escalation": {"value": 0.065, "basis": "nominal"}}
    assert mean(load, nominal, inflation=0.0225) == pytest.approx(
        mean(load, {**hosted, "hosting_escalation": 1.065 / 1.0225 - 1}), rel=1e-12)


def test_contracted_power_is_billed(load):
    hosted = {**BOUGHT, "hosting_price": 150}
    more = mean(load, {**hosted, "contracted_power_factor": 1.3}, "parts.hosting")
    assert more == pytest.approx(1.3 * mean(load, hosted, "parts.hosting"), rel=1e-12)


def test_a_fixed_rent_loses_value(load):
    """Fixed in money over three years at 3 % inflation: Σ v_t (1+i)^−t ÷ Σ v_t."""
    v = discounts(0.08, 36)
    lost = (v * 1.03 ** -((np.arange(36) + 0.5) / 12)).sum() / v.sum()
    data = {**RENTED, "gpu_lifetime": 3}
    assert mean(load, data, inflation=0.03) == pytest.approx(lost * mean(load, data), rel=1e-12)


def test_rent_is_let_again_every_term(load):
    """Falling from 4 towards 2 USD/h: each term keeps the price of its first month, deflated since."""
    process = {"process": "mean_reverting", "median": 2, "start": 4, "reversion_rate": 1, "volatility": 0}
    months = np.arange(48)
    spot = 2 * np.exp(np.log(2) * np.exp(-(months + 1) / 12))
    begun = months // 18 * 18
    paid = spot[begun] * 1.02 ** -((months + 0.5 - begun) / 12)
    v = discounts(0.08, 48)
    data = {**RENTED, "rental_price": process, "contract_term": 1.5, "gpu_lifetime": 4}
    assert mean(load, data, "cost_per_gpu_hour", inflation=0.02) == pytest.approx((v * paid).sum() / v.sum(), rel=1e-10)
    floating = mean(load, {**data, "contract_term": 1 / 12}, "cost_per_gpu_hour")
    assert floating == pytest.approx((v * spot).sum() / v.sum(), rel=1e-10)


def test_with_a_term_rent_goes_on_to_the_horizon(load):
    data = study({**RENTED, "contract_term": 1})
    data["simulation"]["horizon"] = 4
    assert load(data).platforms[0].inputs["gpu_lifetime"].value.parameters == (4,)


def test_unequal_terms_are_warned_about(load):
    data = study(BOUGHT)
    data["platforms"]["b"] = RENTED
    assert any(note.startswith("terms differ (median years in service: a 5, b 1)") for note in load(data).warnings)
    data["platforms"]["b"] = {**RENTED, "gpu_lifetime": 5}
    assert not any(note.startswith("terms differ") for note in load(data).warnings)


# --- prices of tokens ------------------------------------------------------------------------------------------

def test_prices_that_fall_by_30_percent_a_year_double_the_first_price(load):
    """Levelised over five years at 7 %, the price at the first token is twice the constant one."""
    cost = mean(load, BOUGHT, discount_rate=0.07)
    first = mean(load, {**BOUGHT, "token_price_decline": 0.3}, "first_year_break_even_price", discount_rate=0.07)
    v, years = discounts(0.07), (np.arange(60) + 0.5) / 12
    assert first / cost == pytest.approx(v.sum() / (v * 0.7**years).sum(), rel=1e-12)
    assert first / cost == pytest.approx(2.0, abs=0.05)


def test_revenue_of_a_blended_token(load):
    """8192 in, of which 30 % from the cache, and 1024 out, for each 9216 tokens counted."""
    prices = {"input_token_price": 0.5, "cached_input_token_price": 0.05, "cached_input_share": 0.3, "output_token_price": 2.2}
    blended = (8192 * (0.7 * 0.5 + 0.3 * 0.05) + 1024 * 2.2) / 9216
    apart = mean(load, {**BOUGHT, **prices, "operating_point": POINT}, "gross_margin")
    assert apart == pytest.approx(mean(load, {**BOUGHT, "token_price": blended}, "gross_margin"), rel=1e-12)
    # Where output tokens alone are counted, each brings the price of the input that it took.
    alone = mean(load, {**BOUGHT, **prices, "operating_point": {**POINT, "token_basis": "output"}}, "gross_margin")
    assert alone == pytest.approx(mean(load, {**BOUGHT, "token_price": 9 * blended}, "gross_margin"), rel=1e-12)


def test_the_value_is_nil_at_the_break_even_price(load):
    uncertain = {**BOUGHT, "capex": {"distribution": "uniform", "low": 20000, "high": 40000}, "tax_rate": 0.25,
                 "depreciation": "macrs_5", "throughput": {"distribution": "uniform", "low": 700, "high": 1300}}
    run = simulator.run(load(study(uncertain, 16384)))
    price = run.estimate("a", "break_even_price").value
    found = simulator.run(load(study({**uncertain, "token_price": price}, 16384))).estimate("a", "net_present_value", "mean")
    assert abs(found.value) < 1e-6 * 30000


def test_the_minimum_price_leaves_the_target_margin(load):
    needs = {**BOUGHT, "target_margin": 0.4, "token_price_decline": 0.2}
    price = mean(load, needs, "minimum_price")
    assert mean(load, {**needs, "token_price": price}, "gross_margin") == pytest.approx(0.4, rel=1e-12)


def test_payback_value_and_loss_by_hand(load):
    """1000 USD that earn 100 a month: back in the tenth month after half a year of waiting."""
    data = {**BOUGHT, "capex": 1000, "energy_price": 0, "gpu_lifetime": 2, "deployment_time": 0.5,
            "token_price": 100e6 / MONTHLY_TOKENS}
    run = simulator.run(load(study(data, discount_rate=0)))
    for statistic in ("mean", "p5", "p95"):
        assert run.estimate("a", "payback", statistic).value == pytest.approx(0.5 + 10 / 12, rel=1e-12)
    assert run.estimate("a", "net_present_value", "mean").value == pytest.approx(1400, rel=1e-12)
    assert run.estimate("a", "net_present_value_per_megawatt", "mean").value == pytest.approx(1.4e6, rel=1e-12)
    assert run.estimate("a", "probability_of_loss").value == 0 and run.estimate("a", "probability_of_payback").value == 1


def test_what_never_pays_back_has_no_payback(load):
    data = {**BOUGHT, "capex": {"distribution": "uniform", "low": 500, "high": 3000}, "energy_price": 0, "gpu_lifetime": 2,
            "token_price": 100e6 / MONTHLY_TOKENS}
    run = simulator.run(load(study(data, 16384, discount_rate=0)))
    assert run.estimate("a", "probability_of_payback").value == pytest.approx((2400 - 500) / 2500, abs=1e-3)
    assert run.estimate("a", "probability_of_loss").value == pytest.approx(600 / 2500, abs=1e-3)
    assert run.estimate("a", "payback", "p50").value == pytest.approx(17.5 / 12, rel=1e-3)
    for statistic in ("mean", "sd", "p90", "p95", "cvar95"):
        with pytest.raises(KeyError):
            run.estimate("a", "payback", statistic)
    assert any("not back by the end (a)" in note for note in run.warnings)


def test_a_price_that_moves_earns_its_mean(load):
    process = {"process": "mean_reverting", "median": 3, "reversion_rate": 2, "volatility": 0.5, "start": "stationary"}
    run = simulator.run(load(study({**BOUGHT, "token_price": process}, 65536)))
    v = discounts()
    expected = MONTHLY_TOKENS / 1e6 * v.sum() * 3 * np.exp(0.25 / 8) - (30000 + (v * 0.08 * 730.5).sum())
    found = run.estimate("a", "net_present_value", "mean")
    assert abs(found.value - expected) < 5 * found.standard_error < 0.01 * expected


def test_carbon_is_energy_times_intensity(load):
    found = mean(load, {**BOUGHT, "pue": 1.3, "carbon_intensity": 350}, "carbon_per_million_tokens")
    assert found == pytest.approx(350 * 1.3 * 730.5e6 / MONTHLY_TOKENS, rel=1e-12)
