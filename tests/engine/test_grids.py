"""Bins hold what their edges say, whatever they are laid over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.grids import grid_about, keys_of

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=2, max_size=40), st.lists(finite | st.sampled_from([0.0, -0.0]), min_size=1, max_size=40),
       st.sampled_from([64, 4096]))
def test_every_value_lies_between_the_edges_of_its_bin(pilot, values, bins):
    with np.errstate(over="ignore"):
        grid = grid_about(np.array(pilot), bins)
    for value in values:
        counts = np.zeros(bins, np.int64)
        grid.count(np.array([value]), counts)
        position, key = int(np.argmax(counts)), int(keys_of(np.array([value]))[0])
        assert counts.sum() == 1 and grid.bin_of(key) == position
        assert grid.first_key(position) <= key <= grid.last_key(position)


@pytest.mark.parametrize("centre", [0.0, 0.3, 1.0])
def test_values_of_both_signs_are_told_apart(centre):
    values = np.random.default_rng(0).normal(centre, 1, 100_000)
    grid = grid_about(values[:256], 4096)
    counts = np.zeros(4096, np.int64)
    grid.count(values, counts)
    assert counts[1:-1].max() < 200 and counts[[0, -1]].max() < 2000


def test_a_constant_has_a_bin_of_its_own():
    grid = grid_about(np.full(256, 2.5), 4096)
    key = int(keys_of(np.array([2.5]))[0])
    assert grid.first_key(grid.bin_of(key)) == grid.last_key(grid.bin_of(key)) == key
