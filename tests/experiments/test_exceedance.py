"""How likely costs exceed levels: against NumPy on all trials, against the run's own numbers, and where all is certain."""

from __future__ import annotations

import math

import numpy as np
import pytest
import studies

import simulator
from simulator.analysis.intervals import probability, sectioning
from simulator.engine.run import RunError
from simulator.engine.sample_of_trials import sample_of_trials
from simulator.experiments.exceedance import curve_levels, exceedance
from simulator.quantities import COST
from simulator.results import PERCENTILES

LEVELS = (1.2, 0.15, 0.2, 1e9, -1.0, 0.2)  # in no order; some beyond all costs; one twice
SAMPLERS = {"sobol": {}, "latin_hypercube": {}, "random": {}, "antithetic": {"sampler": "random", "antithetic": True}}


def all_costs(study):
    """Every trial's cost, float64[platforms, replicates, trials]."""
    costs = sample_of_trials(study, study.simulation.trials).costs
    return costs.reshape(len(study.platforms), study.simulation.replicates, -1)


def small(sampler="sobol", **changes):
    return studies.study(simulation={"trials": 4096, "replicates": 16, "horizon": 10,
                                     **({"sampler": sampler} | SAMPLERS[sampler])}, **changes)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_probabilities_are_those_of_counting_all_trials(load, sampler):
    study = load(small(sampler))
    found = exceedance(study, LEVELS)
    assert list(found.curves) == list(found.estimates) == ["a", "b"] and found.at == LEVELS
    for name, costs in zip("ab", all_costs(study), strict=True):
        curve = found.curves[name]
        by_replicate = (costs[:, :, None] > curve.levels).mean(axis=1)
        np.testing.assert_array_equal(curve.probability, (costs[:, :, None] > curve.levels).mean(axis=(0, 1)))
        error = np.sqrt(np.sum((by_replicate - curve.probability) ** 2, axis=0) / (16 * 15))
        if sampler == "random":
            error = np.sqrt(curve.probability * (1 - curve.probability) / 4095)
        assert curve.standard_error == pytest.approx(error, rel=1e-9, abs=1e-15)
        assert len(found.estimates[name]) == len(LEVELS)
        for level, estimate in zip(LEVELS, found.estimates[name], strict=True):
            each = (costs > level).mean(axis=1)
            assert estimate.value == np.mean(costs > level)
            np.testing.assert_array_equal(estimate.by_replicate, each)
            if sampler != "random":
                assert estimate == probability(sectioning(estimate.value, each), costs.size)
    assert found.estimates["a"][3].value == 0 < found.estimates["a"][3].high < 0.002
    assert found.estimates["a"][4].value == 1 > found.estimates["a"][4].low > 0.998


@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_it_is_the_runs_probability_of_loss_at_a_price_of_tokens(load, sampler):
    """Without discount of the price, a loss is a cost above it: the same trials, the same error, the same bounds."""
    data = small(sampler)
    costs = all_costs(load(data))
    for position, name in enumerate("ab"):
        price = float(np.quantile(costs[position], 0.9)) * (1 + 1e-9)
        data["shared"]["token_price"] = price
        study = load(data)
        (estimate,) = exceedance(study, [price]).estimates[name]
        loss = simulator.run(study).estimate(name, "probability_of_loss")
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((loss.value, loss.low, loss.high), rel=1e-9)
        assert estimate.standard_error == pytest.approx(loss.standard_error, rel=1e-6)


def test_at_the_runs_percentiles_it_is_the_rest(load):
    study = load(small())
    run = simulator.run(study)
    for name in "ab":
        reported = [run.estimate(name, COST.name, f"p{100 * p:g}").value for p in PERCENTILES]
        for p, estimate in zip(PERCENTILES, exceedance(study, reported).estimates[name], strict=True):
            assert estimate.value == 1 - math.ceil(4096 * p - 1e-9) / 4096


def test_a_certain_cost_is_exceeded_just_below_it_and_not_at_it(load):
    study = load(studies.certain())
    costs = all_costs(study)[:, 0, 0]
    found = exceedance(study, [*costs, *np.nextafter(costs, 0)])
    for position, name in enumerate("ab"):
        curve = found.curves[name]
        assert curve.levels.tolist() == [np.nextafter(costs[position], 0), costs[position]]
        assert curve.probability.tolist() == [1, 0] and curve.standard_error.tolist() == [0, 0]
        at, below = found.estimates[name][position], found.estimates[name][2 + position]
        assert (at.value, at.standard_error, at.low) == (0, 0, 0) and at.high > 0
        assert (below.value, below.standard_error, below.high) == (1, 0, 1) and below.low < 1


