"""Addressable uniforms: each is a pure function of (seed, stream, replicate, trial, dimension).

Three samplers. `random` is Philox 4x64-10 (Salmon et al., SC11), the generator of `numpy.random.Philox`; antithetic
pairs of it are u and 1 − u in neighbouring trials. `latin_hypercube` puts the trials of a replicate into equal strata, each
once, by a permutation that is computed where it is needed (a Feistel network; Kensler, Pixar TM 13-01 (2013), has the idea).
`sobol` is the Sobol' sequence with the direction numbers of Joe and Kuo (2008) and, for each replicate and
input, a fresh random linear scramble with a digital shift (Matoušek 1998). That has the same variance as Owen's
nested scrambling (Owen 2003), and because it is linear a block of points costs one XOR a point.
"""

from __future__ import annotations

import numpy as np

from simulator.kernels.elementary import SMALLEST_UNIFORM
from simulator.kernels.jit import double_of, inline, jit

WORD_BITS = 64
_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_LOW32 = np.uint64(0xFFFFFFFF)
_U32 = np.uint64(32)
_ONE = np.uint64(1)
# What a Philox counter's last word is for, so that trials and scrambles never share a number.
_FOR_TRIALS, _FOR_SCRAMBLES, _FOR_PERMUTATIONS = 0, 1, 2
_ROUNDS = 6  # of the Feistel network


@inline
def _high_product(a, b):
    """Upper 64 bits of the 128-bit product of two uint64."""
    al, ah, bl, bh = a & _LOW32, a >> _U32, b & _LOW32, b >> _U32
    middle = ah * bl + ((al * bl) >> _U32)
    other = al * bh + (middle & _LOW32)
    return ah * bh + (middle >> _U32) + (other >> _U32)


