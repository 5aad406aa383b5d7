"""Sums over months in closed form against sums term by term."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.kernels.jit import jit
from simulator.kernels.months import discount_prices, geometric_series
from simulator.units import MONTHS


@jit
def series(growth, n, rest):
    return geometric_series(growth, n, rest)


@given(st.floats(-3, 0.1), st.integers(0, MONTHS), st.floats(0, 1))
def test_geometric_series(growth, n, rest):
    wanted = math.fsum([*(math.exp(k * growth) for k in range(n)), rest * math.exp(n * growth)])
    assert series(growth, float(n), rest) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("growth", [0.0, 1e-300, -1e-17, 1e-12, -1e-9])
def test_geometric_series_of_next_to_no_growth(growth):
    assert series(growth, 60.0, 0.25) == pytest.approx(60.25, rel=1e-6 if abs(growth) > 1e-10 else 1e-10)


def test_geometric_series_that_ends_at_once():
    assert series(-1e9, 60.0, 0.5) == 1.0


def test_running_sums_of_discounted_prices():
    rng = np.random.default_rng(1)
    rates, prices, paid = np.array([0.0, 0.07, -0.05]), rng.random((MONTHS, 3)), np.zeros((1 + MONTHS, 3))
    discount_prices(rates, MONTHS, prices, np.empty(3), np.empty(3), paid)
    middles = (np.arange(MONTHS) + 0.5) / 12
    np.testing.assert_allclose(paid[1:], np.cumsum(prices * (1 + rates) ** -middles[:, None], axis=0), rtol=1e-12)
    assert np.all(paid[0] == 0)
