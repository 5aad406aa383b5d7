"""The sample is made of the run's own trials, and says of each input what was drawn for it."""

import numpy as np
import pytest
import studies

import simulator
from simulator.engine.parameters import compile_study
from simulator.engine.sample_of_trials import PRICE_MEANS, sample_of_trials
from simulator.engine.trials import Trials


def column(sample, path, k=0):
    places = next(places for factor, places in zip(sample.factors, sample.columns, strict=True) if factor.path == path)
    return sample.values[places[k]]


def test_costs_and_inputs_are_those_of_the_run(load):
    study = load(studies.study())
    run, sample = simulator.run(study), sample_of_trials(study)
    for k, name in enumerate("ab"):
        assert sample.costs[k].mean() == pytest.approx(run.estimate(name, "cost_per_million_tokens", "mean").value, rel=1e-12)
    each = study.simulation.trials_per_replicate
    for path in ("shared.utilization", "platforms.a.capex", "platforms.a.throughput_factors.delivered_share"):
        assert np.array_equal(column(sample, path)[:each], run.sample.inputs[path][:each])
    assert np.array_equal(sample.replicate, np.repeat(np.arange(32), each)) and (sample.discount_rate == 0.08).all()


@pytest.mark.parametrize(("trials", "sampler"), [(1024, "sobol"), (32 * 300, "random"), (10**6, "latin_hypercube")])
def test_a_part_is_the_first_trials_of_each_replicate(load, trials, sampler):
    study = load(studies.study(simulation={"trials": 32 * 512, "sampler": sampler}))
    whole, part = sample_of_trials(study), sample_of_trials(study, trials)
    each = min(trials // 32, 512)
    assert part.trials == 32 * each
    assert np.array_equal(part.costs, whole.costs.reshape(2, 32, 512)[:, :, :each].reshape(2, -1))


def test_a_price_path_is_its_means(load):
    study = load(studies.study())
    sample = sample_of_trials(study, 32 * 128)
    compiled = compile_study(study, [], [])
    work = Trials(compiled, study.simulation, 4).block(3, 0)
    prices = work.prices[0]
    weights = 1.1 ** (-np.arange(int(work.months[0])) / 12)
    for k, (months, discounted) in enumerate(PRICE_MEANS):
        taken = prices[: min(months, int(work.months[0])), :128]
        right = np.average(taken, axis=0, weights=weights[: len(taken)] if discounted else None)
        assert column(sample, "shared.energy_price", k)[3 * 128: 4 * 128] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("attrition", ["with_replacement", "without_replacement"])
def test_the_luck_of_failures_is_standardised_and_tells_nothing_of_the_rate(load, attrition):
    data = studies.study()
    data["platforms"]["a"] |= {"failure_rate": {"distribution": "uniform", "low": 0.02, "high": 0.2}, "fleet_size": 72,
                               "attrition": attrition}
    if attrition == "with_replacement":
        data["platforms"]["a"]["replacement_cost"] = 0.5
    sample = sample_of_trials(load(data))
    luck = column(sample, "platforms.a.failures")
    assert abs(luck.mean()) < 0.06 and luck.std() == pytest.approx(1, abs=0.06)
    assert abs(np.corrcoef(luck, column(sample, "platforms.a.failure_rate"))[0, 1]) < 0.06
    if attrition == "with_replacement":
        rest = np.log(sample.costs[0])
        others = [column(sample, factor.path) for factor in sample.factors if factor.path != "platforms.a.failures"]
        design = np.array([np.ones_like(luck), *others, *(other**2 for other in others), *(1 / other for other in others)])
        rest = rest - np.linalg.lstsq(design.T, rest, rcond=None)[0] @ design
        assert np.corrcoef(luck, rest)[0, 1] > 0.3, "more failures cost more"


def test_a_nominal_rate_becomes_real(load):
    study = load(studies.study(), "shared.discount_rate={value: 0.1, basis: nominal}", "shared.inflation=0.02")
    assert sample_of_trials(study).discount_rate == pytest.approx(1.1 / 1.02 - 1)
