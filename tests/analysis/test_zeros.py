"""Zeros of curves, exact and simulated."""

import math

import numpy as np
import pytest

from simulator.analysis.intervals import Estimate
from simulator.analysis.zeros import exact_zeros, simulated_zeros

X = np.linspace(0, 1, 65)


def exact(*curves):
    def values(which, at):
        return np.array([curves[int(k)](x) for k, x in zip(which, at, strict=True)])
    return exact_zeros(X, np.array([[curve(x) for x in X] for curve in curves]), values)


def test_all_zeros_of_several_curves():
    three, none, jump, flat = exact(lambda x: (x - 0.1) * (x - 0.33) * (x - 0.905), lambda x: x + 0.1,
                                    lambda x: 1 if x < 1 / 3 else -1, lambda x: 0.0)
    assert [zero.at for zero in three] == pytest.approx([0.1, 0.33, 0.905], abs=1e-14)
    assert [zero.rising for zero in three] == [True, False, True]
    assert none == [] and flat == []
    assert jump[0].at == pytest.approx(1 / 3, abs=1e-14) and not jump[0].rising


def noisy(curve, error, seed):
    """A curve that is off by the same normal everywhere, as on common draws."""
    off = float(np.random.default_rng(seed).normal(0, error)) if error else 0.0

    def value(x):
        calls.append(x)
        found = curve(x) + off
        return Estimate(found, error, found - 2 * error, found + 2 * error)
    calls = []
    return value, calls


@pytest.mark.parametrize(("curve", "shape", "zeros"), [
    (lambda x: math.exp(x) - 1.7, lambda x: math.exp(x) - 1.75, [math.log(1.7)]),
    (lambda x: math.exp(x) - 1.7, lambda x: 1.3 * math.exp(x) - 2.9, [math.log(1.7)]),
    (lambda x: (x - 0.2) * (x - 0.8), lambda x: (x - 0.25) * (x - 0.7), [0.2, 0.8]),
    (lambda x: x - 0.93, lambda x: x - 1.1, [0.93]),  # the shape has none
    (lambda x: x + 0.2, lambda x: x - 0.1, []),  # the shape alone has one
    (lambda x: x + 2, lambda x: x + 1, []),
])
def test_simulated_zeros_without_error(curve, shape, zeros):
    value, calls = noisy(curve, 0.0, 0)
    found, sign = simulated_zeros(X, np.array([shape(x) for x in X]), 0.0, value, value)
    assert [zero.at for zero in found] == pytest.approx(zeros, abs=1e-6)
    assert len(calls) <= 12 and (found or sign > 0)


def test_a_zero_where_the_shape_is_flat_is_found_if_there_is_any_doubt():
    rough, _ = noisy(lambda x: x - 0.93, 0.2, 0)
    value, _ = noisy(lambda x: x - 0.93, 0.0, 0)
    (zero,), _ = simulated_zeros(X, np.minimum(X, 0.5) - 0.6, 0.0, rough, value)
    assert zero.at == pytest.approx(0.93, abs=1e-6)


def test_a_jump_is_found_within_its_error():
    value, _ = noisy(lambda x: -1.0 if x < 0.4321 else 1.0, 0.01, 1)
    (zero,), _ = simulated_zeros(X, np.array([-1.0 if x < 0.45 else 1.0 for x in X]), 0.0, value, value)
    assert abs(zero.at - 0.4321) < 3 * zero.standard_error < 0.01 and zero.rising


def test_errors_of_zeros_are_those_of_values_by_the_slope():
    off = []
    for seed in range(200):
        value, calls = noisy(lambda x: 3 * x - 1, 0.02, seed)
        (zero,), _ = simulated_zeros(X, 2.5 * X - 0.9, 0.0, value, value)
        assert zero.standard_error == pytest.approx(0.02 / 3, rel=0.1) and len(calls) < 6
        off.append((zero.at - 1 / 3) / zero.standard_error)
    assert 0.85 < float(np.std(off)) < 1.15 and abs(float(np.mean(off))) < 0.25


def test_no_zero_where_the_curve_is_zero_throughout():
    value, _ = noisy(lambda x: 0.0, 0.0, 0)
    assert simulated_zeros(X, np.zeros(65), 0.0, value, value) == ([], 0.0)
