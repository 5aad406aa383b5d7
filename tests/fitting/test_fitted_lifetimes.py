"""Censored and truncated lifetimes against SciPy, plain NumPy, closed forms and the Titan supercomputer."""

import csv
import math
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from scipy import optimize, stats

import simulator
from simulator.fitting.candidates import Bounds
from simulator.fitting.families import FAMILY, UnfittableError
from simulator.fitting.lifetimes import Lifetimes, fit_lifetimes, kaplan_meier, log_likelihood

DATA = Path(simulator.__file__).resolve().parents[2] / "shared" / "data"
LIFE = Bounds(0, 100, None, True)


def fleet(n=800, seed=1, shape=2.6, scale=7.1, truncated=False):
    rng = np.random.default_rng(seed)
    born, life = rng.uniform(0, 6, n), scale * rng.weibull(shape, n)
    entry = rng.uniform(0, 4, n) if truncated else np.zeros(n)
    seen = life > entry  # what died before is not in the records
    end = entry + born
    duration, failed = np.minimum(life, end), (life <= end).astype(float)
    return Lifetimes(duration[seen], failed[seen], entry[seen])


def fitted(data, name):
    """One candidate, without the time that the others take."""
    with patch("simulator.fitting.lifetimes.FAMILIES", (FAMILY[name],)):
        return fit_lifetimes(data, LIFE).best


@pytest.mark.parametrize(("name", "scipy_name"), [("weibull", "weibull_min"), ("gamma", "gamma"), ("lognormal", "lognorm")])
def test_censored_fits_agree_with_scipys(name, scipy_name):
    data = fleet(300)
    censored = stats.CensoredData(uncensored=data.duration[data.failed == 1], right=data.duration[data.failed == 0])
    shape, _, scale = getattr(stats, scipy_name).fit(censored, floc=0)
    ours = fitted(data, name)
    theirs = {"weibull": {"shape": shape, "scale": scale}, "gamma": {"shape": shape, "scale": scale},
              "lognormal": {"median": scale, "sigma": shape}}[name]
    assert ours.parameters == pytest.approx(theirs, rel=2e-3)


def test_a_truncated_weibull_agrees_with_its_likelihood_in_plain_numpy():
    data = fleet(900, truncated=True)

    def loss(logs):
        k, s = np.exp(logs)
        t, e = data.duration, data.entry
        hazard = math.log(k / s) + (k - 1) * np.log(t / s)
        return -np.sum(data.failed * hazard - (t / s) ** k + (e / s) ** k)

    found = optimize.minimize(loss, [0.0, 1.0], method="BFGS")
    ours = fitted(data, "weibull")
    assert list(ours.parameters.values()) == pytest.approx(np.exp(found.x).tolist(), rel=1e-4)
    assert ours.log_likelihood == pytest.approx(-found.fun, abs=1e-6)
    # The inverse Hessian of the logs, carried over.
    step, information = 1e-4, np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = step * np.eye(2)[i], step * np.eye(2)[j]
            along, across = loss(found.x + a + b) + loss(found.x - a - b), loss(found.x + a - b) + loss(found.x - a + b)
            information[i, j] = (along - across) / (4 * step**2)
    errors = np.exp(found.x) * np.sqrt(np.diag(np.linalg.inv(information)))
    assert list(ours.standard_errors.values()) == pytest.approx(errors.tolist(), rel=1e-3)


def test_forgetting_the_truncation_would_be_wrong():
    data = fleet(2500, truncated=True)
    right, wrong = fitted(data, "weibull"), fitted(Lifetimes(data.duration, data.failed, 0 * data.entry), "weibull")
    for name, true in (("shape", 2.6), ("scale", 7.1)):
        assert abs(right.parameters[name] - true) < 3 * right.standard_errors[name]
    assert wrong.parameters["shape"] - 2.6 > 4 * wrong.standard_errors["shape"]


