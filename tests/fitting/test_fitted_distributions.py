"""Fits of complete data against SciPy's, closed forms, and data of known origin."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.fitting.candidates import Bounds
from simulator.fitting.distributions import fit_distributions, goodness_of_fit
from simulator.fitting.families import FAMILIES, FAMILY, UnfittableError

TRUE = {"normal": (5.0, 2.0), "lognormal": (40.0, 0.5), "gamma": (2.5, 3.0), "weibull": (2.6, 7.1), "exponential": (4.0,),
        "beta": (4.0, 2.0)}
FREE = {"normal": {}, "exponential": {"floc": 0}, "lognormal": {"floc": 0}, "gamma": {"floc": 0}, "weibull": {"floc": 0},
        "beta": {"floc": 0, "fscale": 1}}
SCIPY = {"normal": stats.norm, "lognormal": stats.lognorm, "gamma": stats.gamma, "weibull": stats.weibull_min,
         "exponential": stats.expon, "beta": stats.beta}
SHARE = Bounds(0, 1, (0, 1), True)


def drawn(name, n, seed=1):
    return FAMILY[name].frozen(*TRUE[name]).rvs(n, random_state=np.random.default_rng(seed))


@pytest.mark.parametrize("name", TRUE)
def test_no_parameters_of_scipys_own_fit_are_likelier(name):
    data = drawn(name, 300)
    ours = FAMILY[name].frozen(*FAMILY[name].estimate(data)).logpdf(data).sum()
    theirs = SCIPY[name](*SCIPY[name].fit(data, **FREE[name])).logpdf(data).sum()
    assert ours >= theirs - 1e-9 and ours == pytest.approx(theirs, abs=1e-3)


@pytest.mark.parametrize("name", TRUE)
@settings(max_examples=30)
@given(st.floats(0.2, 30), st.floats(0.2, 30), st.integers(0, 2**32 - 1))
def test_the_likelihood_is_flat_where_it_is_said_to_be_highest(name, first, second, seed):
    family = FAMILY[name]
    data = family.frozen(*(first, second)[:len(family.parameters)]).rvs(25, random_state=np.random.default_rng(seed))
    if name == "beta":
        data = data[(data > 0) & (data < 1)]
    best = family.estimate(data)
    top = family.frozen(*best).logpdf(data).sum()
    for k in range(len(best)):
        for factor in (0.999, 1.001):
            moved = best.copy()
            moved[k] *= factor
            assert family.frozen(*moved).logpdf(data).sum() <= top + 1e-9


@pytest.mark.parametrize("name", TRUE)
def test_many_samples_at_once_are_fitted_as_each_by_itself(name):
    data = drawn(name, 60).reshape(3, 20)
    together = FAMILY[name].estimate(data)
    assert together == pytest.approx(np.array([FAMILY[name].estimate(row) for row in data]), rel=1e-9)


def test_standard_errors_of_the_normal_and_the_exponential_have_closed_forms():
    data = drawn("gamma", 400)
    fitted = {one.distribution: one for one in fit_distributions(data, Bounds()).candidates}
    sd, n = data.std(), len(data)
    assert fitted["normal"].standard_errors == pytest.approx({"mean": sd / math.sqrt(n), "sd": sd / math.sqrt(2 * n)}, rel=1e-4)
    assert fitted["exponential"].standard_errors == pytest.approx({"mean": data.mean() / math.sqrt(n)}, rel=1e-4)
    logs = np.log(data)
    assert fitted["lognormal"].standard_errors == pytest.approx(
        {"median": np.exp(logs.mean()) * logs.std() / math.sqrt(n), "sigma": logs.std() / math.sqrt(2 * n)}, rel=1e-3)
    assert fitted["normal"].aic == pytest.approx(4 - 2 * stats.norm(data.mean(), sd).logpdf(data).sum())


@pytest.mark.parametrize("name", ["gamma", "weibull", "beta"])
def test_standard_errors_cover_the_truth_as_often_as_they_say(name):
    bounds = SHARE if name == "beta" else Bounds(0)
    hits = np.zeros(len(TRUE[name]))
    for seed in range(40):
        data = drawn(name, 200, seed)
        family = FAMILY[name]
        fitted = next(one for one in fit_quickly(data, bounds) if one.distribution == name)
        for k, parameter in enumerate(family.parameters):
            hits[k] += abs(fitted.parameters[parameter] - TRUE[name][k]) < 1.96 * fitted.standard_errors[parameter]
    assert np.all(hits >= 33), "95 % of 40 is 38; 32 or fewer happen once in thousands"


def fit_quickly(data, bounds):
    """Without the bootstrap."""
    with patch("simulator.fitting.distributions.goodness_of_fit", lambda *_: None):
        return fit_distributions(data, bounds).candidates


@pytest.mark.parametrize("name", TRUE)
def test_the_true_family_is_found_in_a_large_sample(name):
    data = drawn(name, 3000)
    fit = fit_distributions(data, SHARE if name == "beta" else Bounds())
    scores = [one.aic for one in fit.candidates]
    assert scores == sorted(scores)
    # An exponential is a gamma and a weibull too: AIC then tells by 2 at most.
    assert name in {one.distribution for one in fit.candidates if one.aic - scores[0] < 2.0}
    chosen = next(one for one in fit.candidates if one.distribution == name)
    for parameter, true in zip(FAMILY[name].parameters, TRUE[name], strict=True):
        assert abs(chosen.parameters[parameter] - true) < 4 * chosen.standard_errors[parameter]
    assert chosen.goodness.p_value > 0.01


def test_the_p_value_knows_that_parameters_were_fitted():
    """For a fitted normal the plain p-value is far too large; Lilliefors' table has 0.886/√n at 5 % for large n."""
    data, n = drawn("normal", 100), 100
    values = FAMILY["normal"].estimate(data)
    fit = goodness_of_fit(FAMILY["normal"], values, data)
    plain = stats.kstest(data, stats.norm(*values).cdf)
    assert fit.statistic == pytest.approx(plain.statistic) and fit.p_value < plain.pvalue
    rng = np.random.default_rng(3)
    p_values = []
    for _ in range(100):
        sample = rng.normal(size=n)
        p_values.append(goodness_of_fit(FAMILY["normal"], FAMILY["normal"].estimate(sample), sample).p_value)
    assert 0.35 < np.mean(p_values) < 0.65, "uniform under the hypothesis"


