"""The mean-reverting process: known answers, the truth found again, and months that make a fit."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.fitting.families import UnfittableError
from simulator.fitting.processes import fit_mean_reverting, month_name

DATA = Path(simulator.__file__).resolve().parents[2] / "shared" / "data"


def read(name):
    file = DATA / f"power_price_monthly_{name}.csv"
    if not file.exists():
        pytest.skip("the file is not here")
    with file.open() as stream:
        rows = list(csv.DictReader(stream))
    months = [12 * (int(row["month"][:4]) - 1970) + int(row["month"][5:]) - 1 for row in rows]
    return np.array(months), np.array([float(row["price_usd_per_mwh"]) for row in rows])


def simulated(n=60, seed=1, median=40.0, kappa=3.2, sigma=1.26):
    rng = np.random.default_rng(seed)
    rho = math.exp(-kappa / 12)
    x = [rng.normal() * sigma / math.sqrt(2 * kappa)]
    for _ in range(n - 1):
        x.append(rho * x[-1] + sigma * math.sqrt((1 - rho**2) / (2 * kappa)) * rng.normal())
    return np.arange(600, 600 + n), median * np.exp(x)


def test_pjm():
    fit = fit_mean_reverting(*read("US-MIDA-PJM"))
    assert (round(fit.reversion_rate, 2), round(fit.volatility, 2), round(fit.median, 1)) == (3.19, 1.26, 40.9)
    assert not fit.influence.makes and fit.pairs == 59


def test_ercot_is_made_by_one_month_and_says_so():
    fit = fit_mean_reverting(*read("US-TEX-ERCO"))
    assert (round(fit.reversion_rate, 1), round(fit.volatility, 2)) == (17.9, 4.44)
    assert fit.influence.makes and fit.influence.months == ("2021-02",)
    said = next(warning for warning in fit.warnings if "one month makes this fit" in warning)
    assert "2021-02 (mean price 1483)" in said and "--cap" in said


def test_the_regression_agrees_with_numpys():
    months, prices = simulated()
    x = np.log(prices)
    design = np.column_stack([np.ones(59), x[:-1]])
    (a, b), _, _, _ = np.linalg.lstsq(design, x[1:], rcond=None)
    s = math.sqrt(np.sum((x[1:] - design @ [a, b]) ** 2) / 57)
    fit = fit_mean_reverting(months, prices)
    kappa = -12 * math.log(b)
    assert fit.parameters == pytest.approx({"median": math.exp(a / (1 - b)), "reversion_rate": kappa,
                                            "volatility": s * math.sqrt(2 * kappa / (1 - b * b))})
    # Standard errors by a numerical delta method.
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = s**2 * np.linalg.inv(design.T @ design)
    covariance[2, 2] = s**2 / (2 * 57)

    def parameters(v):
        k = -12 * math.log(v[1])
        return np.array([math.exp(v[0] / (1 - v[1])), k, v[2] * math.sqrt(2 * k / (1 - v[1] ** 2))])

    at = np.array([a, b, s])
    slopes = np.column_stack([(parameters(at + h) - parameters(at - h)) / 2e-6 for h in 1e-6 * np.eye(3)])
    errors = np.sqrt(np.diag(slopes @ covariance @ slopes.T))
    assert list(fit.standard_errors.values()) == pytest.approx(errors.tolist(), rel=1e-5)


def test_the_truth_is_found_again_in_a_long_series():
    fit = fit_mean_reverting(*simulated(1500, seed=3))
    for name, true in (("median", 40), ("reversion_rate", 3.2), ("volatility", 1.26)):
        assert abs(fit.parameters[name] - true) < 3 * fit.standard_errors[name]
    assert not fit.influence.makes and fit.bias < 0.05


def test_the_bias_of_short_series_is_about_what_is_said():
    found = []
    for seed in range(300):
        x = np.log(simulated(seed=seed)[1])
        b = np.cov(x[:-1], x[1:])[0, 1] / np.var(x[:-1], ddof=1)
        found.append(b)
    b = math.exp(-3.2 / 12)
    assert np.mean(found) - b == pytest.approx(-(1 + 3 * b) / 59, rel=0.3)
    fit = fit_mean_reverting(*simulated(seed=2))
    assert fit.bias == pytest.approx(12 * (1 + 3 * fit_b(fit)) / (59 * fit_b(fit)))


def fit_b(fit):
    return math.exp(-fit.reversion_rate / 12)


def test_clean_series_are_seldom_said_to_be_made_by_a_few_months():
    made = 0
    for seed in range(60):
        try:
            made += fit_mean_reverting(*simulated(seed=seed)).influence.makes
        except UnfittableError:
            continue
    assert made <= 5


def test_two_months_can_make_a_fit():
    months, prices = simulated(seed=5)
    prices[20] *= 12
    prices[45] *= 12
    fit = fit_mean_reverting(months, prices)
    assert fit.influence.makes and set(fit.influence.months) <= {month_name(620), month_name(645)}


def test_a_gap_breaks_the_pair_over_it():
    months, prices = simulated(61)
    with_gap = np.delete(np.arange(61), 30)
    fit = fit_mean_reverting(months[with_gap], prices[with_gap])
    assert fit.pairs == 58
    x = np.log(prices)
    pairs = [(x[k], x[k + 1]) for k in range(60) if k not in (29, 30)]
    b = np.polyfit(*np.array(pairs).T, 1)[0]
    assert fit.reversion_rate == pytest.approx(-12 * math.log(b))


@pytest.mark.parametrize(("prices", "words"), [
    (np.exp(0.001 * np.arange(60.0) ** 2), "do not return to a level"),
    (40 + 5 * (-1.0) ** np.arange(60), "one month says nothing about the next"),
    (np.full(60, 3.0), "all 3"),
    (np.append(np.full(59, 3.0), -1.0), "found a mean of -1 in 2024-12"),
    (np.arange(1.0, 11.0), "found 9 pairs"),
    (np.array([]), "found 0 pairs")])
def test_prices_to_which_no_process_can_be_fitted(prices, words):
    with pytest.raises(UnfittableError, match=words):
        fit_mean_reverting(np.arange(600, 600 + len(prices)), prices)


def test_names_of_months():
    assert [month_name(m) for m in (0, 613, 611)] == ["1970-01", "2021-02", "2020-12"]
