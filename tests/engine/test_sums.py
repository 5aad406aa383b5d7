"""Sums over blocks do not depend on how blocks are grouped."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.sums import TreeSum, nodes_of


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
