"""Intervals at 95 % hold the true value in 93 to 97 % of runs: for each sampler and each kind of statistic.

Small runs, each with a seed of its own, of studies whose answers are known in closed form. By hand, `pytest -m slow -s
tests/reference/test_coverage.py` runs 2000 of each and prints the coverages, which docs/statistics.md shows; every build runs a
few, which would see an interval that is half as wide, or a bias of one and a half standard errors.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from lognormals import NORMAL, lognormal, lognormal_statistics, regrets, rented, study, two_lognormals
from scipy import stats

from simulator.engine.run import run

SAMPLERS = {"sobol": ("simulation.sampler=sobol",), "latin_hypercube": ("simulation.sampler=latin_hypercube",),
            "random": ("simulation.sampler=random",), "antithetic": ("simulation.sampler=random", "simulation.antithetic=true")}
TRIALS, RUNS = 4096, 2000
LEAST, MOST = 0.93, 0.97
UNLIKELY = 1e-4  # by chance alone, for one statistic: there are some eighty

SIGMAS, SHIFT = (0.25, 0.2), 0.2  # mild enough that an sd is hardly ever withheld
SHARED = math.sqrt(0.5 * SIGMAS[0] * SIGMAS[1])
MEDIAN = 2e6 / (1000 * 0.7 * 3600)
RATIO = math.sqrt(SIGMAS[0]**2 + SIGMAS[1]**2 - 2 * SHARED**2)
COMPARED = two_lognormals(SHARED, SIGMAS, SHIFT)
# Of a price that is in one trial of 200 below another's.
SELDOM = 0.005
APART = study({"utilization": 1}, a=rented(rental_price=lognormal(2, 0.2), throughput=1000),
              b=rented(rental_price=lognormal(2 * math.exp(-0.3 * NORMAL.inv_cdf(SELDOM)), math.sqrt(0.3**2 - 0.2**2)),
                       throughput=1000))


def truth():
    """True values, by owner, quantity and statistic."""
    known = {}
    cost, tokens = lognormal_statistics(MEDIAN, SIGMAS[0]), lognormal_statistics(1e6 / MEDIAN, SIGMAS[0], more_is_better=True)
    for owner, quantity, values in (("a", "cost_per_million_tokens", cost), ("a", "tokens_per_dollar", tokens),
                                    ("b/a", "ratio", lognormal_statistics(math.exp(SHIFT), RATIO))):
        known |= {(owner, quantity, name): values[name] for name in ("mean", "sd", "p5", "p50", "p95", "cvar95")
                  if (quantity, name) != ("ratio", "cvar95")}
    known["b/a", "probability_cheaper", ""] = NORMAL.cdf(-SHIFT / RATIO)
    known["a", "probability_cheapest", ""] = NORMAL.cdf(SHIFT / RATIO)
    known["a", "expected_regret", ""], known["b", "expected_regret", ""] = regrets(MEDIAN, SIGMAS, SHIFT, RATIO)
    return known


def covered(given, known, runs):
    """In how many runs the interval of each statistic holds the true value, and how many give it: an sd may be withheld."""
    held, there = Counter(dict.fromkeys(known, 0)), Counter()
    for seed in range(runs):
        found = run(replace(given, simulation=replace(given.simulation, seed=seed)), threads=1)
        for name, value in known.items():
            estimate = found.find(*name)
            if estimate:
                held[name] += estimate.low <= value <= estimate.high
                there[name] += 1
    return {name: (held[name], there[name]) for name in known}


def too_few(held, runs):
    """Whether so few would be unlikely with a coverage of 93 %."""
    return stats.binom.cdf(held, runs, LEAST) < UNLIKELY


def too_many(held, runs):
    """Whether so many would be unlikely with a coverage of 97 %."""
    return stats.binom.sf(held - 1, runs, MOST) < UNLIKELY


# A pair of complements has one result on each side of the median of a product of symmetric logs: there medians are known
# far better than the replicates show, and their intervals are too wide.
TOO_WIDE = {("antithetic", quantity, "p50") for quantity in ("cost_per_million_tokens", "tokens_per_dollar", "ratio")}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_few_intervals_of_each_kind(load, sampler):
    found = covered(load(COMPARED, *SAMPLERS[sampler], "simulation.trials=1024"), truth(), 60)
    assert not {name: counts for name, counts in found.items() if too_few(*counts)}
    assert all(there > 50 for _, there in found.values())


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_intervals_cover_the_truth(load, sampler):
    found = covered(load(COMPARED, *SAMPLERS[sampler], f"simulation.trials={TRIALS}"), truth(), RUNS)
    for (owner, quantity, statistic), (held, there) in found.items():
        print(f"{sampler:16} {owner:4} {quantity:24} {statistic:7} {held / there:.1%} of {there}")
    assert not {name: counts for name, counts in found.items() if too_few(*counts)}
    assert {(sampler, *name[1:]) for name, counts in found.items() if too_many(*counts)} <= TOO_WIDE


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_intervals_of_what_is_rare_cover_the_truth(load, sampler):
    """Clopper and Pearson's bounds are on the safe side: there is no too many."""
    known = {("b/a", "probability_cheaper", ""): SELDOM}
    (counts,) = covered(load(APART, *SAMPLERS[sampler], f"simulation.trials={TRIALS}"), known, RUNS).values()
    print(f"{sampler:16} rare {counts[0] / counts[1]:.1%}")
    assert not too_few(*counts)


def test_the_truth_that_is_asked_for_can_be_missed():
    """What 60 runs would see, and what 2000 see: half as wide, or so many standard errors off."""
    for runs, width, bias, seen in ((60, 1, 0, False), (60, 0.5, 0, True), (60, 1, 1.5, True), (2000, 1, 0, False),
                                    (2000, 0.85, 0, True), (2000, 1, 0.7, True)):
        coverage = NORMAL.cdf(1.96 * width - bias) - NORMAL.cdf(-1.96 * width - bias)
        assert too_few(round(runs * coverage), runs) == seen
    assert not too_many(1900, 2000) and too_many(1980, 2000)
