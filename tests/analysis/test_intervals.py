"""Simulation errors against published ranks and closed forms."""

import math

import numpy as np
import pytest
from scipy import stats

from simulator.analysis import intervals
from simulator.analysis.intervals import Estimate


@pytest.mark.parametrize(("n", "ranks", "coverage"), [(974, (914, 937), 0.90950), (975, (915, 938), 0.90944)])
def test_order_statistic_ranks_are_the_known_ones(n, ranks, coverage):
    assert intervals.order_statistic_ranks(n, 0.95, 0.90) == ranks
    low, high = ranks
    # P(x_(low) ≤ q < x_(high)) is the chance of low … high − 1 values below the quantile.
    assert stats.binom.cdf(high - 1, n, 0.95) - stats.binom.cdf(low - 1, n, 0.95) == pytest.approx(coverage, abs=5e-6)


@pytest.mark.parametrize(("p", "n"), [(0.90, 29), (0.95, 59), (0.99, 299)])
def test_wilks_sample_sizes(p, n):
    # One-sided, 95 %: the largest of n exceeds the p-quantile. The two-sided interval at 90 % has that upper rank.
    assert 1 - p**n >= 0.95 > 1 - p ** (n - 1)
    assert intervals.order_statistic_ranks(n, p, 0.90)[1] == n
    with pytest.raises(ValueError, match="too few"):
        intervals.order_statistic_ranks(n - 1, p, 0.90)


@pytest.mark.parametrize("n", [10_000, 10**7, 10**9, 10**12])
def test_ranks_of_huge_samples_are_near_the_normal_ones(n):
    first, last = intervals.order_statistic_ranks(n, 0.05)
    half = 1.96 * math.sqrt(n * 0.05 * 0.95)
    assert first == pytest.approx(0.05 * n - half, abs=3 + half / 500)
    assert last == pytest.approx(0.05 * n + half, abs=3 + half / 500)


def test_sectioning_is_the_formula():
    values = np.array([1.0, 2.0, 4.0, 5.0])
    found = intervals.sectioning(2.5, values)
    error = math.sqrt(sum((v - 2.5) ** 2 for v in values) / 12)
    assert (found.value, found.standard_error) == pytest.approx((2.5, error))
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 3) * error)


def test_sectioning_of_equal_replicates_has_no_error():
    assert intervals.sectioning(3.0, np.full(32, 3.0)) == Estimate(3.0, 0.0, 3.0, 3.0)


@pytest.mark.parametrize("n", [100, 65536])
def test_unanimous_probabilities_have_clopper_pearson_bounds(n):
    never = intervals.probability(Estimate(0.0, 0.0, 0.0, 0.0), n)
    always = intervals.probability(Estimate(1.0, 0.0, 1.0, 1.0), n)
    assert never.high == pytest.approx(stats.beta.ppf(0.975, 1, n), rel=1e-9)
    assert always.low == pytest.approx(stats.beta.ppf(0.025, n, 1), rel=1e-9)
    assert never.low == 0.0 and always.high == 1.0


def test_a_tie_in_every_trial_has_bounds_too():
    tie = intervals.probability(Estimate(0.5, 0.0, 0.5, 0.5), 1000)
    assert tie.low < 0.5 < tie.high


def test_probabilities_stay_between_zero_and_one():
    assert intervals.probability(Estimate(0.99, 0.01, 0.97, 1.01), 10_000).high == 1.0


@pytest.mark.parametrize("n", [512, 4096, 10**6])
@pytest.mark.parametrize("expected", [0.5, 1, 2, 3, 5, 8, 12, 20, 29, 31, 100])
@pytest.mark.parametrize("often", [False, True])
def test_bounds_of_probabilities_hold_the_truth_however_rare(n, expected, often):
    """Summed over all counts that there may be: of independent trials in 95 % of cases or more; where bounds are only those of
    ± standard errors from some count on, as under balanced points, in 93 % at the least."""
    p = 1 - expected / n if often else expected / n
    reach = 12 * math.sqrt(expected) + 30
    seen = np.arange(max(round(n * p - reach), 0), min(round(n * p + reach), n) + 1)
    weights = stats.binom.pmf(seen, n, p)

    def coverage(independent):
        held = 0.0
        for count, weight in zip(seen, weights, strict=True):
            share = count / n
            error = math.sqrt(share * (1 - share) / n)
            bounds = intervals.probability(Estimate(share, error, share - 2.04 * error, share + 2.04 * error), n, independent)
            held += weight * (bounds.low <= p <= bounds.high)
        return held

    assert coverage(independent=True) >= 0.95
    assert coverage(independent=False) >= 0.93


def test_bounds_of_probabilities_are_those_of_scipy():
    for seen, n in [(0, 50), (1, 50), (17, 50), (50, 50), (123_456_789, 10**9)]:
        known = stats.binomtest(seen, n).proportion_ci(0.95, "exact")
        found = intervals.probability(Estimate(seen / n, 0.01, 0, 1), n, independent=True)
        assert (found.low, found.high) == pytest.approx((known.low, known.high), rel=1e-9)


@pytest.mark.parametrize(("n", "p", "rank"), [
    (100, 0.95, 95), (20, 0.05, 1), (32, 0.05, 2), (1000, 0.07, 70), (7, 1e-9, 1), (7, 1.0, 7)])
def test_quantile_rank_is_the_ceiling_without_rounding_errors(n, p, rank):
    assert intervals.quantile_rank(n, p) == rank


def test_one_trial_dominates():
    assert intervals.dominated_by_one_trial(10**6, 100.0, 1.01)
    assert not intervals.dominated_by_one_trial(10**6, 100.0, 0.99)
    assert not intervals.dominated_by_one_trial(1000, 100.0, 9.0), "a small sample may do this by itself"
    assert not intervals.dominated_by_one_trial(1000, 0.0, 0.0)
