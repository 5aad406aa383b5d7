"""Studies whose answers are known exactly, and whether the claimed simulation errors are the errors that are made."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lognormals import NORMAL, PERCENTILES, lognormal, lognormal_statistics, regrets, rented, study, two_lognormals

import simulator

SAMPLERS = ("sobol", "latin_hypercube", "random")


def assert_within_errors(estimate, expected, errors=5.0):
    assert estimate.standard_error < 0.05 * abs(expected)  # an error without bounds would agree with anything
    assert abs(estimate.value - expected) < errors * estimate.standard_error


# --- one platform ------------------------------------------------------------------------------------------

SIGMAS = (0.1, 0.2, 0.3)
PRODUCT = study({"utilization": 0.5, "throughput_factors": {"delivered_share": lognormal(0.8, SIGMAS[2])}},
                a=rented(rental_price=lognormal(2.5, SIGMAS[0]), throughput=lognormal(900, SIGMAS[1])))
PRODUCT_MEDIAN = 2.5e6 / (900 * 0.8 * 0.5 * 3600)
PRODUCT_SIGMA = math.hypot(*SIGMAS)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_product_of_lognormals(load, sampler):
    run = simulator.run(load(PRODUCT, f"simulation.sampler={sampler}"))
    for quantity, known in {
            "cost_per_million_tokens": lognormal_statistics(PRODUCT_MEDIAN, PRODUCT_SIGMA),
            "tokens_per_dollar": lognormal_statistics(1e6 / PRODUCT_MEDIAN, PRODUCT_SIGMA, more_is_better=True),
            "cost_per_gpu_hour": lognormal_statistics(2.5, SIGMAS[0])}.items():
        for statistic, expected in known.items():
            assert_within_errors(run.estimate("a", quantity, statistic), expected)
    cost = run.estimate("a", "cost_per_million_tokens", "p95"), run.estimate("a", "cost_per_million_tokens", "mean")
    for estimate, tabled in zip(cost, (1.8504852, 1.0725082), strict=True):
        assert_within_errors(estimate, PRODUCT_MEDIAN * tabled)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_expected_shortfall_of_a_lognormal(load, sampler):
    data = study({"utilization": 1}, a=rented(rental_price=lognormal(1, 0.5), throughput=1e6 / 3600))
    run = simulator.run(load(data, f"simulation.sampler={sampler}"))
    assert_within_errors(run.estimate("a", "cost_per_million_tokens", "p95"), 2.2760166)
    assert_within_errors(run.estimate("a", "cost_per_million_tokens", "cvar95"), 2.8585913)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("trials", [256, 800, 1024, 5000, 20000, 40000])
def test_expected_shortfall_whatever_the_number_of_trials(load, sampler, trials):
    """Replicates of all sizes, also such as fill no whole number of blocks; beside a platform that is certain."""
    data = study({"utilization": 1}, trials, certain=rented(rental_price=3, throughput=1000),
                 a=rented(rental_price=lognormal(2.5, 0.3), throughput=1000))
    run = simulator.run(load(data, f"simulation.sampler={sampler}"))
    known = lognormal_statistics(2.5 / 3.6, 0.3)["cvar95"]
    found = run.estimate("a", "cost_per_million_tokens", "cvar95")
    # In small replicates the mean of the highest values is biased towards the middle, by less than the spread of one.
    assert abs(found.value - known) < 5 * max(found.standard_error, 0.3 * known / math.sqrt(trials))
    assert run.estimate("certain", "cost_per_million_tokens", "cvar95").value == pytest.approx(3 / 3.6, rel=1e-12)
    assert run.estimate("certain", "tokens_per_dollar", "cvar95").value == pytest.approx(1.2e6, rel=1e-12)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_break_even_price(load, sampler):
    """E[cost] / E[tokens], which is not the mean of cost / tokens."""
    data = {**PRODUCT, "shared": {**PRODUCT["shared"], "gpu_lifetime": {"distribution": "uniform", "low": 0.5, "high": 3}}}
    run = simulator.run(load(data, f"simulation.sampler={sampler}"))
    expected = PRODUCT_MEDIAN * math.exp((SIGMAS[0]**2 - SIGMAS[1]**2 - SIGMAS[2]**2) / 2)
    assert_within_errors(run.estimate("a", "break_even_price"), expected)
    assert_within_errors(run.estimate("a", "cost_per_million_tokens", "mean"), PRODUCT_MEDIAN * 1.0725082)


# --- platforms against each other --------------------------------------------------------------------------

@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("correlation", "a_is_cheaper"), [(0.5, 0.7751541), (0, 0.7104501)])
def test_probability_of_being_cheaper(load, sampler, correlation, a_is_cheaper):
    run = simulator.run(load(two_lognormals(math.sqrt(correlation * 0.3 * 0.2)), f"simulation.sampler={sampler}"))
    sigma = math.sqrt(0.3**2 + 0.2**2 - 2 * correlation * 0.3 * 0.2)
    assert a_is_cheaper == pytest.approx(NORMAL.cdf(0.2 / sigma), abs=5e-8)
    assert_within_errors(run.estimate("b/a", "probability_cheaper"), 1 - a_is_cheaper)
    assert_within_errors(run.estimate("a", "probability_cheapest"), a_is_cheaper)
    assert_within_errors(run.estimate("b", "probability_cheapest"), 1 - a_is_cheaper)
    known = lognormal_statistics(math.exp(0.2), sigma)
    for statistic in ("mean", *PERCENTILES):
        assert_within_errors(run.estimate("b/a", "ratio", statistic), known[statistic])
    of_a, of_b = regrets(2e6 / (1000 * 0.7 * 3600), (0.3, 0.2), 0.2, sigma)
    assert_within_errors(run.estimate("b", "expected_regret"), of_b)
    assert_within_errors(run.estimate("a", "expected_regret"), of_a)
    median = 2e6 / (1000 * 0.7 * 3600)
    a, b = median * math.exp(0.3**2 / 2), median * math.exp(0.2 + 0.2**2 / 2)
    assert_within_errors(run.estimate("b/a", "difference", "mean"), b - a)
    variance = a**2 * math.expm1(0.3**2) + b**2 * math.expm1(0.2**2) - 2 * a * b * math.expm1(correlation * 0.3 * 0.2)
    assert_within_errors(run.estimate("b/a", "difference", "sd"), math.sqrt(variance))


def two_normals(a, b, **more):
    """Costs that are two independent normal numbers of given mean and sd."""
    prices = {name: {"distribution": "normal", "mean": mean, "sd": sd} for name, (mean, sd) in {"a": a, "b": b}.items()}
    return study({"utilization": 1}, **more, **{name: rented(rental_price=price, throughput=1e6 / 3600)
                                                for name, price in prices.items()})


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_difference_of_two_normal_costs(load, sampler):
    run = simulator.run(load(two_normals((3, 0.3), (3.2, 0.4)), f"simulation.sampler={sampler}"))
    found = {statistic: run.estimate("b/a", "difference", statistic) for statistic in ("mean", "sd", *PERCENTILES)}
    known = {p: 0.2 + 0.5 * NORMAL.inv_cdf(float(p[1:]) / 100) for p in PERCENTILES} | {"mean": 0.2, "sd": 0.5}
    for statistic, estimate in found.items():
        assert estimate.standard_error < 0.01
        assert abs(estimate.value - known[statistic]) < 5 * estimate.standard_error


def test_equal_platforms_share_being_cheapest(load):
    one = rented(rental_price=2.0, throughput=lognormal(1000, 0.2))
    shared = {"utilization": 1, "throughput": lognormal(1000, 0.2)}
    run = simulator.run(load(study(shared, 1024, a={**one, "throughput": 900}, b={**one, "throughput": 900},
                                   c=rented(rental_price=1e6))))
    for name, share in (("a", 0.5), ("b", 0.5), ("c", 0)):
        assert run.estimate(name, "probability_cheapest").value == share
    assert run.estimate("b/a", "probability_cheaper").value == 0
    assert run.estimate("c/a", "ratio", "mean").value > 1000


# --- a price that moves ------------------------------------------------------------------------------------

def discounted_price(months, rate, mu, kappa, sigma, start):
    """Mean and sd of Σ v_t·P_t / Σ v_t, where log P is an Ornstein–Uhlenbeck process from log start."""
    t = np.arange(1, months + 1) / 12
    m = mu + (math.log(start) - mu) * np.exp(-kappa * t)
    covariance = sigma**2 / (2 * kappa) * (np.exp(-kappa * abs(t[:, None] - t)) - np.exp(-kappa * (t[:, None] + t)))
    mean = np.exp(m + covariance.diagonal() / 2)
    v = (1 + rate) ** -(t - 0.5 / 12)
    v /= v.sum()
    return v @ mean, math.sqrt(v @ (np.outer(mean, mean) * np.expm1(covariance)) @ v)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("months", "kappa", "sigma", "start", "hedged"), [
    (1, 2.5, 1.05, 2, 0), (7, 0.3, 0.4, 3, 0), (60, 2.5, 1.05, 2, 0.5), (60, 0.05, 0.2, 1, 0.25), (61, 12, 3, 2, 0),
    (180, 0.5, 0.5, 4, 0)])
def test_discounted_mean_of_a_mean_reverting_price(load, sampler, months, kappa, sigma, start, hedged):
    price = {"process": "mean_reverting", "median": 2, "reversion_rate": kappa, "volatility": sigma, "delivery": 0.3,
             "hedged_share": hedged}
    strike = 2 * math.exp(sigma**2 / (4 * kappa))
    if start != 2:
        price |= {"start": start, "strike": strike}
    data = study({"utilization": 1, "discount_rate": 0.1},
                 a=rented(rental_price=price, throughput=1e6 / 3600, gpu_lifetime=months / 12))
    run = simulator.run(load(data, f"simulation.sampler={sampler}"))
    mean, sd = discounted_price(months, 0.1, math.log(2), kappa, sigma, start)
    assert_within_errors(run.estimate("a", "cost_per_million_tokens", "mean"), 0.3 + (1 - hedged) * mean + hedged * strike)
    assert_within_errors(run.estimate("a", "cost_per_million_tokens", "sd"), (1 - hedged) * sd)


def test_a_price_of_one_month_is_lognormal(load):
    price = {"process": "mean_reverting", "median": 2, "start": 3, "reversion_rate": 1.5, "volatility": 0.9}
    run = simulator.run(load(study({"utilization": 1}, a=rented(rental_price=price, throughput=1e6 / 3600, gpu_lifetime=1 / 12))))
    median = 2 * 1.5 ** math.exp(-1.5 / 12)
    spread = 0.9 * math.sqrt(-math.expm1(-1.5 / 6) / 3)
    for statistic, expected in lognormal_statistics(median, spread).items():
        assert_within_errors(run.estimate("a", "cost_per_million_tokens", statistic), expected)


# --- the claimed errors are the errors made ----------------------------------------------------------------

MILD = study({"utilization": 0.5, "throughput_factors": {"delivered_share": lognormal(0.8, 0.1)}},  # no sd is withheld
             a=rented(rental_price=lognormal(2.5, 0.1), throughput=lognormal(900, 0.2)))
MILD_SIGMA = math.hypot(0.1, 0.1, 0.2)


def estimates_over_seeds(load, sampler, trials, statistics, seeds):
    found = {statistic: [] for statistic in statistics}
    for seed in seeds:
        run = simulator.run(load({**MILD, "simulation": {"trials": trials, "sampler": sampler, "seed": seed}}))
        for statistic in statistics:
            found[statistic].append(run.estimate("a", "cost_per_million_tokens", statistic))
    return found


@pytest.mark.parametrize(("sampler", "trials"), [("sobol", 2048), ("sobol", 4096), ("random", 1024), ("random", 3000)])
def test_claimed_errors_are_the_spread_over_seeds(load, sampler, trials):
    known = lognormal_statistics(PRODUCT_MEDIAN, MILD_SIGMA)
    found = estimates_over_seeds(load, sampler, trials, ("mean", "sd", "p5", "p50", "p95", "cvar95"), range(48))
    ratios = {}
    for statistic, estimates in found.items():
        claimed = math.sqrt(np.mean([estimate.standard_error**2 for estimate in estimates]))
        ratios[statistic] = claimed / np.std([estimate.value for estimate in estimates], ddof=1)
        bias = np.mean([estimate.value for estimate in estimates]) - known[statistic]
        assert abs(bias) < 5 * claimed / math.sqrt(48) + 0.002 * known[statistic]
    assert all(0.75 < ratio < 1.35 for ratio in ratios.values()), ratios


# --- samplers against one another --------------------------------------------------------------------------


def test_each_sampler_is_better_than_the_one_before_it(load):
    """A product of lognormals, whose mean is known: standard errors fall from random to pairs to hypercubes to Sobol' points."""
    errors = []
    for options in (["simulation.sampler=random"], ["simulation.sampler=random", "simulation.antithetic=true"],
                    ["simulation.sampler=latin_hypercube"], ["simulation.sampler=sobol"]):
        found = simulator.run(load(PRODUCT, *options)).estimate("a", "cost_per_million_tokens", "mean")
        assert_within_errors(found, PRODUCT_MEDIAN * 1.0725082)
        errors.append(found.standard_error)
    assert errors[0] > 2 * errors[1] and errors[1] > 1.3 * errors[2] and errors[2] > 1.2 * errors[3]


@pytest.mark.parametrize("statistic", ["mean", "p5", "p50", "p95", "cvar95"])
def test_antithetic_pairs_are_right(load, statistic):
    run = simulator.run(load(PRODUCT, "simulation.sampler=random", "simulation.antithetic=true"))
    known = lognormal_statistics(PRODUCT_MEDIAN, PRODUCT_SIGMA)[statistic]
    assert_within_errors(run.estimate("a", "cost_per_million_tokens", statistic), known)


def test_pairs_of_balanced_points_are_refused(load):
    with pytest.raises(simulator.StudyError, match="already balanced"):
        load(PRODUCT, "simulation.sampler=latin_hypercube", "simulation.antithetic=true")


def test_pairs_are_whole(load):
    study = load(PRODUCT, "simulation.sampler=random", "simulation.antithetic=true", "simulation.trials=1003")
    assert study.simulation.trials == 32 * 32 and "in pairs" in study.warnings[0]
