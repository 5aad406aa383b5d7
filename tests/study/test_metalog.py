"""Metalogs pass through their percentiles, and are refused where the literature says that none does."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import logit

from simulator.study import metalog
from simulator.study.builders import UnusableError
from simulator.study.distributions import DISTRIBUTIONS

METALOG = DISTRIBUTIONS["metalog"]


def through(levels, values, low=None, high=None):
    return METALOG.through(levels, values, low=low, high=high)


def keelin(p, a):
    """The definition, term by term (Keelin 2016, equation 6)."""
    c, ln = p - 0.5, math.log(p / (1 - p))
    more = [c ** ((k - 1) // 2) if k % 2 else c ** (k // 2 - 1) * ln for k in range(5, len(a) + 1)]
    terms = [1, ln, c * ln, c, *more]
    return sum(x * y for x, y in zip(a, terms, strict=False))


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=9), st.floats(0.001, 0.999))
def test_the_terms_are_those_of_the_definition(a, p):
    assert metalog.quantile(p, -math.inf, math.inf, a) == pytest.approx(keelin(p, a), rel=1e-9, abs=1e-9)


@given(st.floats(0.02, 0.3), st.floats(0.5, 50), st.floats(0.2, 0.8),
       st.sampled_from([(None, None), (0, None), (None, 300), (0, 300)]))
def test_percentiles_come_out_as_they_were_stated(alpha, width, lean, bounds):
    levels, values = [alpha, 0.5, 1 - alpha], [100, 100 + lean * width, 100 + width]
    try:
        found = through(levels, values, *bounds)
    except UnusableError as error:
        assert "would fall" in str(error)
        return
    for p, x in zip(levels, values, strict=True):
        assert found.quantile(p) == pytest.approx(x, rel=1e-9)


@given(st.floats(0.05, 0.45), st.floats(0.01, 0.99))
def test_three_percentiles_are_feasible_where_keelin_says(alpha, share):
    """r = (q50 − qα)/(q1−α − qα) in [k, 1 − k], k = ½[1 − 1.66711(½ − α)] (Keelin 2016, equation 16)."""
    k = 0.5 * (1 - 1.66711 * (0.5 - alpha))
    assume(abs(share - k) > 0.004 and abs(share - 1 + k) > 0.004)
    fitted = metalog.through([alpha, 0.5, 1 - alpha], [0, share, 1], -math.inf, math.inf)
    assert (metalog.falling(fitted) is None) == (k < share < 1 - k)


def test_a_logistic_distribution_is_the_metalog_of_two_terms():
    levels = [0.05, 0.2, 0.5, 0.7, 0.9]
    found = through(levels, [3 + 2 * math.log(p / (1 - p)) for p in levels])
    assert found.parameters[2:] == pytest.approx((3, 2, 0, 0, 0), abs=1e-9)


def test_many_percentiles_of_a_skewed_distribution():
    from scipy import stats

    levels = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
    wanted = stats.lognorm(0.6, scale=5)
    found = through(levels, list(wanted.ppf(levels)), low=0)
    assert [found.quantile(p) for p in levels] == pytest.approx(list(wanted.ppf(levels)), rel=1e-9)
    assert found.quantile(0.6) == pytest.approx(wanted.ppf(0.6), rel=1e-3)


def test_bounds_hold():
    found = through([0.1, 0.5, 0.9], [0.4, 0.6, 0.75], 0, 1)
    low, high = found.support()
    assert 0 < low < high < 1


@pytest.mark.parametrize(("levels", "values", "bounds", "words"), [
    ([0.1, 0.5, 0.9], [0, 0.02, 1], {}, "between p"), ([0.1, 0.5, 0.9], [0, 0.5, 1], {"low": 0}, "between the bounds low 0"),
    ([0.1, 0.5, 0.9], [1, 2, 3], {"low": 5, "high": 4}, "low below high"),
    ([0.1, 0.2, 0.3, 0.4, 0.9], [1, 1.001, 5, 5.001, 6], {}, "expected fewer percentiles")])
def test_infeasible_percentiles_say_why(levels, values, bounds, words):
    with pytest.raises(UnusableError, match=words):
        through(levels, values, **bounds)


def test_arrays_of_logits_give_the_same_quantiles():
    p = np.array([0.001, 0.3, 0.5, 0.9])
    for bounds in ((-math.inf, math.inf), (0.0, math.inf), (-math.inf, 9.0), (0.0, 9.0)):
        coefficients = metalog.through([0.1, 0.5, 0.9], [1, 2, 4], *bounds)
        expected = [metalog.quantile(float(q), *bounds, coefficients) for q in p]
        assert metalog.at_logits(logit(p), *bounds, coefficients) == pytest.approx(expected, rel=1e-12)
