"""The spread of a throughput: each component against a known answer, and against data made with a known spread."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.adapters.measurements import Measurement
from simulator.adapters.spread import Component, Spread, along, drift, interpolation, leave_one_out, repeatability
from simulator.study.frontier import Frontier

DAY = datetime.date(2026, 1, 1)


def run(throughput, days=0, configuration="x", hardware="h200", lengths=(8192, 1024)):
    return Measurement(50.0, throughput, (configuration, hardware), hardware, lengths, "fp8",
                       DAY + datetime.timedelta(days) if days is not None else None)


def test_components_add_in_quadrature_and_are_named():
    spread = Spread((Component("interpolation", 0.3, "x"), Component("repeatability", 0.04, "y"), Component("drift", 0.12, "z")))
    assert spread.sd == pytest.approx(math.sqrt(0.09 + 0.0016 + 0.0144))
    assert spread.in_words() == "interpolation 0.300 (x); repeatability 0.040 (y); drift 0.120 (z)"


def test_leaving_out_a_point_of_a_power_law_gives_no_error():
    frontier = Frontier((10.0, 20.0, 50.0, 90.0), tuple(3000 * x**-0.7 for x in (10, 20, 50, 90)))
    assert leave_one_out(frontier, 1) == pytest.approx(0, abs=1e-12)


def test_leaving_out_is_done_by_hand():
    # Two points are joined by a straight line in logs: at e, half way from 1 to e², the log is -1; the point has -0.2.
    frontier = Frontier((1.0, math.e, math.e**2), (1.0, math.exp(-0.2), math.exp(-2)))
    assert leave_one_out(frontier, 1) == pytest.approx(-0.8)
    share = math.sqrt((0.4**2 + 5 * 0.42**2) / 6)
    assert interpolation(frontier, 2.0).sd == pytest.approx(share * 0.2)
    assert interpolation(frontier, 5.0).sd == pytest.approx(share * 1.8)


def test_a_smooth_frontier_claims_no_less_than_a_uniform_error():
    x = tuple(float(v) for v in np.geomspace(10, 200, 40))
    frontier = Frontier(x, tuple(3000 / v for v in x))
    gap = math.log(x[1] / x[0])
    assert interpolation(frontier, x[7] * 1.01).sd == pytest.approx(max(gap / math.sqrt(12), 0.01))


@given(st.lists(st.tuples(st.floats(0.05, 1), st.floats(0.01, 2)), min_size=2, max_size=8), st.floats(0.001, 0.999))
def test_interpolation_stays_inside_its_bounds(steps, where):
    x = tuple(np.exp(np.cumsum([dx for dx, _ in steps])).tolist())
    y = tuple(np.exp(-np.cumsum([dy for _, dy in steps])).tolist())
    frontier = Frontier(x, y)
    gap = len(x) // 2
    sd = interpolation(frontier, x[gap - 1] * (x[gap] / x[gap - 1]) ** where).sd
    ratio = math.log(y[gap - 1] / y[gap])
    assert max(ratio / math.sqrt(12), 0.01) * (1 - 1e-9) <= sd <= max(ratio / 2, 0.01) * (1 + 1e-9)


@pytest.mark.parametrize("x", [10.0, 30.0, 90.0])
def test_on_a_measured_point_there_is_next_to_none(x):
    assert interpolation(Frontier((10.0, 30.0, 90.0), (900.0, 500.0, 20.0)), x).sd == 0.01


def test_the_spread_along_a_frontier_is_a_root_mean_square():
    # Two gaps of equal width, one flat within 0.01 and one steep.
    frontier = Frontier((1.0, 10.0, 100.0), (1.0, math.exp(-0.01), math.exp(-2.01)))
    steep = interpolation(frontier, 50.0).sd
    assert along(frontier, (Component("drift", 0.1, ""),)) == pytest.approx(math.sqrt((0.01**2 + steep**2) / 2 + 0.01), rel=1e-9)


def test_repeatability_is_that_of_the_data_and_not_that_of_a_change_of_software():
    rng = np.random.default_rng(1)
    runs = []
    for k in range(60):
        values = 1000 * np.exp(rng.normal(0, 0.01, 6))
        values[4:] *= 1.5  # a new version
        runs += [run(float(v), day, f"c{k}") for day, v in enumerate(values)]
    found = repeatability(runs, "h200")
    assert found.sd == pytest.approx(0.01, rel=0.25) and "300 pairs" in found.basis and "h200" in found.basis


def test_repeatability_of_other_hardware_and_of_nothing():
    other = [run(1000 * 1.02**k, k, hardware="b200") for k in range(12)]
    found = repeatability([*other, run(900)], "h200")
    assert found.sd == pytest.approx(math.log(1.02) / (0.6744897501960817 * math.sqrt(2))) and "all hardware" in found.basis
    assert repeatability([run(900), run(901)], "h200").sd == 0.014
    assert "not measured here" in repeatability([], "h200").basis


def test_runs_far_apart_or_of_different_configurations_repeat_nothing():
    assert "not measured" in repeatability([run(1000, 40 * k) for k in range(12)], "h200").basis
    assert "not measured" in repeatability([run(1000 + k, k, f"c{k}") for k in range(12)], "h200").basis
    assert "not measured" in repeatability([run(1000, 3)] * 12, "h200").basis, "a run that is listed twice is one"


def test_drift_is_the_sd_of_the_changes_about_a_gain():
    changes = [1.05, 1.1, 1.3, 1.12]
    runs = [run(v, day, f"c{k}") for k, change in enumerate(changes) for day, v in ((0, 1000), (30, 1700), (75, 1000 * change))]
    found = drift(runs, "h200", (8192, 1024))
    assert found.sd == pytest.approx(np.std(np.log(changes), ddof=1)) and "software_gain" in found.basis


def test_a_mean_loss_counts_in_full():
    runs = [run(v, day, f"c{k}") for k in range(3) for day, v in ((0, 1000), (75, 850))]
    found = drift(runs, "h200", (8192, 1024))
    assert found.sd == pytest.approx(-math.log(0.85)) and "×0.85" in found.basis and "counted in" in found.basis


def test_drift_falls_back_in_steps():
    elsewhere = [run(v, day, f"c{k}", lengths=(1024, 1024)) for k, c in enumerate((1.0, 1.2, 1.4))
                 for day, v in ((0, 1000), (60, 1000 * c))]
    assert "at all lengths" in drift(elsewhere, "h200", (8192, 1024)).basis
    others = [run(v, day, f"c{k}", hardware=name) for name, width in (("a", 0.1), ("b", 0.5), ("c", 0.2))
              for k, sign in enumerate((-1, 0, 1)) for day, v in ((0, 1000), (80, 1000 * math.exp(sign * width)))]
    found = drift(others, "h200", (8192, 1024))
    assert found.sd == pytest.approx(0.2) and "median of a 0.1, b 0.5, c 0.2" in found.basis
    assert drift([run(1000), run(2000, 59)], "h200", (8192, 1024)).sd == 0.056, "59 days are not 60"
    assert drift([run(1000, None), run(2000, None)], "h200", (8192, 1024)).sd == 0.056, "no dates"
