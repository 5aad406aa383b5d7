"""Summaries of values: any way of keeping and counting them gives the order statistics and tails of all of them."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.brackets import Brackets, Tail, ascending, merged, summarised
from simulator.engine.sums import exact
from simulator.kernels.accumulators import LIMBS

value = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -0.0, 1.0, 1.5, 2.0, np.nextafter(2.0, 3), -1.5, 1e300, 5e-324])
ends = st.lists(value | st.sampled_from([-math.inf, math.inf]), min_size=4, max_size=4)


def brackets_of(ends, tied, tail):
    """Two brackets that may overlap."""
    low, high = (np.array(of) for of in zip(*(sorted(pair) for pair in (ends[:2], ends[2:])), strict=True))
    finite = np.isfinite(low), np.isfinite(high)
    return Brackets.of(low, high, (tied & finite[0], tied & finite[1]), tail)


def summary(values, brackets):
    counts, limbs = np.zeros(brackets.cuts.size, np.int64), np.zeros(LIMBS, np.int64)
    kept = brackets.sort(np.array(values), counts, limbs, np.empty((2, len(values))))
    return summarised(brackets, [kept], counts, limbs)


@given(st.lists(st.tuples(st.lists(value, min_size=1, max_size=30), ends, st.booleans()), min_size=1, max_size=3),
       st.lists(ends, max_size=2), st.booleans(), st.integers(0, 1))
def test_what_lies_in_brackets_is_as_sorting_gives_it(parts, narrower, high, quantile):
    tail = Tail(quantile, high)
    found = merged([summary(values, brackets_of(ends, tied, tail)) for values, ends, tied in parts])
    for ends in narrower:
        found = found.within(brackets_of(ends, True, tail))
    ordered = np.sort(np.concatenate([values for values, _, _ in parts]))
    assert found.size == ordered.size
    ranks = np.arange(1, ordered.size + 1)
    statistics = found.ordered(ranks)
    inside = (found.low[quantile] <= ordered) & (ordered <= found.high[quantile])
    np.testing.assert_array_equal(statistics[inside], ordered[inside])
    # What is missed is seen to be.
    assert not ((found.low[quantile] <= statistics) & (statistics <= found.high[quantile]) & ~inside).any()
    for rank in ranks[inside]:
        beyond = ordered[rank:] if high else ordered[:rank - 1]
        assert found.tail_sum(tail, float(ordered[rank - 1]), int(rank)) == sum(exact(x) for x in beyond)


@given(st.lists(value, min_size=1, max_size=60), ends, st.booleans())
def test_places_are_as_cut(values, ends, tied):
    brackets = brackets_of(ends, np.array([tied, tied]), None)
    counts, limbs = np.zeros(brackets.cuts.size, np.int64), np.zeros(LIMBS, np.int64)
    kept = brackets.sort(np.array(values), counts, limbs, np.empty((2, len(values))))
    places = brackets.cuts.searchsorted(values)
    np.testing.assert_array_equal(counts, np.bincount(places, minlength=counts.size))
    assert kept.tolist() == [x for x, place in zip(values, places, strict=True) if brackets.keep[place]]
    inside = (brackets.low[:, None] <= values) & (np.array(values) <= brackets.high[:, None])
    known = (brackets.keep[places] > 0) | brackets.single[places]
    assert known[inside.any(axis=0)].all() and not (brackets.keep[places] > 0)[~inside.any(axis=0)].any()


def test_brackets_of_chance_hold_their_order_statistics():
    rng, shares = np.random.default_rng(3), np.array([0.0, 0.05, 0.5, 1.0])
    everything = Brackets.everything(len(shares), None)
    for _ in range(200):
        values = rng.lognormal(size=6000)
        brackets = summary(values[:2000], everything).brackets((shares, shares), math.sqrt(1 / 2000 + 1 / 4000), None)
        ranks = np.maximum(np.ceil(4000 * shares), 1).astype(int)
        others = np.sort(values[2000:])[ranks - 1]
        assert ((brackets.low <= others) & (others <= brackets.high)).all()
    assert brackets.low[0] == -math.inf and brackets.high[-1] == math.inf
    assert (brackets.high - brackets.low)[1] < 0.3


def test_ascending_is_sorted():
    for values in (np.random.default_rng(0).lognormal(0, 9, 3000), np.ones(3000), np.array([]), np.array([2.0, -1.0])):
        np.testing.assert_array_equal(ascending([values[:1], values[1:]]), np.sort(values))


def test_exact_is_a_whole_number_of_the_least_double():
    assert all(Fraction(x) == Fraction(exact(x), 2**1074) for x in (5e-324, 0.1, -3.0, 1.7e308))
