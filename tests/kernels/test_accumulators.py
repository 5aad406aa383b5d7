"""Order keys, bins and block sums."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.kernels.accumulators import (
    EVEN_ZERO,
    LIMBS,
    add_beyond,
    block_moments,
    count_bins,
    order_keys,
    pick,
    position_of,
    sort_by_buckets,
)

finite = st.floats(allow_nan=False, allow_infinity=False)


def keys_of(values):
    values = np.asarray(values, float)
    keys = np.empty(values.size, np.uint64)
    order_keys(values, keys)
    return keys


@given(st.lists(finite, min_size=2, max_size=50))
def test_keys_are_ordered_as_the_numbers(values):
    by_value, by_key = np.sort(values), np.array(values)[np.argsort(keys_of(values), kind="stable")]
    np.testing.assert_array_equal(by_value, by_key)


@given(st.lists(finite, min_size=1, max_size=60), finite, st.integers(0, 63))
def test_each_value_falls_in_one_bin(values, low, shift):
    counts = np.zeros(16, np.int64)
    first = keys_of([low])[0]
    count_bins(np.array(values), first, shift, 0.0, counts)
    wanted = np.zeros(16, np.int64)
    for key in keys_of(values):
        steps = (int(key) - int(first)) >> shift
        wanted[0 if key < first else min(steps + 1, 15)] += 1
    np.testing.assert_array_equal(counts, wanted)


@given(st.lists(finite, min_size=1, max_size=60), finite, st.integers(0, 63), st.sets(st.integers(0, 15)))
def test_pick_takes_what_lies_in_flagged_bins(values, low, shift, chosen):
    values, first = np.array(values), keys_of([low])[0]
    flags = np.array([position in chosen for position in range(16)])
    kept = np.empty(values.size)
    wanted = []
    for value in values:
        counts = np.zeros(16, np.int64)
        count_bins(np.array([value]), first, shift, 0.0, counts)
        wanted += [value] if flags[np.argmax(counts)] else []
    assert kept[:pick(values, first, shift, 0.0, flags, kept)].tolist() == wanted


@given(st.lists(finite, min_size=1, max_size=60), finite)
def test_sums_beyond_an_edge_are_exact(values, edge):
    for high in (True, False):
        limbs = np.zeros(LIMBS, np.int64)
        add_beyond(np.array(values), edge, high, limbs)
        found = sum(Fraction(int(limb)) * Fraction(2) ** (32 * k - 1074) for k, limb in enumerate(limbs))
        assert found == sum(Fraction(x) for x in values if (x > edge if high else x < edge))


@given(st.lists(finite | st.sampled_from([0.0, -0.0, 1.0]), min_size=1, max_size=60) | st.lists(st.floats(1, 2), min_size=30))
def test_buckets_sort(values):
    values = np.array(values)
    ordered = np.empty_like(values)
    if sort_by_buckets(values, ordered):
        np.testing.assert_array_equal(ordered, np.sort(values))
    else:  # all equal or nearly, or far apart
        assert not 1e-300 < np.ptp(values) < 1e300 or values.size > 24


def test_block_moments_by_block():
    results = np.random.default_rng(1).standard_normal((3, 21))
    centres, sums = np.array([0.0, 1.0, -1.0]), np.empty((3, 3, 2))
    ends = np.tile([np.inf, -np.inf], (3, 1))
    assert block_moments(results, centres, 8, sums, ends) == -1
    for block in range(3):
        part = results[:, 8 * block:8 * (block + 1)] - centres[:, None]
        np.testing.assert_allclose(sums[block], np.stack([part.sum(axis=1), (part**2).sum(axis=1)], axis=1), atol=1e-12)
    np.testing.assert_array_equal(ends, np.stack([results.min(axis=1), results.max(axis=1)], axis=1))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_block_moments_say_where_a_result_is_not_finite(value):
    results = np.ones((2, 10))
    results[1, 6] = value
    ends = np.tile([np.inf, -np.inf], (2, 1))
    assert block_moments(results, np.zeros(2), 8, np.empty((2, 2, 2)), ends) == 6


@given(st.lists(finite | st.sampled_from([0.0, -0.0, 5e-324, -5e-324]), min_size=2, max_size=50), st.integers(-40, 40))
def test_even_positions_are_ordered_as_the_numbers_and_count_whole_units(values, power):
    values.sort(key=lambda value: (value, math.copysign(1, value)))
    found = [position_of(value, 2.0**power) for value in values]
    assert found == sorted(found)
    for value, position in zip(values, found, strict=True):
        if 0 < abs(value) < 1e5:
            assert position - EVEN_ZERO == math.floor(Fraction(value) * Fraction(2) ** power)