@pytest.mark.parametrize("truncated", [False, True])
def test_an_exponential_is_time_at_risk_per_failure(truncated):
    data = fleet(500, truncated=truncated)
    failures = data.failed.sum()
    ours = fitted(data, "exponential")
    mean = float(np.sum(data.duration - data.entry) / failures)
    assert ours.parameters["mean"] == pytest.approx(mean, rel=1e-6)
    assert ours.standard_errors["mean"] == pytest.approx(mean / math.sqrt(failures), rel=1e-3)


def test_standard_errors_cover_the_truth():
    hits = np.zeros(2)
    for seed in range(25):
        one = fitted(fleet(150, seed, truncated=True), "weibull")
        hits += [abs(one.parameters[name] - true) < 1.96 * one.standard_errors[name] for name, true in
                 (("shape", 2.6), ("scale", 7.1))]
    assert np.all(hits >= 20), "95 % of 25 is 24"


def test_units_bought_in_batches_weigh_as_each_by_itself():
    data, family = fleet(50), FAMILY["gamma"]
    repeated = Lifetimes(*(np.repeat(values, 7) for values in (data.duration, data.failed, data.entry)))
    one, seven = fitted(data, "gamma"), fitted(repeated, "gamma")
    assert seven.parameters == pytest.approx(one.parameters, rel=1e-5)
    assert seven.log_likelihood == pytest.approx(7 * one.log_likelihood)
    values = np.array(list(one.parameters.values()))
    assert log_likelihood(family, values, repeated, np.ones(350)) == pytest.approx(seven.log_likelihood)
    assert seven.standard_errors["shape"] == pytest.approx(one.standard_errors["shape"] / math.sqrt(7), rel=1e-3)


def test_kaplan_meier_agrees_with_scipys():
    data = fleet(200)
    curve = kaplan_meier(data)
    theirs = stats.ecdf(stats.CensoredData(uncensored=data.duration[data.failed == 1],
                                           right=data.duration[data.failed == 0])).sf
    assert curve.alive == pytest.approx(theirs.evaluate(curve.times))


def test_kaplan_meier_counts_only_who_has_entered():
    # Ages 1 … 4; the third unit enters at 1.5 and so is not at risk at the first failure: (1 − 1/3)(1 − 1/3)(1 − 1/1).
    data = Lifetimes(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.5, 0.0]))
    assert kaplan_meier(data).alive == pytest.approx([2 / 3, 4 / 9, 0])


def test_the_distance_from_kaplan_meier_is_small_for_the_truth_and_large_for_the_rest():
    data = fleet(3000)
    assert fitted(data, "weibull").kaplan_meier_distance < 0.03 < fitted(data, "exponential").kaplan_meier_distance


@pytest.mark.skipif(not (DATA / "gpu_lifetimes_titan_old.csv").exists(), reason="the file is not here")
def test_titan():
    with (DATA / "gpu_lifetimes_titan_old.csv").open() as stream:
        rows = [(float(row["years_observed"]), float(row["failed"]), 0.0) for row in csv.DictReader(stream)]
    fit = fit_lifetimes(Lifetimes(*np.array(rows).T), LIFE)
    weibull = next(one for one in fit.candidates if one.distribution == "weibull")
    assert round(weibull.parameters["shape"], 2) == 2.64 and round(weibull.parameters["scale"], 2) == 7.11
    assert 0.02 < weibull.standard_errors["shape"] < 0.05
    assert any("still alive at 5.62" in said for said in fit.warnings)
    assert any("from the share alive by Kaplan–Meier" in said for said in fit.warnings)


@pytest.mark.parametrize(("failed", "words"), [(0, "below 0.00999 per unit of time"), (3, "found 3 failures")])
def test_too_few_failures(failed, words):
    data = Lifetimes(np.full(100, 3.0), np.repeat([1.0, 0.0], [failed, 100 - failed]), np.zeros(100))
    with pytest.raises(UnfittableError, match=words):
        fit_lifetimes(data, LIFE)


def test_failures_of_one_age():
    with pytest.raises(UnfittableError, match="all came at 3"):
        fit_lifetimes(Lifetimes(np.full(10, 3.0), np.ones(10), np.zeros(10)), LIFE)
