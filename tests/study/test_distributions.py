"""Distributions against SciPy, and the forms in which people state them against what they state."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.study.builders import LARGEST_SHAPE, LEAST_SHAPE, UnusableError
from simulator.study.distributions import DISTRIBUTIONS
from simulator.study.families import FIRST, LAST, Marginal, constant

# Shares over the whole of what can be drawn, as far out in both tails.
SHARES = st.floats(-12, -0.31).map(lambda e: 10.0**e) | st.floats(-12, -0.31).map(lambda e: 1 - 10.0**e) | st.floats(0.01, 0.99)
POSITIVE = st.floats(-3, 5).map(lambda e: 10.0**e)
PARTS = st.floats(0.01, 0.99)


def build(name, form=0, **parameters):
    found = DISTRIBUTIONS[name].forms[form]
    return found.build(**{**found.optional, **parameters})


def reference(marginal):
    """The same distribution from SciPy."""
    family, p = marginal.family, marginal.parameters
    return {
        "uniform": lambda low, high: stats.uniform(low, high - low),
        "triangular": lambda low, mode, high: stats.triang((mode - low) / (high - low), low, high - low),
        "normal": stats.norm,
        "truncated_normal": lambda mean, sd, low, high: stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd),
        "lognormal": lambda mu, sigma: stats.lognorm(sigma, scale=math.exp(mu)),
        "beta": lambda a, b, low, high: stats.beta(a, b, low, high - low),
        "gamma": lambda shape, scale: stats.gamma(shape, scale=scale),
        "weibull": lambda shape, scale: stats.weibull_min(shape, scale=scale),
        "exponential": lambda mean: stats.expon(scale=mean),
    }[family](*p)


@st.composite
def marginals(draw):
    """A marginal of any continuous family that a study may hold."""
    low, width, part = draw(st.floats(-10, 10)), draw(POSITIVE), draw(PARTS)
    high = low + width
    return draw(st.sampled_from([
        Marginal("uniform", (low, high)), Marginal("triangular", (low, low + part * width, high)),
        Marginal("triangular", (low, low, high)), Marginal("triangular", (low, high, high)),
        Marginal("normal", (low, width)), Marginal("truncated_normal", (low, width, low - 2 * part * width, high)),
        Marginal("truncated_normal", (low, width, low + 3 * part * width, math.inf)),
        Marginal("truncated_normal", (low, width, -math.inf, low - 4 * part * width)),
        Marginal("lognormal", (low, 2 * part)),
        Marginal("gamma", (20 * part, width)), Marginal("weibull", (0.3 + 5 * part, width)), Marginal("exponential", (width,)),
    ]))


# --- quantiles ------------------------------------------------------------------------------------------------


@given(marginals(), SHARES)
@settings(max_examples=400, deadline=None)
def test_quantiles_are_those_of_scipy(marginal, p):
    assume(FIRST <= p <= LAST)
    expected = float(reference(marginal).ppf(p))
    spread = abs(marginal.quantile(0.9) - marginal.quantile(0.1))
    assert marginal.quantile(p) == pytest.approx(expected, rel=1e-9, abs=1e-9 * spread)


@given(st.floats(0.06, 30), st.floats(0.06, 30), SHARES)
@settings(deadline=None)
def test_quantiles_of_beta_lead_back(alpha, beta, p):
    """SciPy's own ppf does not converge everywhere; its distribution function does."""
    assume(FIRST <= p <= LAST)
    x = Marginal("beta", (alpha, beta, 0.0, 1.0)).quantile(p)
    assert Marginal("beta", (alpha, beta, 2.0, 5.0)).quantile(p) == pytest.approx(2 + 3 * x, rel=1e-15)
    if x < 0.999:  # nearer to 1 it is a matter of the last bits of x
        assert float(stats.beta(alpha, beta).cdf(x)) == pytest.approx(p, rel=1e-9)


@given(marginals(), SHARES, SHARES)
@settings(deadline=None)
def test_quantiles_rise(marginal, p, q):
    low, high = sorted((p, q))
    slack = 1e-12 * max(map(abs, marginal.support()))
    assert marginal.quantile(low) <= marginal.quantile(high) + slack


@pytest.mark.parametrize(("marginal", "first"), [
    (Marginal("lognormal", (0.0, 1.0)), stats.lognorm(1).ppf(1e-12)), (Marginal("exponential", (2.0,)), 2e-12),
    (Marginal("weibull", (2.0, 3.0)), 3e-6), (Marginal("triangular", (0.0, 1.0, 2.0)), math.sqrt(2e-12)),
    (Marginal("truncated_normal", (0.0, 1.0, 6.0, math.inf)), 6.0), (Marginal("uniform", (0.0, 5.0)), 5e-12)])
def test_the_lower_tail_keeps_its_digits(marginal, first):
    assert marginal.quantile(FIRST) == pytest.approx(first, rel=1e-9)