def test_the_p_value_rejects_what_does_not_fit_also_in_long_samples():
    data = drawn("lognormal", 4000)
    fit = {one.distribution: one.goodness for one in fit_distributions(data, Bounds()).candidates}
    assert fit["lognormal"].p_value > 0.05 and fit["exponential"].p_value < 0.01 and fit["normal"].p_value < 0.01


def test_candidates_that_leave_the_bounds_are_passed_over_with_a_word():
    data = stats.norm(0.9, 0.03).rvs(500, random_state=np.random.default_rng(4))
    fit = fit_distributions(data[data < 1], SHARE)
    assert fit.best.usable and fit.best.distribution in ("beta", "weibull") and not all(one.usable for one in fit.candidates)
    data = stats.norm(10, 3).rvs(500, random_state=np.random.default_rng(5))
    fit = fit_distributions(data[data > 0], Bounds(0))
    assert fit.candidates[0].distribution == "normal" and fit.best.distribution == "weibull"
    assert any("passed over" in said and "normal" in said for said in fit.warnings)


def test_the_wanted_candidate_is_taken():
    data = drawn("gamma", 200)
    assert fit_distributions(data, Bounds(0), "lognormal").best.distribution == "lognormal"
    with pytest.raises(UnfittableError, match="beta cannot have"):
        fit_distributions(data, Bounds(0), "beta")


def test_beta_between_other_ends():
    data = 20 + 30 * drawn("beta", 2000)
    best = fit_distributions(data, Bounds(20, 50, (20, 50), True)).best
    assert best.distribution == "beta" and (best.parameters["low"], best.parameters["high"]) == (20, 50)
    assert best.parameters["alpha"] == pytest.approx(4, rel=0.1)
    assert best.log_likelihood == pytest.approx(best.frozen.logpdf(data).sum())


@pytest.mark.parametrize(("data", "words"), [
    (np.ones(50), "all 1"), (np.arange(5.0), "at least 10"), (np.array([]), "0 values")])
def test_data_that_cannot_be_fitted(data, words):
    with pytest.raises(UnfittableError, match=words):
        fit_distributions(data, Bounds())


def test_what_is_said_of_few_rounded_and_dependent_values():
    few = fit_distributions(drawn("gamma", 15), Bounds())
    assert any("15 values are few" in said for said in few.warnings)
    counted = fit_distributions(np.round(drawn("gamma", 500)) + 1, Bounds())
    assert any("many values are equal" in said for said in counted.warnings)
    walk = np.cumsum(np.random.default_rng(1).normal(size=300)) + 100
    assert any("neighbouring values are alike" in said for said in fit_distributions(walk, Bounds()).warnings)
    assert not any("neighbouring" in said for said in fit_distributions(drawn("gamma", 500), Bounds()).warnings)


def test_values_at_the_ends_of_a_range_leave_families_out_in_words():
    data = np.append(drawn("beta", 100), [0.0, 1.0])
    fit = fit_distributions(data, SHARE)
    assert [one.distribution for one in fit.candidates] == ["normal"] and not fit.best.usable
    assert any("beta" in said and "not fitted" in said for said in fit.warnings)
    with pytest.raises(UnfittableError, match="outside 0 to 1"):
        fit_distributions(data * 100, SHARE)


def test_every_family_of_the_module_is_tested():
    assert set(TRUE) == {family.name for family in FAMILIES}
