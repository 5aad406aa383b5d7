"""Zeros of a curve between computed points."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.experiments.crossings import crossings


def test_a_straight_line_in_log_x_is_met_exactly():
    (found,) = crossings([10, 100], [(-1.0, 0.01), (3.0, 0.02)], lambda x: 0.0)
    assert found.at == pytest.approx(10 * 10**0.25) and found.rising
    # error of the value there, a quarter of the way, over the slope of 4 per log 10
    assert found.standard_error == pytest.approx(found.at * 0.0125 / (4 / math.log(10)))


def test_the_shape_bends_the_curve_between_its_points():
    curve = lambda x: math.log(x / 37) ** 3  # noqa: E731
    (found,) = crossings([10, 100], [(curve(10) , 0.0), (curve(100), 0.0)], lambda x: curve(x) + 7)
    assert found.at == pytest.approx(37, rel=1e-4) and found.standard_error == 0


def test_two_crossings_in_one_cell_are_found():
    curve = lambda x: math.log(x / 20) * math.log(x / 60)  # noqa: E731
    found = crossings([10, 100], [(curve(10), 0.0), (curve(100), 0.0)], curve)
    assert [c.at for c in found] == pytest.approx([20, 60]) and [c.rising for c in found] == [False, True]


@pytest.mark.parametrize("values", [[(1.0, 0.1), (2.0, 0.1), (0.5, 0.1)], [(-1.0, 0.1), (-2.0, 0.1), (-0.5, 0.1)]])
def test_no_change_of_sign_no_crossing(values):
    assert crossings([1, 2, 3], values, lambda x: 0.0) == []


@given(st.floats(1.01, 99), st.integers(2, 9))
def test_wherever_it_is_it_is_found_once(zero, points):
    x = [100 ** (k / (points - 1)) for k in range(points)]
    found = crossings(x, [(math.log(zero / value), 0.0) for value in x], lambda at: -math.log(at))
    assert [c.at for c in found] == pytest.approx([zero], rel=1e-9) and not found[0].rising