def test_a_truncated_normal_far_in_a_tail_keeps_its_digits():
    for low, high in [(5.0, 5.5), (-5.5, -5.0), (5.0, math.inf)]:
        marginal, expected = Marginal("truncated_normal", (0.0, 1.0, low, high)), stats.truncnorm(low, high)
        for p in (1e-9, 0.1, 0.5, 0.999):
            assert marginal.quantile(p) == pytest.approx(expected.ppf(p), rel=1e-9)


def test_discrete_takes_the_first_value_that_is_reached():
    marginal = build("discrete", values=[1.0, 2.0, 4.0], weights=[1.0, 2.0, 1.0])
    assert [marginal.quantile(p) for p in (FIRST, 0.25, 0.2500001, 0.75, 0.76, LAST)] == [1, 1, 2, 2, 4, 4]


def test_a_constant_is_itself_everywhere():
    assert constant(3.0).is_constant and constant(3.0).support() == (3.0, 3.0)


# --- probability above ----------------------------------------------------------------------------------------


@given(marginals(), st.floats(0.001, 0.999))
@settings(deadline=None)
def test_probability_above_is_the_survival_function(marginal, p):
    x = marginal.quantile(p)
    # Where the density is infinite, x itself is known to one bit only.
    above, below = (float(reference(marginal).sf(np.nextafter(x, to))) for to in (math.inf, -math.inf))
    assert above - 1e-8 <= marginal.probability_above(x) <= below + 1e-8


def test_probability_above_outside_and_at_atoms():
    marginal = build("discrete", values=[5.0, 10.0, 15.0], weights=[0.2, 0.5, 0.3])
    assert [marginal.probability_above(x) for x in (4, 5, 7, 10, 12, 15, 16)] == pytest.approx([1, 0.8, 0.8, 0.3, 0.3, 0, 0])
    assert constant(5.0).probability_above(5.0) == 0 and constant(5.0).probability_above(4.9) == 1


# --- moments --------------------------------------------------------------------------------------------------


@given(POSITIVE, st.floats(0.01, 3))
def test_lognormal_and_gamma_have_the_moments_that_are_stated(mean, variation):
    for name in ("lognormal", "gamma"):
        found = reference(build(name, 1, mean=mean, sd=variation * mean))
        assert (found.mean(), found.std()) == pytest.approx((mean, variation * mean), rel=1e-9)


@given(st.floats(-5, 5), st.floats(0.1, 10), PARTS, st.floats(0.05, 0.9))
def test_beta_has_the_moments_that_are_stated(low, width, part, share):
    mean, most = low + part * width, math.sqrt(part * (1 - part)) * width
    total = 1 / share**2 - 1
    assume(min(part, 1 - part) * total >= LEAST_SHAPE)
    found = reference(build("beta", 1, mean=mean, sd=share * most, low=low, high=low + width))
    assert found.mean() == pytest.approx(mean, rel=1e-9, abs=1e-9 * width) and found.std() == pytest.approx(share * most,
    rel=1e-7)


@given(st.floats(-5, 5), POSITIVE, st.floats(0, 1), st.floats(0.1, 50))
def test_pert_has_its_mean_and_its_mode(low, width, part, shape):
    mode, high = low + part * width, low + width
    assume(low <= mode <= high and low < high)
    marginal = build("pert", low=low, mode=mode, high=high, shape=shape)
    assert reference(marginal).mean() == pytest.approx((low + shape * mode + high) / (shape + 2), rel=1e-9, abs=1e-9 * width)
    alpha, beta = marginal.parameters[:2]
    assert low + (alpha - 1) / (alpha + beta - 2) * width == pytest.approx(mode, rel=1e-9, abs=1e-9 * width)


def test_lognormal_is_stated_by_its_median():
    assert build("lognormal", median=41.0, sigma=0.5).quantile(0.5) == pytest.approx(41, rel=1e-15)


# --- percentiles ----------------------------------------------------------------------------------------------


@given(st.sampled_from(["uniform", "normal", "lognormal", "gamma", "weibull", "beta"]), st.floats(0.001, 0.6),
st.floats(0.05, 0.39),
       st.floats(0.05, 0.9), st.floats(1.05, 3))
@example("beta", 0.05, 0.9, 0.45, 0.82 / 0.45)
@example("gamma", 0.1, 0.8, 0.02, 30.0)
@settings(deadline=None, max_examples=200)
def test_percentiles_come_out_as_they_were_stated(name, first, further, lower, ratio):
    levels = [first, min(first + further, 0.999)]
    values = [lower, lower * ratio]
    assume(name != "beta" or values[1] < 0.99)
    kind = DISTRIBUTIONS[name]
    try:
        marginal = kind.through(levels, values, **({"low": 0.0, "high": 1.0} if name == "beta" else {}))
    except UnusableError:
        # Only shapes beyond what can be computed with are refused: such a pair is very close or very far apart.
        assert name in ("beta", "gamma")
        return
    for p, x in zip(levels, values, strict=True):
        assert marginal.quantile(p) == pytest.approx(x, rel=1e-9)
        assert float(reference(marginal).cdf(x)) == pytest.approx(p, abs=1e-9)


