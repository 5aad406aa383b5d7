"""Boxes are found where they were put, with as few sides as it takes."""

import numpy as np
import pytest

from simulator.analysis.boxes import Side, find_box, inside
from simulator.analysis.ranks import ranked
from simulator.kernels.ranks import bin_positions

BINS, N = 64, 16384


def uniform_places(columns, seed=0):
    return np.random.default_rng(seed).integers(0, BINS, (columns, N))


@pytest.mark.parametrize("sides", [
    (Side(3, False, 20),), (Side(1, True, 40), Side(4, False, 23)), (Side(0, True, 16), Side(0, False, 47), Side(7, True, 31))])
def test_a_box_is_found_where_it_was_put(sides):
    places = uniform_places(12)
    found = find_box(places, BINS, inside(places, sides))
    assert found == sides


def test_a_box_is_found_in_noise():
    places = uniform_places(30, 1)
    sides = (Side(2, True, 38), Side(9, False, 25))
    chance = np.where(inside(places, sides), 0.8, 0.03)
    found = find_box(places, BINS, np.random.default_rng(2).random(N) < chance)
    assert [(side.column, side.is_low) for side in found] == [(2, True), (9, False)]
    assert all(abs(side.bin - right.bin) <= 2 for side, right in zip(found, sides, strict=True))


def test_no_box_where_nothing_tells_hits_from_others():
    places = uniform_places(10, 3)
    assert len(find_box(places, BINS, np.random.default_rng(4).random(N) < 0.3)) <= 1
    assert find_box(places, BINS, np.zeros(N, bool)) == () == find_box(places, BINS, np.ones(N, bool))


def test_no_more_sides_than_are_asked_for():
    places = uniform_places(8, 5)
    hit = (places >= 20).all(axis=0)
    assert len(find_box(places, BINS, hit)) == 4 and len(find_box(places, BINS, hit, 2)) == 2


@pytest.mark.parametrize("values", [
    np.random.default_rng(0).normal(size=5000), np.round(np.random.default_rng(0).normal(size=5000)),
    np.where(np.random.default_rng(0).random(5000) < 0.93, 1.0, 6.0), np.full(5000, 2.0)])
def test_bins_hold_about_as_many_and_equal_values_together(values):
    places, edges = np.empty(5000, np.int64), np.empty(BINS + 1)
    count = bin_positions(ranked(values[None]).order[0], values, BINS, places, edges)
    assert np.array_equal(places, np.searchsorted(edges[1:count], values, "right"))
    assert count == places.max() + 1 <= BINS
    if len(np.unique(values)) == 5000:
        assert count == BINS and np.ptp(np.bincount(places)) <= 1