@inline
def philox(c0, c1, c2, c3, k0, k1):
    """Four uint64 from a counter of four and a key of two: Philox 4x64 with ten rounds."""
    for _ in range(10):
        h0, l0 = _high_product(_M0, c0), _M0 * c0
        h1, l1 = _high_product(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0, k1 = k0 + _W0, k1 + _W1
    return c0, c1, c2, c3


@inline
def _to_uniform(word):
    """A uint64 to the middle of one of 2^52 equal cells of (0, 1), kept off the last 1e-12 at each end."""
    x = double_of(np.int64((word >> np.uint64(12)) | np.uint64(0x3FF0000000000000))) - (1.0 - 2.0**-53)
    return min(max(x, SMALLEST_UNIFORM), 1.0 - SMALLEST_UNIFORM)


@jit
def random_uniforms(seed, stream, replicate, dimension, first, u):
    """u[i] = the uniform of trial first + i; seed, stream uint64; the rest int64; u float64[n], filled."""
    k0, k1 = np.uint64(seed), np.uint64(stream)
    c1, c2, c3 = np.uint64(dimension), np.uint64(replicate), np.uint64(_FOR_TRIALS)
    i = 0
    while i < u.size:
        trial = first + i
        words = philox(np.uint64(trial >> 2), c1, c2, c3, k0, k1)
        for lane in range(trial & 3, 4):
            if i < u.size:
                u[i] = _to_uniform(words[lane])
                i += 1


@jit
def antithetic_uniforms(seed, stream, replicate, dimension, first, u):
    """Uniforms of pairs of trials: 2k takes that of number k, 2k + 1 its complement. `first` is even; u float64[n], filled."""
    half = (u.size + 1) // 2
    random_uniforms(seed, stream, replicate, dimension, first // 2, u[:half])
    for i in range(half - 1, -1, -1):
        drawn = u[i]
        if 2 * i + 1 < u.size:
            u[2 * i + 1] = 1.0 - drawn
        u[2 * i] = drawn


@jit
def latin_hypercube_uniforms(seed, stream, replicate, dimension, first, count, u):
    """u[i] = the point of trial first + i among `count`, of which each of `count` equal strata holds one.

    Within its stratum a point is uniform: (permutation(trial) + random) / count. Lanes from `count` on repeat earlier strata.
    """
    random_uniforms(seed, stream, replicate, dimension, first, u)
    keys = philox(np.uint64(0), np.uint64(dimension), np.uint64(replicate), np.uint64(_FOR_PERMUTATIONS), np.uint64(seed),
                  np.uint64(stream))
    bits = 1
    while (np.int64(1) << (2 * bits)) < count:
        bits += 1
    for i in range(u.size):
        place = permuted(np.uint64((first + i) % count), np.uint64(count), np.uint64(bits), keys[0], keys[1])
        u[i] = min(max((np.int64(place) + u[i]) / count, SMALLEST_UNIFORM), 1.0 - SMALLEST_UNIFORM)


@inline
def permuted(value, count, bits, key, other):
    """A permutation of 0 … count − 1, all uint64: a Feistel network on 2·bits bits, walked until it is back in the range."""
    mask = (_ONE << bits) - _ONE
    while True:
        left, right = value >> bits, value & mask
        for turn in range(_ROUNDS):
            # A round mixes one half with the keys: multiply and fold, twice.
            mixed = (right ^ (key + np.uint64(turn) * _W0)) * _M0
            mixed = (mixed ^ (mixed >> _U32) ^ other) * _M1
            left, right = right, left ^ ((mixed ^ (mixed >> np.uint64(29))) & mask)
        value = (left << bits) | right
        if value < count:
            return value


@jit
def scramble_columns(columns, seed, stream, replicate, dimension, scrambled):
    """Scramble one dimension's generating matrix and draw its digital shift.

    columns   uint64[bits]: direction numbers, first binary digit in the highest bit
    scrambled uint64[1 + bits], filled: the shift, then the scrambled columns
    """
    rows = np.empty(WORD_BITS, np.uint64)
    k0, k1 = np.uint64(seed), np.uint64(stream)
    c1, c2, c3 = np.uint64(dimension), np.uint64(replicate), np.uint64(_FOR_SCRAMBLES)
    for quarter in range(WORD_BITS // 4):
        words = philox(np.uint64(quarter), c1, c2, c3, k0, k1)
        for lane in range(4):
            # Row i: a one on the diagonal, random digits before it (higher bits), nothing after.
            i = np.uint64(4 * quarter + lane)
            diagonal = np.uint64(0x8000000000000000) >> i
            rows[np.int64(i)] = (words[lane] & ~((diagonal << _ONE) - _ONE)) | diagonal
            if i == np.uint64(0):
                rows[0] = diagonal
    scrambled[0] = philox(np.uint64(WORD_BITS), c1, c2, c3, k0, k1)[0]
    for c in range(columns.size):
        word = np.uint64(0)
        for i in range(WORD_BITS):
            x = rows[i] & columns[c]
            for shift in (32, 16, 8, 4, 2, 1):
                x ^= x >> np.uint64(shift)
            word |= (x & _ONE) << np.uint64(WORD_BITS - 1 - i)
        scrambled[1 + c] = word


@jit
def sobol_uniforms(scrambled, first, words, u):
    """u[i] = the scrambled Sobol' point first + i of one dimension.

    scrambled uint64[1 + bits] from `scramble_columns`; u float64[n], filled; words uint64[n], overwritten.
    `first` is a multiple of n rounded up to a power of two, and first + n ≤ 2^bits.
    """
    n = u.size
    base = scrambled[0]
    bit, high = 0, first
    while high > 0:
        if high & 1:
            base ^= scrambled[1 + bit]
        high >>= 1
        bit += 1
    words[0] = base
    filled, bit = 1, 0
    while filled < n:
        # The points are linear in the digits of their index: each digit doubles the block with one XOR.
        column = scrambled[1 + bit]
        more = min(filled, n - filled)
        for i in range(more):
            words[filled + i] = words[i] ^ column
        filled += more
        bit += 1
    for i in range(n):
        u[i] = _to_uniform(words[i])
