"""Published and textbook numbers that must come out, each to the digits that are printed."""

from __future__ import annotations

import math

import pytest

import simulator
from simulator.kernels.cost import capital_recovery_factor
from simulator.kernels.tax import monthly_annuity


def rented(**platform):
    """One rented platform that sells all it can."""
    return {"schema": 1, "simulation": {"trials": 256}, "shared": {"utilization": 1},
            "platforms": {"a": {"ownership": "rent", **platform}}}


def mean(run, quantity):
    return run.estimate("a", quantity, "mean").value


# Example 1 and 2: NVIDIA, "Rethinking AI TCO".

def test_nvidia_hopper(load):
    run = simulator.run(load(rented(rental_price=1.41, throughput=93.3, power=1.73, peak_flops=3.958)))
    assert mean(run, "cost_per_million_tokens") == pytest.approx(4.20, abs=0.005)
    assert mean(run, "tokens_per_second_per_megawatt") == pytest.approx(54e3, abs=0.5e3)
    assert mean(run, "flops_per_dollar") == pytest.approx(2.8, abs=0.05)


def test_nvidia_blackwell(load):
    run = simulator.run(load(rented(rental_price=2.652, throughput=6000, power=2.10, peak_flops=15)))
    assert mean(run, "cost_per_million_tokens") == pytest.approx(0.12, abs=0.005)
    assert mean(run, "tokens_per_second_per_megawatt") == pytest.approx(2.86e6, abs=0.005e6)
    assert mean(run, "flops_per_dollar") == pytest.approx(5.66, abs=0.005)


def test_the_published_figures_90_and_4_20_do_not_agree(load):
    run = simulator.run(load(rented(rental_price=1.41, throughput=90)))
    assert mean(run, "cost_per_million_tokens") == pytest.approx(4.35, abs=0.005)


# Examples 3, 4 and 6 pay once a year, in arrears.

def test_capital_recovery_factor():
    assert capital_recovery_factor(0.10, 5) == pytest.approx(0.2637974807, abs=1e-10)  # printed cut off, not rounded
    assert capital_recovery_factor(0.10, 5) == pytest.approx(0.161051 / 0.61051, rel=1e-15)
    assert capital_recovery_factor(0.0, 5) == 0.2


def test_levelized_cost_of_energy():
    factor = capital_recovery_factor(0.08, 10)
    assert factor == pytest.approx(0.14903, abs=5e-6)
    kilowatt_hours = 0.22 * 8760 / 1000  # a year, of one watt installed
    assert 1.50 * factor / kilowatt_hours + 0.04 == pytest.approx(0.1560, abs=5e-5)


@pytest.mark.parametrize(("years", "expected"), [(5, 8.55), (3, 12.05), (7, 7.06)])
def test_campus_of_one_gigawatt(years, expected):
    yearly = 25.5 * capital_recovery_factor(0.07, years) + 12.5 * capital_recovery_factor(0.07, 14) + 0.9
    assert yearly == pytest.approx(expected, abs=0.005)


# Example 5: a day of DeepSeek V3/R1, open-infra-index day 6. Of 776 G tokens 168 G were output.

GPUS, DAY = 226.75 * 8, 86400


def test_deepseek_day_by_output_tokens(load):
    run = simulator.run(load(rented(rental_price=2, throughput=168e9 / (GPUS * DAY))))
    assert GPUS * 24 * mean(run, "cost_per_gpu_hour") == pytest.approx(87_072, abs=0.5)
    assert mean(run, "cost_per_million_tokens") == pytest.approx(0.518, abs=0.0005)


def test_deepseek_day_by_all_tokens(load):
    point = {"model": "DeepSeek-R1", "input_tokens": 608, "output_tokens": 168, "token_basis": "total"}
    run = simulator.run(load(rented(rental_price=2, throughput=776e9 / (GPUS * DAY), operating_point=point)))
    assert mean(run, "cost_per_million_output_tokens") == pytest.approx(0.518, abs=0.0005)
    assert mean(run, "cost_per_million_tokens") == pytest.approx(87_072 / 776e3, rel=1e-12)


# The model's own annuity, which pays in the middle of each month.

@pytest.mark.parametrize("rate", [-0.1, 0.0, 1e-15, 1e-9, 0.08, 1.0])
@pytest.mark.parametrize("years", [1 / 24, 1 / 12, 0.3, 1, 5, 9.97, 14 + 1 / 12, 40])
def test_monthly_annuity_is_the_sum_over_months(rate, years):
    months = range(1, math.ceil(12 * years) + 1)
    expected = math.fsum(min(12 * years - (s - 1), 1) * (1 + rate) ** (-(s - 0.5) / 12) for s in months)
    assert monthly_annuity(rate, years) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("rate", "years"), [(0.10, 5), (0.08, 10), (0.07, 14)])
def test_monthly_and_yearly_payments_differ_by_half_a_year_of_interest(rate, years):
    """Twelve payments in mid-month are worth more at the end of their year than their sum, by this exactly."""
    worth = math.fsum((1 + rate) ** ((12 - (s - 0.5)) / 12) for s in range(1, 13)) / 12
    assert 12 / monthly_annuity(rate, years) == pytest.approx(capital_recovery_factor(rate, years) / worth, rel=1e-12)
    assert worth == pytest.approx((1 + rate) ** 0.5, rel=1e-3)