@given(st.floats(0.01, 0.99), POSITIVE)
def test_one_percentile_makes_an_exponential(p, x):
    assert DISTRIBUTIONS["exponential"].through([p], [x]).quantile(p) == pytest.approx(x, rel=1e-12)


def test_a_published_fit():
    """Beta through p5 = 0.45 and p95 = 0.82, by SciPy's own solver."""
    from scipy.optimize import fsolve

    alpha, beta = fsolve(lambda s: stats.beta(*np.exp(s)).cdf([0.45, 0.82]) - [0.05, 0.95], [2.0, 1.5])
    marginal = DISTRIBUTIONS["beta"].through([0.05, 0.95], [0.45, 0.82], low=0.0, high=1.0)
    assert marginal.parameters[:2] == pytest.approx((math.exp(alpha), math.exp(beta)), rel=1e-6)


# --- what cannot be -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form", "parameters", "words"), [
    ("uniform", 0, {"low": 2, "high": 2}, "expected low below high"),
    ("triangular", 0, {"low": 1, "mode": 3, "high": 2}, "rising order"),
    ("triangular", 0, {"low": 1, "mode": 1, "high": 1}, "rising order"),
    ("pert", 0, {"low": 2, "mode": 1, "high": 3}, "rising order"),
    ("pert", 0, {"low": 1, "mode": 2, "high": 3, "shape": 0}, "found shape 0"), ("normal", 0, {"mean": 1, "sd": 0}, "found sd 0"),
    ("truncated_normal", 0, {"mean": 1, "sd": 1}, "neither low nor high"),
    ("truncated_normal", 0, {"mean": 1, "sd": 1, "low": 3, "high": 2}, "low below high"),
    ("truncated_normal", 0, {"mean": 1, "sd": 0.01, "low": 3, "high": 4}, "almost nothing"),
    ("lognormal", 0, {"median": 0, "sigma": 1}, "found median 0"), ("lognormal", 0, {"median": 1, "sigma": -1}, "found sigma -1"),
    ("lognormal", 1, {"mean": -1, "sd": 1}, "found mean -1"), ("beta", 0, {"alpha": 0, "beta": 1}, "found alpha 0"),
    ("beta", 0, {"alpha": 0.01, "beta": 1}, "at least 0.05"), ("beta", 0, {"alpha": 1, "beta": 1e7}, "at most 100000"),
    ("beta", 0, {"alpha": 1, "beta": 1, "low": 1, "high": 0}, "low below high"),
    ("beta", 1, {"mean": 1.5, "sd": 0.1}, "between low 0 and high 1"),
    ("beta", 1, {"mean": 0.9, "sd": 0.3}, "expected it below 0.3"),
    ("gamma", 0, {"shape": 1e6, "scale": 1}, "at most 100000"), ("gamma", 1, {"mean": 1, "sd": 1e-6}, "at most 100000"),
    ("weibull", 0, {"shape": 0.01, "scale": 1}, "at least 0.05"), ("exponential", 0, {"mean": 0}, "found mean 0"),
    ("discrete", 0, {"values": [1, 2], "weights": [1]}, "2 values and 1 weights"),
    ("discrete", 0, {"values": [], "weights": []}, "0 values"),
    ("discrete", 0, {"values": [2, 1], "weights": [1, 1]}, "out of order"),
    ("discrete", 0, {"values": [1, 1], "weights": [1, 1]}, "out of order"),
    ("discrete", 0, {"values": [1, 2], "weights": [1, 0]}, "found the weight 0")])
def test_parameters_that_make_no_distribution_say_why(name, form, parameters, words):
    with pytest.raises(UnusableError) as error:
        build(name, form, **parameters)
    assert words in str(error.value)


@pytest.mark.parametrize(("name", "values"), [("lognormal", [0.0, 1.0]), ("lognormal", [-1.0, 1.0]), ("weibull", [0.0, 1.0]),
                                              ("gamma", [-1.0, 1.0]), ("exponential", [0.0])])
def test_percentiles_of_positive_distributions_are_positive(name, values):
    with pytest.raises(UnusableError, match="above 0"):
        DISTRIBUTIONS[name].through([0.05, 0.95], values)


def test_extreme_shapes_are_still_right():
    for shape in (LEAST_SHAPE, LARGEST_SHAPE):
        marginal = build("gamma", shape=shape, scale=1.0)
        assert marginal.quantile(0.5) == pytest.approx(float(stats.gamma(shape).ppf(0.5)), rel=1e-12)


def test_what_each_takes_is_said_in_words():
    assert DISTRIBUTIONS["triangular"].in_words() == "low, mode and high"
    assert DISTRIBUTIONS["beta"].in_words() == ("alpha and beta, or mean and sd, or two percentiles such as p5 and p95 "
                                                "(low and high may be added)")
    assert DISTRIBUTIONS["exponential"].in_words() == "mean, or one percentile such as p95"
