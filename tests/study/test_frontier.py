"""The frontier: the Pareto set against brute force, the interpolation against SciPy and known answers."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from simulator.study.frontier import Frontier, OutsideFrontierError, pareto

# Few different values, so that ties are common.
POINTS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12)
CURVES = st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.01, 2)), min_size=2, max_size=8)


def beaten(point, points):
    return any(x >= point[0] and y >= point[1] and (x, y) != point for x, y in points)


@given(POINTS)
def test_the_pareto_set_is_that_of_brute_force(points):
    kept = [points[k] for k in pareto(*zip(*points, strict=True))] if points else [points[k] for k in pareto([], [])]
    assert kept == sorted({point for point in points if not beaten(point, points)})


@given(POINTS)
def test_nothing_measured_lies_beyond_the_pareto_set(points):
    kept = [points[k] for k in pareto([x for x, _ in points], [y for _, y in points])]
    assert all(any(x >= a and y >= b for x, y in kept) for a, b in points)
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(kept))


def test_of_equal_points_the_first_is_kept():
    assert pareto([2, 1, 2, 1], [5, 9, 5, 9]) == [1, 0]


def from_steps(steps):
    """Rising interactivity and falling throughput from positive steps of the logs."""
    return Frontier(tuple(np.exp(np.cumsum([dx for dx, _ in steps])).tolist()),
                    tuple((1e4 * np.exp(-np.cumsum([dy for _, dy in steps]))).tolist()))


@given(CURVES)
def test_it_passes_through_its_points_falls_between_them_and_agrees_with_scipy(steps):
    frontier = from_steps(steps)
    for x, y in zip(frontier.interactivity, frontier.throughput, strict=True):
        assert frontier.throughput_at(x) == y
    grid = np.exp(np.linspace(math.log(frontier.low), math.log(frontier.high), 60))[1:-1]
    values = np.array([frontier.throughput_at(x) for x in grid])
    assert np.all(np.diff(values) <= 1e-12 * values[:-1])
    assert np.all((values <= frontier.throughput[0]) & (values >= frontier.throughput[-1] * (1 - 1e-12)))
    independent = np.exp(PchipInterpolator(np.log(frontier.interactivity), np.log(frontier.throughput))(np.log(grid)))
    np.testing.assert_allclose(values, independent, rtol=1e-12)


@given(st.floats(0.05, 5), st.floats(1, 1e5), st.floats(0, 1))
def test_a_power_law_is_met_exactly(power, level, where):
    x = (10.0, 13.0, 40.0, 41.0, 200.0)
    frontier = Frontier(x, tuple(level * value**-power for value in x))
    at = 10 * 20**where
    assert frontier.throughput_at(at) == pytest.approx(level * at**-power, rel=1e-10)


def test_a_known_answer():
    # Slopes of the log: -1 and -2 over equal steps; the harmonic mean at the middle point is -4/3, the ends are -1/2, -5/2.
    frontier = Frontier((1.0, math.e, math.e**2), (1.0, math.exp(-1), math.exp(-3)))
    # Hermite cubic at the middle of the first step: (y0 + y1)/2 + h (d0 - d1)/8.
    assert math.log(frontier.throughput_at(math.exp(0.5))) == pytest.approx(-0.5 + (-0.5 + 4 / 3) / 8, rel=1e-12)


@pytest.mark.parametrize("outside", [9.99, 100.01, 0.001, 1e9, math.nan, -3.0, 0.0])
def test_nothing_is_extrapolated(outside):
    frontier = Frontier((10.0, 100.0), (500.0, 50.0))
    with pytest.raises(OutsideFrontierError, match=r"from 10 to 100 token/s/user.*nothing is extrapolated"):
        frontier.throughput_at(outside)


def test_the_range_in_words_is_inside_the_range():
    frontier = Frontier((9.424859, 124.450512), (2453.9, 140.66))
    assert frontier.measured_range() == "from 9.425 to 124.4 token/s/user"
    assert frontier.contains(9.425) and frontier.contains(124.4)


def test_one_point_is_a_range_of_its_own():
    frontier = Frontier((50.0,), (1000.0,))
    assert frontier.throughput_at(50) == 1000 and frontier.measured_range() == "at 50 token/s/user only"
    with pytest.raises(OutsideFrontierError):
        frontier.throughput_at(51)


def test_a_narrow_range_is_not_rounded_away():
    assert Frontier((50.001, 50.004), (2.0, 1.0)).measured_range() == "from 50.001 to 50.004 token/s/user"


@pytest.mark.parametrize(("interactivity", "throughput", "spread"), [
    ((), (), 0.1), ((1.0,), (1.0, 2.0), 0.1), ((1.0, 2.0), (1.0, 2.0), 0.1), ((2.0, 1.0), (2.0, 1.0), 0.1),
    ((1.0, 1.0), (2.0, 1.0), 0.1), ((1.0, 2.0), (1.0, 1.0), 0.1), ((0.0, 2.0), (2.0, 1.0), 0.1),
    ((1.0, 2.0), (2.0, -1.0), 0.1), ((1.0, math.nan), (2.0, 1.0), 0.1), ((1.0, 2.0), (2.0, 1.0), -0.1)])
def test_what_is_no_frontier_is_refused(interactivity, throughput, spread):
    with pytest.raises(ValueError, match="expected"):
        Frontier(interactivity, throughput, spread)
