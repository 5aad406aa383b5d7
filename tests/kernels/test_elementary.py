"""Elementary functions against NumPy and SciPy."""

import numba
import numpy as np
import pytest
from scipy.special import ndtri

from simulator.kernels import elementary


def ulps(found, wanted):
    return np.max(np.abs(found - wanted) / np.spacing(np.abs(wanted)))


def filled(fill, x):
    out = np.empty_like(x)
    if fill is elementary.fill_inverse_normal:
        fill(x.copy(), out, np.empty(len(x), np.uint64))
    else:
        fill(x, out)
    return out


@pytest.mark.parametrize(("low", "high"), [(-708, 709), (-5, 5), (-1e-3, 1e-3)])
def test_exp_is_within_two_ulp(low, high):
    x = np.random.default_rng(1).uniform(low, high, 200_001)
    assert ulps(filled(elementary.fill_exp, x), np.exp(x)) <= 2


@pytest.mark.parametrize(("low", "high"), [(-40, 700), (-1, 1), (-1e-9, 1e-9)])
def test_expm1_is_within_two_ulp(low, high):
    x = np.random.default_rng(6).uniform(low, high, 200_001)
    assert ulps(filled(elementary.fill_expm1, x[x != 0]), np.expm1(x[x != 0])) <= 2


def test_exp_at_its_ends():
    x = np.array([-1e9, -709.0, 0.0, 709.7, 710.0, 1e9])
    found = filled(elementary.fill_exp, x)
    assert list(found[[0, 1, 4, 5]]) == [0.0, 0.0, np.inf, np.inf]
    assert found[2] == 1.0 and found[3] == pytest.approx(np.exp(709.7), rel=1e-15)


@pytest.mark.parametrize(("low", "high"), [(-700, 700), (-0.7, 0.7), (-1e-6, 1e-6)])
def test_log_is_within_two_ulp(low, high):
    x = np.exp(np.random.default_rng(2).uniform(low, high, 200_001))
    x = x[x != 1]
    assert ulps(filled(elementary.fill_log, x), np.log(x)) <= 2
    assert filled(elementary.fill_log, np.ones(1))[0] == 0.0


def test_inverse_normal_agrees_with_scipy_over_its_whole_range():
    rng = np.random.default_rng(3)
    tails = 10.0 ** rng.uniform(-12, -1, 50_000)
    u = np.concatenate([rng.random(200_000), tails, 1 - tails, [1e-12, 1 - 1e-12, 0.5, np.nextafter(0.5, 1)]])
    found, wanted = filled(elementary.fill_inverse_normal, u), ndtri(u)
    np.testing.assert_allclose(found, wanted, rtol=2e-15, atol=0)


def test_inverse_normal_is_exactly_symmetric():
    u = np.random.default_rng(4).integers(1, 2**40, 10_000) / 2.0**41
    np.testing.assert_array_equal(filled(elementary.fill_inverse_normal, u), -filled(elementary.fill_inverse_normal, 1 - u))


def test_scalar_formulas_work_inside_a_jitted_function():
    @numba.njit
    def all_three(x):
        return elementary.exp(x), elementary.log(x), elementary.inverse_normal(x)

    assert all_three(0.3) == pytest.approx((np.exp(0.3), np.log(0.3), ndtri(0.3)), rel=1e-15)
