"""Sums over blocks do not depend on how blocks are grouped; exact sums on nothing."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.sums import TreeSum, exact, exact_sum, nodes_of, rounded


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


@given(st.lists(st.floats(-1e300, 1e300) | st.sampled_from([5e-324, -0.0, 1.0, 2.0**-1022])))
def test_exact_sums_are_rounded_once(values):
    assert rounded(exact_sum(np.array(values))) == math.fsum(values)
    assert exact_sum(np.array(values)) == sum(map(exact, values))


def test_an_exact_sum_may_be_too_large_for_a_double():
    assert rounded(2 * exact(1.7e308)) == math.inf and rounded(2 * exact(-1.7e308)) == -math.inf
