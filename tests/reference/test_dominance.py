"""Stochastic dominance between costs whose order is known: lognormals, normals, and what is certain."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import studies
from scipy import optimize, stats

import simulator
from simulator.engine import trials
from simulator.engine.exceedances import levels_about
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.kernels.accumulators import count_and_sum
from simulator.reporting.dominance_wording import _rounded_up, dominance_in_words
from simulator.study.reading import SAMPLERS

NORMAL = NormalDist()
PER_HOUR = 1e6 / 3600  # a throughput at which a million tokens cost as much as a GPU-hour
AT_SECOND = "costs less than {}, or the same, on average over every worst tail (second-order dominance; simulation error up to "
NEITHER = ("Between a and b it depends on how much bad outcomes weigh: neither costs less on average over every worst tail "
           "(no dominance).")


def costs(trials=65536, **distributions):
    """A study in which costs have the distributions given."""
    return {"schema": 1, "simulation": {"trials": trials}, "shared": {"utilization": 1},
            "platforms": {name: {"ownership": "rent", "throughput": PER_HOUR, "rental_price": cost}
                          for name, cost in distributions.items()}}


def lognormal(median, sigma):
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


def normal(mean, sd):
    return {"distribution": "normal", "mean": mean, "sd": sd}


def words(run, *pairs):
    return dominance_in_words(run, list(pairs or [("b", "a")]))


def found(run, order, who):
    """Verdict and violation of one of a pair, b/a."""
    entry = run.summary.document["scenarios"]["base"]["pairs"]["b/a"]["dominance"][order][who]
    return entry["verdict"], run.estimate("b/a", f"dominance.{order}", who)


def largest(function, low, high):
    """The largest value of a function, by a grid and refinement."""
    x = np.linspace(low, high, 4001)
    best = x[np.argmax([function(value) for value in x])]
    step = x[1] - x[0]
    return -optimize.minimize_scalar(lambda value: -function(value), bounds=(best - step, best + step), method="bounded").fun


def assert_near(violation, expected, resolution=0.02):
    """Within the error, but for what lies between two levels."""
    assert violation.low <= violation.value <= violation.high and violation.low <= expected
    assert expected * (1 - resolution) - 5 * violation.standard_error < violation.value < expected + 5 * violation.standard_error


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_equal_sigma_is_first_order(load, sampler):
    """S_b − S_a is largest midway between the medians: 2Φ(Δμ / 2σ) − 1."""
    run = simulator.run(load(costs(a=lognormal(2, 0.25), b=lognormal(2 * math.exp(0.2), 0.25)), f"simulation.sampler={sampler}"))
    assert found(run, "first", "earlier")[0] != "does not dominate" and found(run, "first", "earlier")[1].high < 0.002
    assert found(run, "second", "earlier")[0] == "dominates"
    verdict, violation = found(run, "first", "later")
    assert verdict == "does not dominate"
    assert_near(violation, 2 * NORMAL.cdf(0.2 / 0.5) - 1)
    verdict, violation = found(run, "second", "later")
    assert verdict == "does not dominate"  # at the worst by the means
    assert_near(violation, 2 * math.exp(0.25**2 / 2) * math.expm1(0.2))
    (said,) = words(run)
    assert "a costs less than b, or the same, at every percentile (first-order dominance; simulation error up to" in said
    assert words(run, ("a", "b")) == [said], "whichever of them is named first"
    assert ("As far as the simulation error can tell" in said) == (found(run, "first", "earlier")[0] != "dominates")


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(("crossing", "sigma"), [(0.8, 0.3), (0.95, 0.35), (0.99, 0.4)])
def test_different_sigma_cross_at_a_known_quantile(load, sampler, crossing, sigma):
    """a has the lower median and the wider spread; quantile functions cross where μ_a + σ_a z = μ_b + σ_b z."""
    shift = (sigma - 0.2) * NORMAL.inv_cdf(crossing)
    data = costs(a=lognormal(2, sigma), b=lognormal(2 * math.exp(shift), 0.2))
    run = simulator.run(load(data, f"simulation.sampler={sampler}"))
    a, b = stats.lognorm(sigma, scale=2), stats.lognorm(0.2, scale=2 * math.exp(shift))
    x = a.ppf(crossing)
    assert b.ppf(crossing) == pytest.approx(x)
    verdict, violation = found(run, "first", "earlier")
    assert verdict == "does not dominate"
    assert_near(violation, largest(lambda value: a.sf(value) - b.sf(value), x, 3 * x), 0.06)
    verdict, violation = found(run, "first", "later")
    assert verdict == "does not dominate"
    assert_near(violation, largest(lambda value: b.sf(value) - a.sf(value), 0.5, x))
    # Means and tails: at second order b is the better choice where its mean is not above a's, and neither is elsewhere.
    b_at_second = a.mean() > b.mean()
    assert found(run, "second", "earlier")[0] == "does not dominate"
    assert (found(run, "second", "later")[0] == "dominates") == b_at_second
    (said,) = words(run)
    assert said.startswith(f"b {AT_SECOND.format('a')}") if b_at_second else said == NEITHER


def stop_loss(mean, sd, x):
    """E[(C − x)⁺] of a normal."""
    z = (x - mean) / sd
    return sd * NORMAL.pdf(z) - (x - mean) * (1 - NORMAL.cdf(z))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_second_order_of_normals_is_by_mean_and_variance(load, sampler):
    """Müller (2001): a ≤ b in the increasing convex order if and only if neither its mean nor its variance is larger."""
    def of(a, b):
        return simulator.run(load(costs(a=normal(*a), b=normal(*b)), f"simulation.sampler={sampler}"))

    run = of((5, 0.3), (5.05, 0.5))
    assert [found(run, order, "earlier")[0] for order in ("first", "second")] == ["does not dominate", "dominates"]
    assert found(run, "second", "later")[0] == "does not dominate"
    (said,) = words(run)
    assert said.startswith(f"a {AT_SECOND.format('b')}")
    run = of((5, 0.5), (5.05, 0.3))
    for who in ("earlier", "later"):
        assert [found(run, order, who)[0] for order in ("first", "second")] == ["does not dominate", "does not dominate"]
    worst = largest(lambda x: stop_loss(5, 0.5, x) - stop_loss(5.05, 0.3, x), 4, 7)
    assert_near(found(run, "second", "earlier")[1], worst)
    assert_near(found(run, "second", "later")[1], 0.05)
    assert words(run) == [NEITHER]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_normals_of_equal_sd_are_of_first_order(load, sampler):
    run = simulator.run(load(costs(a=normal(5, 0.3), b=normal(5.2, 0.3)), f"simulation.sampler={sampler}"))
    assert found(run, "first", "earlier")[1].low == found(run, "second", "earlier")[1].low == 0
    assert_near(found(run, "first", "later")[1], 2 * NORMAL.cdf(0.2 / 0.6) - 1)
    assert_near(found(run, "second", "later")[1], 0.2)
    (said,) = words(run)
    assert "a costs less than b, or the same, at every percentile (first-order" in said


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_normals_of_equal_mean_are_of_second_order_as_far_as_means_can_be_told(load, sampler):
    """E[C] is where the two meet, so that no number of trials can show it to the last digit; what is shown is the bound."""
    run = simulator.run(load(costs(a=normal(5, 0.3), b=normal(5, 0.5)), f"simulation.sampler={sampler}"))
    for who in ("earlier", "later"):
        verdict, violation = found(run, "first", who)
        assert verdict == "does not dominate"
        assert_near(violation, largest(lambda z: NORMAL.cdf(z / 0.3) - NORMAL.cdf(z / 0.5), 0, 2))
    verdict, violation = found(run, "second", "earlier")
    assert verdict in ("dominates", "undecided: within simulation error") and violation.low == 0 and violation.high < 0.02
    verdict, violation = found(run, "second", "later")
    assert verdict == "does not dominate"
    assert_near(violation, 0.2 * NORMAL.pdf(0))  # at the common mean
    (said,) = words(run)
    assert f"a {AT_SECOND.format('b')}" in said


def test_what_is_certain_is_ordered_and_equals_dominate_one_another(load):
    run = simulator.run(load(costs(512, a=2.0, b=2.001)))
    for order, apart in (("first", 1), ("second", 0.001)):
        assert found(run, order, "earlier")[0] == "dominates"
        verdict, violation = found(run, order, "later")
        assert verdict == "does not dominate" and violation.standard_error < 1e-12
        assert violation.value == pytest.approx(apart, rel=1e-9)
    same = simulator.run(load(costs(512, a=2.0, b=2.0)))
    assert {found(same, order, who)[0] for order in ("first", "second") for who in ("earlier", "later")} == {"equal"}
    assert words(same) == ["a and b are equal: they cost the same at every percentile."]
    assert not words(run), "where nothing is uncertain there is no risk"


def test_a_certain_cost_beside_an_uncertain_one(load):
    """What is certain is the better choice at second order if it is not above the mean, and at first order never."""
    at_mean, above = (simulator.run(load(costs(a=level, b=normal(5, 0.5)))) for level in (4.99, 5.2))
    assert [found(at_mean, order, "earlier")[0] for order in ("first", "second")] == ["does not dominate", "dominates"]
    verdict, violation = found(at_mean, "first", "earlier")
    assert_near(violation, NORMAL.cdf((4.99 - 5) / 0.5))  # just below 4.99
    verdict, violation = found(above, "second", "earlier")
    assert verdict == "does not dominate"
    assert_near(violation, 0.2)


def test_platforms_that_are_equal_in_every_future(load):
    data = costs(4096, a=1.0, b=1.0)
    for platform in data["platforms"].values():
        del platform["rental_price"]
    data["shared"]["rental_price"] = lognormal(2, 0.3)
    assert words(simulator.run(load(data))) == ["a and b are equal: they cost the same at every percentile."]


def test_one_platform_has_no_pairs_and_three_have_three(load):
    one = simulator.run(load(costs(512, a=lognormal(2, 0.3))))
    assert not [record for record in one.records if record.group == "dominance"]
    run = simulator.run(load(costs(a=normal(5, 0.3), b=normal(5.5, 0.3), c=normal(6, 0.3))))
    assert {record.owner for record in run.records if record.group == "dominance"} == {"b/a", "c/a", "c/b"}
    assert max(record.estimate.high for record in run.records if record.group == "dominance" and record.unit == "1") <= 1
    both, last = words(run, ("b", "a"), ("c", "a"), ("c", "b"))
    assert "a costs less than b and c, or the same, at every percentile" in both and "b costs less than c" in last
    assert set(run.dataset["dominance_first_later"].dims) == {"scenario", "pair", "estimate"}
    assert run.dataset["dominance_second_earlier"].attrs["units"] == "USD"


def test_a_rare_gain_below_everything_else_is_seen(load):
    """b costs 1 in two futures of a hundred, where a never does."""
    rare = {"distribution": "discrete", "values": [1, 2], "weights": [0.02, 0.98]}
    run = simulator.run(load(costs(a=2.0, b=rare)))
    assert [found(run, order, "later")[0] for order in ("first", "second")] == ["dominates", "dominates"]
    verdict, violation = found(run, "first", "earlier")
    assert verdict == "does not dominate"
    assert_near(violation, 0.02)


def test_equal_distributions_on_draws_of_their_own_are_not_told_apart(load):
    run = simulator.run(load(costs(4096, a=lognormal(2, 0.3), b=lognormal(2, 0.3)), "simulation.sampler=random"))
    assert {found(run, order, who)[0] for order in ("first", "second") for who in ("earlier", "later")} == {
        "undecided: within simulation error"}
    assert words(run) == ["Whether a or b is better for whoever dislikes risk, these trials do not settle (dominance)."]


@pytest.mark.parametrize("change", ["simulation.trials=36000", "simulation.trials=600",
                                    "shared.energy_price={distribution: uniform, low: -1, high: 0.9}"])
def test_equal_to_counting_all_trials(load, change):
    study = load(studies.study(), change, "simulation.sampler=random")
    rows = layout(study)
    source = trials.Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows))
    results = np.concatenate([block for _, block in source.each(lambda chunk, results: results.copy())], axis=1)
    pilot, each = source.pilot(), study.simulation.trials_per_replicate
    a, b = (results[rows.find("output", owner, "cost_per_million_tokens")] for owner in (0, 1))
    levels = np.unique(np.concatenate([levels_about(pilot[rows.find("output", owner, "cost_per_million_tokens")])
                                       for owner in (0, 1)]))
    above = np.array([[(cost > x).mean() for x in levels] for cost in (a, b)])
    beyond = np.array([[cost.mean(), *[np.maximum(cost - x, 0).mean() for x in levels]] for cost in (a, b)])
    run = simulator.run(study)
    for who, sign in (("earlier", 1), ("later", -1)):
        assert found(run, "first", who)[1].value == pytest.approx(max(np.max(sign * (above[0] - above[1])), 0), abs=1e-12)
        assert found(run, "second", who)[1].value == pytest.approx(max(np.max(sign * (beyond[0] - beyond[1])), 0), abs=1e-12)
    worst = int(np.argmax(above[1] - above[0]))
    each_above = ((b > levels[worst]).reshape(-1, each).mean(axis=1) - (a > levels[worst]).reshape(-1, each).mean(axis=1))
    assert found(run, "first", "later")[1].standard_error == pytest.approx(each_above.std(ddof=1) / math.sqrt(32))


@pytest.mark.parametrize(("bound", "said"), [(0, "0"), (0.0611, "0.07"), (0.0951, "0.10"), (3.2e-6, "0.000004"), (0.7, "0.7"),
                                             (12.3, "20")])
def test_a_bound_is_never_rounded_down(bound, said):
    assert _rounded_up(bound) == said


def test_levels_cover_the_pilot_and_both_sides_of_it():
    values = np.random.default_rng(0).lognormal(0, 1, 256)
    levels = levels_about(values)
    assert np.all(np.diff(levels) > 0) and 0 < levels[0] < 0.1 * values.min() and levels[-1] > 8 * values.max()
    assert levels_about(np.full(256, 3.0)).tolist() == [np.nextafter(3.0, 0), 3.0]
    crossing = levels_about(values - 1)
    assert crossing[0] < -1 and np.isfinite(crossing).all()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 158])
def test_values_are_counted_and_summed_between_levels(count):
    levels = np.sort(np.random.default_rng(count).normal(size=count))
    values = np.concatenate([np.random.default_rng(1).normal(size=500), levels])
    size = 1 << count.bit_length()
    counts, sums = np.zeros(size, np.int64), np.zeros((-(-values.size // 64), size))
    count_and_sum(values, np.concatenate([levels, np.full(size - 1 - count, np.inf)]), 64, counts, sums)
    bins = np.searchsorted(levels, values, side="left")
    np.testing.assert_array_equal(counts, np.bincount(bins, minlength=size))
    np.testing.assert_allclose(sums.sum(axis=0), np.bincount(bins, values, size), atol=1e-12)
