"""Addressable uniforms: Philox against NumPy's, Sobol' against SciPy's, scrambles against what defines them."""

import numpy as np
import pytest
from scipy.stats import kstest, qmc

from simulator.engine.sobol_directions import MAX_DIMENSIONS, direction_numbers
from simulator.kernels import uniforms


def philox_uniforms(seed, stream, replicate, dimension, first, n):
    u = np.empty(n)
    uniforms.random_uniforms(np.uint64(seed), np.uint64(stream), replicate, dimension, first, u)
    return u


def scrambled_points(dimension, bits, seed, stream, replicate, first, n):
    columns = np.empty(bits + 1, np.uint64)
    uniforms.scramble_columns(direction_numbers(dimension, bits), np.uint64(seed), np.uint64(stream), replicate, 0, columns)
    return sobol(columns, first, n)


def sobol(columns, first, n):
    u = np.empty(n)
    uniforms.sobol_uniforms(columns, first, np.empty(n, np.uint64), u)
    return u


@pytest.mark.parametrize("first", [4, 8, 1000])
def test_random_is_numpys_philox(first):
    seed, stream, replicate, dimension = 2**63 + 5, 2**64 - 7, 3, 11
    # NumPy counts up before it draws, so its counter begins one lower.
    raw = np.random.Philox(counter=[first // 4 - 1, dimension, replicate, 0], key=[seed, stream]).random_raw(1001)
    wanted = ((raw >> np.uint64(12)).astype(float) + 0.5) / 2.0**52
    np.testing.assert_array_equal(philox_uniforms(seed, stream, replicate, dimension, first, 1001), wanted)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 5, 517])
def test_random_uniforms_depend_on_the_trial_alone(first):
    whole = philox_uniforms(0, 1, 0, 0, 0, 2000)
    np.testing.assert_array_equal(philox_uniforms(0, 1, 0, 0, first, 700), whole[first:first + 700])


@pytest.mark.parametrize("dimension", [0, 1, 2, 7, 100, 5000, MAX_DIMENSIONS - 1])
def test_unscrambled_points_are_scipys(dimension):
    n = 1024
    reference = qmc.Sobol(dimension + 1, scramble=False, bits=30).random(n)[:, dimension]
    columns = np.concatenate([[0], direction_numbers(dimension, 12)]).astype(np.uint64)
    gray = np.arange(n) ^ (np.arange(n) >> 1)  # SciPy visits the points in Gray code order
    np.testing.assert_allclose(sobol(columns, 0, n)[gray], np.maximum(reference, 1e-12), rtol=0, atol=2.0**-52)


def test_direction_numbers_have_64_bits():
    numbers = direction_numbers(20_000, 63)
    assert all(int(word) >> (63 - k) & 1 for k, word in enumerate(numbers)), "a generating matrix has ones on its diagonal"
    assert all(int(word) & ((1 << (63 - k)) - 1) == 0 for k, word in enumerate(numbers))


@pytest.mark.parametrize("replicate", range(4))
def test_scrambled_points_fill_every_cell_once(replicate):
    n = 4096
    for dimension in (0, 3, 9000):
        u = scrambled_points(dimension, 20, 7, 99, replicate, 0, n)
        assert sorted(np.floor(u * n).astype(int)) == list(range(n))
        # And so does every aligned run of a power of two.
        assert sorted(np.floor(u[512:1024] * 512).astype(int)) == list(range(512))


def test_scrambling_keeps_the_net_of_the_first_two_dimensions():
    points = np.array([scrambled_points(dimension, 12, 1, dimension + 5, 0, 0, 256) for dimension in (0, 1)])
    for k in range(9):  # elementary boxes 2^−k by 2^−(8−k), one point each
        cells = np.floor(points[0] * 2**k) * 2 ** (8 - k) + np.floor(points[1] * 2 ** (8 - k))
        assert len(set(cells)) == 256


def test_scrambled_points_are_uniform_over_scrambles():
    # One fixed point of the sequence, over many scrambles, is uniform: estimates have no bias.
    first = np.array([scrambled_points(5, 10, seed, 3, replicate, 0, 2)[1] for seed in range(60) for replicate in range(40)])
    assert kstest(first, "uniform").pvalue > 1e-3


def test_replicates_seeds_and_streams_give_different_scrambles():
    points = [scrambled_points(2, 12, seed, stream, replicate, 0, 64)
              for seed, stream, replicate in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]]
    assert len({tuple(found) for found in points}) == 4


def test_points_depend_on_their_index_alone():
    whole = scrambled_points(6, 14, 0, 0, 0, 0, 4096)
    for first, n in [(0, 16), (1024, 1024), (2048, 512), (4080, 16)]:
        np.testing.assert_array_equal(scrambled_points(6, 14, 0, 0, 0, first, n), whole[first:first + n])


def test_uniforms_stay_off_the_ends():
    everything = np.concatenate([scrambled_points(1, 20, 2, 2, 2, 0, 2**16), philox_uniforms(1, 2, 3, 4, 5, 2**16)])
    assert everything.min() >= 1e-12 and everything.max() <= 1 - 1e-12


def latin(count, first=0, n=None, seed=3, stream=9, replicate=2, dimension=4):
    u = np.empty(count if n is None else n)
    uniforms.latin_hypercube_uniforms(np.uint64(seed), np.uint64(stream), replicate, dimension, first, count, u)
    return u


@pytest.mark.parametrize("count", [16, 17, 100, 1000, 4096, 12345])
def test_every_stratum_of_a_latin_hypercube_holds_one_point(count):
    u = latin(count)
    assert sorted(np.floor(u * count).astype(int)) == list(range(count))
    assert kstest(u * count % 1, "uniform").pvalue > 1e-4, "within its stratum a point is uniform"


def test_a_point_of_a_latin_hypercube_depends_on_its_trial_alone():
    whole = latin(1000)
    for first in (0, 256, 768):
        n = min(256, 1000 - first)
        np.testing.assert_array_equal(latin(1000, first, 256)[:n], whole[first:first + n])


def test_dimensions_and_replicates_of_latin_hypercubes_are_independent():
    addresses = ((0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 0, 2))
    points = np.array([latin(4096, dimension=d, replicate=r, stream=s) for d, r, s in addresses])
    correlation = np.corrcoef(points) - np.eye(4)
    assert np.abs(correlation).max() < 5 / np.sqrt(4096)
    # Neighbouring trials, too.
    assert abs(np.corrcoef(points[0][:-1], points[0][1:])[0, 1]) < 5 / np.sqrt(4096)
    cells = np.histogram2d(points[0], points[1], bins=8)[0]
    assert ((cells - 64) ** 2 / 64).sum() < 120  # χ² with 49 degrees of freedom, roughly


def test_antithetic_pairs_are_complements():
    u = np.empty(513)
    uniforms.antithetic_uniforms(np.uint64(1), np.uint64(2), 0, 5, 256, u)
    np.testing.assert_array_equal(u[1::2], 1 - u[:-1:2])
    np.testing.assert_array_equal(u[::2], philox_uniforms(1, 2, 0, 5, 128, 257))
