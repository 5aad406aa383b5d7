"""Quantile functions against SciPy, to 1e-10 relative over (1e-12, 1 − 1e-12)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.engine.parameters import _Rows
from simulator.kernels.distributions import fill_quantiles
from simulator.study.compound import mixture
from simulator.study.distributions import DISTRIBUTIONS
from simulator.study.families import Marginal, constant

_RNG = np.random.default_rng(5)
_TAILS = 10.0 ** _RNG.uniform(-12, -1, 4000)
U = np.concatenate([_RNG.random(8000), _TAILS, 1 - _TAILS, [1e-12, 0.5, 1 - 1e-12]])


def quantiles(marginal, u=U):
    """A marginal's quantiles as a run draws them."""
    rows = _Rows()
    row = rows.given("x", marginal)
    z, x, places = np.empty_like(u), np.empty_like(u), np.empty(len(u), np.uint64)
    fill_quantiles(rows.family[row], np.array(rows.parameters[row]), np.concatenate(rows.tables), u.copy(), z, places, x)
    return x


CASES = [
    (Marginal("uniform", (2.0, 5.0)), stats.uniform(2, 3)),
    (Marginal("triangular", (3.0, 5.0, 7.0)), stats.triang(0.5, 3, 4)),
    (Marginal("triangular", (1.0, 1.0, 2.0)), stats.triang(0, 1, 1)),
    (Marginal("triangular", (1.0, 2.0, 2.0)), stats.triang(1, 1, 1)),
    (Marginal("normal", (10.0, 0.5)), stats.norm(10, 0.5)),
    (Marginal("lognormal", (1.0, 0.7)), stats.lognorm(0.7, scale=np.e)),
    (Marginal("truncated_normal", (0.5, 0.2, 0.1, 1.0)), stats.truncnorm(-2, 2.5, 0.5, 0.2)),
    (Marginal("truncated_normal", (0.0, 1.0, 3.0, np.inf)), stats.truncnorm(3, np.inf)),
    (Marginal("truncated_normal", (0.0, 1.0, -np.inf, -4.0)), stats.truncnorm(-np.inf, -4)),
    (Marginal("beta", (2.0, 5.0, 0.0, 1.0)), stats.beta(2, 5)),
    (Marginal("beta", (0.5, 0.5, 0.0, 1.0)), stats.beta(0.5, 0.5)),
    (Marginal("beta", (0.06, 3.0, 0.0, 1.0)), stats.beta(0.06, 3)),
    (Marginal("beta", (300.0, 2.0, 1.0, 4.0)), stats.beta(300, 2, 1, 3)),
    (Marginal("gamma", (0.3, 2.0)), stats.gamma(0.3, scale=2)),
    (Marginal("gamma", (4.0, 0.5)), stats.gamma(4, scale=0.5)),
    (Marginal("gamma", (1e4, 1.0)), stats.gamma(1e4)),
    (Marginal("weibull", (2.64, 7.11)), stats.weibull_min(2.64, scale=7.11)),
    (Marginal("weibull", (0.4, 1.0)), stats.weibull_min(0.4)),
    (Marginal("exponential", (3.0,)), stats.expon(scale=3)),
]


@pytest.mark.parametrize(("marginal", "reference"), CASES, ids=lambda case: str(getattr(case, "parameters", "")))
def test_quantiles_agree_with_scipy(marginal, reference):
    np.testing.assert_allclose(quantiles(marginal), reference.ppf(U), rtol=1e-10)


def test_pert_is_the_beta_that_defines_it():
    pert = DISTRIBUTIONS["pert"].forms[0].build(low=2.0, mode=3.0, high=7.0, shape=4.0)
    reference = stats.beta(1 + 4 * 1 / 5, 1 + 4 * 4 / 5, 2, 5)
    np.testing.assert_allclose(quantiles(pert), reference.ppf(U), rtol=1e-10)
    assert reference.mean() == pytest.approx((2 + 4 * 3 + 7) / 6)


def test_discrete_steps_where_the_weights_say():
    marginal = DISTRIBUTIONS["discrete"].forms[0].build(values=[1.0, 2.0, 5.0], weights=[1.0, 2.0, 1.0])
    u = np.array([1e-12, 0.25, np.nextafter(0.25, 1), 0.75, 0.7500001, 1 - 1e-12])
    assert list(quantiles(marginal, u)) == [1, 1, 2, 2, 5, 5]


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 200), st.floats(0.05, 200))
def test_beta_tables_hold_for_any_shape(alpha, beta):
    u = U[::20]
    wanted = stats.beta.ppf(u, alpha, beta)
    found = quantiles(Marginal("beta", (alpha, beta, 0.0, 1.0)), u)
    usable = wanted > 1e-290
    np.testing.assert_allclose(found[usable], wanted[usable], rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([marginal for marginal, _ in CASES]))
def test_quantiles_rise(marginal):
    x = quantiles(marginal, np.sort(U))
    assert np.all(np.diff(x) >= -1e-12 * np.abs(x[1:]))


@pytest.mark.parametrize("marginal", [marginal for marginal, _ in CASES], ids=lambda case: str(case.parameters))
def test_the_studys_own_quantile_is_the_same(marginal):
    # The study checks bounds with plain Python formulas, the run draws with kernels: two ways, one distribution.
    u = U[::500]
    np.testing.assert_allclose(quantiles(marginal, u), [marginal.quantile(float(p)) for p in u], rtol=1e-9)


MADE_OF_OTHERS = [
    mixture([1, 2, 1], [Marginal("normal", (10.0, 0.5)), Marginal("beta", (2.0, 5.0, 8.0, 14.0)),
                        Marginal("lognormal", (2.5, 0.3))]),
    mixture([9, 1], [constant(1.0), Marginal("uniform", (3.0, 5.0))]),  # an epidemic: usually 1, sometimes far more
    mixture([1, 1], [Marginal("uniform", (1.0, 2.0)), Marginal("uniform", (5.0, 6.0))]),
    Marginal("empirical", tuple(sorted(_RNG.normal(size=1003)))), Marginal("empirical", (1.0, 1.0, 2.0)),
    Marginal("metalog", (-np.inf, np.inf, 3.0, 1.0, 0.2)), Marginal("metalog", (1.0, np.inf, 0.5, 0.4, 0.1, 0.05)),
    Marginal("metalog", (-np.inf, 4.0, 0.5, 0.4, 0.1)), Marginal("metalog", (0.0, 9.0, 0.3, 1.0, 0.2, -0.1, 0.3, 0.02, 0.1))]


@pytest.mark.parametrize("marginal", MADE_OF_OTHERS, ids=lambda marginal: f"{marginal.family}{len(marginal.parameters)}")
def test_metalogs_mixtures_and_columns_are_drawn_as_the_study_has_them(marginal):
    u = np.concatenate([U[::40], np.linspace(0.001, 0.999, 999)])
    wanted = np.array([marginal.quantile(float(p)) for p in u])
    # Beyond 1 − 1e-12 the study's own 1 − p has lost digits; at a jump the table is right to 1e-11 of z.
    found = quantiles(marginal, u)
    close = np.isclose(found, wanted, rtol=2e-10, atol=1e-12) | (np.minimum(u, 1 - u) < 1e-6)
    assert close.mean() > 0.999
    np.testing.assert_allclose(found[u < 1e-6], wanted[u < 1e-6], rtol=1e-9)
    assert np.all(np.diff(quantiles(marginal, np.sort(u))) >= -1e-11)