def test_no_result_depends_on_threads_or_chunks(load):
    study = load(small("latin_hypercube"))
    one = exceedance(study, LEVELS, threads=1, chunk_blocks=1)
    for changes in ({"threads": 2}, {"threads": 5, "chunk_blocks": 1}, {"chunk_blocks": 4}):
        other = exceedance(study, LEVELS, **changes)
        assert other.estimates == one.estimates
        for name in "ab":
            for field in ("levels", "probability", "standard_error"):
                np.testing.assert_array_equal(getattr(other.curves[name], field), getattr(one.curves[name], field))


def test_a_curve_falls_evenly_from_end_to_end(load):
    """From P0.1 to P99.9; no step between two points is large in either direction."""
    study = load(studies.study(simulation={"trials": 65536, "horizon": 10}))
    for name, curve in exceedance(study).curves.items():
        assert len(curve.levels) == 128
        assert np.all(np.diff(curve.levels) > 0) and np.all(np.diff(curve.probability) <= 0)
        assert curve.probability[0] == pytest.approx(0.999, abs=0.0005), name
        assert curve.probability[-1] == pytest.approx(0.001, abs=0.0005), name
        assert np.max(-np.diff(curve.probability)) < 0.03
        inner = np.diff(curve.levels)[8:-8]
        assert np.max(inner) < 0.03 * (curve.levels[-1] - curve.levels[0])
        assert np.all(curve.standard_error[1:-1] > 0) and np.max(curve.standard_error) < 0.002


@pytest.mark.parametrize("points", [2, 17, 400])
def test_a_curve_has_about_as_many_points_as_asked_for(load, points):
    curve = exceedance(load(small()), points=points).curves["b"]
    assert 0.8 * points < len(curve.levels) <= points
    assert curve.probability[0] > 0.99 and curve.probability[-1] < 0.01


def test_a_cost_of_few_values_steps_at_each(load):
    """Half, a third and a sixth of the trials: seen on both sides of each value."""
    data = studies.certain()
    data["platforms"]["a"]["rental_price"] = {"distribution": "discrete", "values": [1, 2, 3], "weights": [3, 2, 1]}
    data["simulation"] = {"trials": 4096, "sampler": "latin_hypercube"}
    curve = exceedance(load(data)).curves["a"]
    costs = np.array([1, 2, 3]) * 1e6 / (900 * 0.5 * 3600)
    assert curve.levels == pytest.approx(np.repeat(costs, 2), rel=1e-12)
    assert curve.probability == pytest.approx([1, 0.5, 0.5, 1 / 6, 1 / 6, 0], abs=0.01)


@pytest.mark.parametrize("spread", [0.1, 1, 3])
def test_levels_are_those_of_known_quantiles(spread):
    from scipy.special import ndtr, ndtri

    normal = ndtri((np.arange(2**16) + 0.5) / 2**16)
    levels = curve_levels(np.exp(spread * normal)[::-1], 65)
    assert ndtr(np.log(levels[[0, 32, -1]]) / spread) == pytest.approx([0.001, 0.5, 0.999], abs=2**-16)
    assert np.diff(np.log(levels)) == pytest.approx(np.full(64, 2 * 3.0902 * spread / 64), rel=0.05)
    signed = curve_levels(np.concatenate([normal, [0.0] * 2**15]), 65)
    assert 0.0 in signed and np.nextafter(0.0, -1) in signed


def test_progress_goes_to_one(load):
    seen = []
    exceedance(load(small()), threads=2, progress=seen.append, chunk_blocks=1)
    assert len(seen) == 16 and seen == sorted(seen) and seen[-1] == 1


@pytest.mark.parametrize(("asked", "words"), [
    ({"at": [0.1, math.nan]}, "found the level nan"), ({"at": [math.inf]}, "found the level inf"),
    ({"points": 1}, "found 1 points")])
def test_mistakes_are_refused(load, asked, words):
    with pytest.raises(ValueError, match=words):
        exceedance(load(small()), **asked)


def test_a_cost_that_is_no_number_is_refused(load):
    study = load(small(), "platforms.b.rental_price=1e300", "platforms.b.throughput=1e-300")
    with pytest.raises(RunError, match=r"tokens of .* is not a number"):
        exceedance(study)
