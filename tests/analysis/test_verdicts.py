"""The verdict on dominance, from replicates whose truth is known."""

import numpy as np
import pytest

from simulator.analysis.dominance import DOES_NOT, DOMINATES, EQUAL, UNDECIDED, largest_violation, verdict


def replicates(truth, spread, seed, count=32):
    return np.random.default_rng(seed).normal(truth, spread, (count, len(truth)))


def verdict_of(this, that):
    return verdict(largest_violation(this, that), largest_violation(that, this))


def test_equal_functions_are_equal():
    same = replicates([0.9, 0.5, 0.1], 0.01, 0)
    found = largest_violation(same, same * (1 + 1e-15), 0.001)
    assert (found.value, found.standard_error, found.low, found.high) == (0, 0, 0, 0.001)
    assert verdict_of(same, same * (1 + 1e-15)) == EQUAL


def test_rounding_of_large_numbers_is_no_violation():
    """Where sums all but cancel, what is left is compared with what they were."""
    this, that = np.tile([5.0, 0.3, 1e-15], (32, 1)), np.tile([5.0, 0.4, 0.0], (32, 1))
    assert largest_violation(this, that).value == 0 and verdict_of(this, that) == DOMINATES


def test_the_worst_point_counts():
    that = np.full((32, 3), 0.5)
    this = replicates([0.5, 0.7, 0.2], 0.01, 1)
    found = largest_violation(this, that)
    assert found.value == pytest.approx(0.2, abs=0.01) and found.standard_error == pytest.approx(0.01 / 32**0.5, rel=0.3)
    assert found.low < 0.2 < found.high and verdict_of(this, that) == DOES_NOT == verdict_of(that, this)


def test_below_everywhere_dominates_and_almost_below_is_left_open():
    that = np.full((32, 3), 0.5)
    assert verdict_of(replicates([0.4, 0.3, 0.2], 0.01, 2), that) == DOMINATES
    assert verdict_of(that, replicates([0.4, 0.3, 0.2], 0.01, 2)) == DOES_NOT
    below_but_one = replicates([0.4, 0.3, 0.2], 0.01, 2)
    below_but_one[:, 0] = 0.5
    below_but_one[0, 0] = 0.6  # in one replicate of 32
    assert verdict_of(below_but_one, that) == UNDECIDED


def test_below_by_chance_is_not_claimed():
    """Below everywhere in the trials, but by no more than their scatter."""
    that = np.full((32, 3), 0.5)
    noisy = replicates([0.5, 0.5, 0.5], 0.1, 3)
    noisy -= noisy.mean(axis=0) - 0.499
    assert largest_violation(noisy, that).value == 0 and verdict_of(noisy, that) == UNDECIDED


def test_what_is_certain_needs_no_error():
    assert verdict_of(np.full((16, 2), 1.001), np.full((16, 2), 1.0)) == DOES_NOT
    assert verdict_of(np.full((16, 2), 1.0), np.full((16, 2), 1.001)) == DOMINATES


def test_equal_truths_are_seldom_told_apart():
    """At 95 % for all points together: a violation where there is none is claimed in one case of 40, or seldomer."""
    flat = np.full(150, 0.5)
    claimed = sum(verdict_of(replicates(flat, 0.1, seed), replicates(flat, 0.1, -seed + 10_000)) == DOES_NOT
                  for seed in range(400))
    assert 0 < claimed < 22  # 10 expected of 400; 22 or more in one case of 1000
