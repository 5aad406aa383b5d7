"""Sums over blocks do not depend on how blocks are grouped; exact sums on nothing."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.sums import TreeSum, carried, exact, exact_sum, joined, nodes_of, rounded, sum_of_limbs
from simulator.kernels.accumulators import LIMBS


def summed(blocks, chunk):
    total = TreeSum()
    for first in range(0, len(blocks), chunk):
        total.add(nodes_of(blocks[first:first + chunk]))
    return total.total()


@given(st.integers(1, 200), st.integers(0, 8), st.integers(0, 2**32))
def test_any_power_of_two_of_blocks_to_a_chunk_gives_the_same_bits(count, level, seed):
    blocks = np.random.default_rng(seed).lognormal(0, 5, (count, 3))
    np.testing.assert_array_equal(summed(blocks, 1 << level), summed(blocks, 1))
    np.testing.assert_allclose(summed(blocks, 1), blocks.sum(axis=0), rtol=1e-12)


@given(st.integers(1, 200), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32))
def test_parts_that_are_joined_before_they_are_added_give_the_same_bits(count, level, more, seed):
    blocks = np.random.default_rng(seed).lognormal(0, 5, (count, 3))
    size, total = 1 << level, TreeSum()
    for first in range(0, count, size << more):
        part = blocks[first:first + (size << more)]
        total.add(joined(nodes_of(part[k:k + size]) for k in range(0, len(part), size)))
    np.testing.assert_array_equal(total.total(), summed(blocks, 1))


@given(st.lists(st.floats(-1e300, 1e300) | st.sampled_from([5e-324, -0.0, 1.0, 2.0**-1022])))
def test_exact_sums_are_rounded_once(values):
    assert rounded(exact_sum(np.array(values))) == math.fsum(values)
    assert exact_sum(np.array(values)) == sum(map(exact, values))


@given(st.lists(st.integers(-2**62, 2**62), min_size=LIMBS, max_size=LIMBS))
def test_what_is_carried_is_the_same_sum_with_room_for_more(limbs):
    limbs = np.array(limbs)
    limbs[-1] >>= 30  # the highest one takes what is carried to it
    small = carried(np.stack([limbs, -limbs]))
    assert sum_of_limbs(small[0]) == sum_of_limbs(limbs) == -sum_of_limbs(small[1])
    assert np.all(np.abs(small[:, :-1]) < 2**33)
    again = carried(small)
    assert sum_of_limbs(again[0]) == sum_of_limbs(limbs)


def test_an_exact_sum_may_be_too_large_for_a_double():
    assert rounded(2 * exact(1.7e308)) == math.inf and rounded(2 * exact(-1.7e308)) == -math.inf
