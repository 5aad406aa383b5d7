"""The trial behind a number: found among all trials, replayed bit for bit, and explained input by input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import studies
from scipy import stats

import simulator
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.engine.trials import Trials
from simulator.experiments.explain import ExplainError, explain
from simulator.quantities import COST

LEVELS = (0, 5, 37, 50, 95, 99.9, 100)
SAMPLERS = {"sobol": {}, "latin_hypercube": {}, "random": {}, "antithetic": {"sampler": "random", "antithetic": True}}


def all_trials(study, kind="output", owner=0, quantity=COST.name):
    """Every trial's value, float64[replicates, trials]."""
    rows = layout(study)
    row = rows.find(kind, owner, quantity)
    trials = Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows))
    found = np.empty((study.simulation.replicates, study.simulation.trials_per_replicate))
    for chunk, values in trials.each(lambda _, results: results[row].copy()):
        found[chunk.replicate, chunk.first:chunk.first + chunk.count] = values
    return found


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    def load(data, **simulation):
        data["simulation"] = {"trials": 8192, "replicates": 16, "horizon": 10, **simulation}
        return simulator.load(studies.write(tmp_path_factory.mktemp("study") / "study.yaml", data))
    return load


@pytest.fixture(scope="module")
def run(loaded):
    return simulator.run(loaded(studies.study()))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("size", [{"trials": 16384, "replicates": 16}, {"trials": 1024, "replicates": 32}])
def test_the_trial_is_that_of_sorting_all_trials(loaded, sampler, size):
    run = simulator.run(loaded(studies.study(), **size, **({"sampler": sampler} | SAMPLERS[sampler])))
    for kind, owner, quantity, name in (("output", 1, COST.name, "b"), ("ratio", 0, "ratio", "b/a"),
                                         ("difference", 0, "difference", "b/a")):
        values = all_trials(run.study, kind, owner, quantity).ravel()
        order = np.argsort(values, kind="stable")
        for level, trial in zip(LEVELS, explain(run, LEVELS, platform=name, quantity=quantity).trials, strict=True):
            place = order[max(math.ceil(values.size * level / 100 - 1e-9), 1) - 1]
            assert (trial.value, trial.replicate, trial.trial) == (
                values[place], *divmod(place, run.study.simulation.trials_per_replicate))


def test_of_equal_trials_it_is_the_first(loaded):
    data = studies.study()
    data["platforms"] = {"b": {**studies.RENTED, "throughput": {"distribution": "discrete", "values": [1, 2], "weights": [1, 1]}}}
    data["shared"] = {"utilization": 1}
    study = loaded(data, sampler="random")
    values = all_trials(study).ravel()
    for level in (10, 90):
        (trial,) = explain(simulator.run(study), level).trials
        place = int(np.flatnonzero(values == trial.value)[0])
        assert (trial.replicate, trial.trial) == divmod(place, study.simulation.trials_per_replicate)
        assert len(set(values)) == 2


def test_it_is_the_reported_number_bit_for_bit(run):
    for name in ("a", "b", "b/a"):
        for quantity in {record.quantity for record in run.records if record.owner == name and record.statistic == "p95"}:
            found = explain(run, (5, 50, 95), platform=name, quantity=quantity)
            for trial in found.trials:
                reported = run.estimate(name, quantity, f"p{trial.percentile:g}").value
                assert trial.value == reported == trial.reported
            assert found.notes == ()


def test_a_trial_by_its_number_is_that_of_the_run(run):
    for number in (0, 255, 256, 511):
        (trial,) = explain(run, trial=(0, number), platform="a").trials
        for position, platform in enumerate(trial.platforms):
            assert platform.cost == run.sample.outputs[position, COST.name][number]
            assert math.fsum(platform.parts.values()) == pytest.approx(platform.cost, rel=1e-14)
        for given in trial.inputs:
            if given.kind == "input":
                assert given.value == run.sample.inputs[given.path][number]
        costs = {platform.name: platform.cost for platform in trial.platforms}
        assert trial.cheapest == (min(costs, key=costs.get),)
    values = all_trials(run.study).ravel()
    (trial,) = explain(run, trial=(3, 77), platform="a").trials
    assert trial.value == values[3 * 512 + 77]
    assert trial.percentile == pytest.approx(100 * np.mean(values < trial.value), abs=100 / values.size)


def test_output_tokens_alone_bear_a_multiple(loaded):
    data = studies.study()
    data["platforms"]["a"]["operating_point"] = {"model": "R1", "input_tokens": 8192, "output_tokens": 1024,
                                                 "token_basis": "total"}
    run = simulator.run(loaded(data))
    (trial,) = explain(run, 95, platform="a", quantity="cost_per_million_output_tokens").trials
    assert trial.value == run.estimate("a", "cost_per_million_output_tokens", "p95").value == trial.reported
    assert trial.value == pytest.approx(9 * trial.platforms[0].cost, rel=1e-15)


def test_left_alone_it_explains_the_cheapest_platform(run):
    found = explain(run)
    medians = {name: run.estimate(name, COST.name, "p50").value for name in ("a", "b")}
    assert found.owner == min(medians, key=medians.get) and found.trials[0].percentile == 95


# --- inputs -------------------------------------------------------------------------------------------------

DISTRIBUTIONS = {
    "throughput": ({"distribution": "lognormal", "median": 4000, "sigma": 0.2}, stats.lognorm(0.2, scale=4000)),
    "gpu_lifetime": ({"distribution": "triangular", "low": 3, "mode": 5, "high": 7}, stats.triang(0.5, 3, 4)),
    "capex": ({"distribution": "gamma", "shape": 60, "scale": 900}, stats.gamma(60, scale=900)),
    "power": ({"distribution": "truncated_normal", "mean": 2, "sd": 0.3, "low": 1.5, "high": 3},
              stats.truncnorm(-0.5 / 0.3, 1 / 0.3, 2, 0.3)),
    "pue": ({"distribution": "uniform", "low": 1.1, "high": 1.5}, stats.uniform(1.1, 0.4)),
    "opex": ({"distribution": "weibull", "shape": 3, "scale": 900}, stats.weibull_min(3, scale=900)),
    "hosting_price": ({"distribution": "normal", "mean": 150, "sd": 10}, stats.norm(150, 10)),
    "throughput_degradation": ({"distribution": "exponential", "mean": 0.02}, stats.expon(scale=0.02)),
    "utilization": ({"distribution": "beta", "alpha": 5, "beta": 3}, stats.beta(5, 3)),
    "discount_rate": ({"distribution": "pert", "low": 0.05, "mode": 0.08, "high": 0.12},
                      stats.beta(1 + 4 * 3 / 7, 1 + 4 * 4 / 7, 0.05, 0.07)),
}


@pytest.mark.parametrize("copula", [None, "gaussian", {"family": "t", "degrees_of_freedom": 4}])
def test_an_input_stands_where_scipy_says(loaded, copula):
    data = studies.study(platforms={"a": {
        "ownership": "buy", "energy_price": 0.1, **{name: given for name, (given, _) in DISTRIBUTIONS.items()}}}, shared={})
    if copula:
        data["correlations"] = {"copula": copula, "pairs": [["platforms.a.capex", "platforms.a.power", 0.6],
                                                            ["platforms.a.utilization", "platforms.a.throughput", -0.4]]}
    run = simulator.run(loaded(data))
    for trial in explain(run, (1, 50, 99)).trials:
        drawn = {given.path.removeprefix("platforms.a."): given for given in trial.inputs}
        for name, (_, known) in DISTRIBUTIONS.items():
            low, high = drawn[name].standing
            assert low == high == pytest.approx(known.cdf(drawn[name].value), abs=1e-9), name
            assert drawn[name].median == pytest.approx(known.median(), rel=1e-9), name
        assert drawn["energy_price"].standing is None and drawn["energy_price"].without == trial.value


def test_a_value_with_a_probability_of_its_own_stands_between_two(loaded):
    data = studies.study()
    data["platforms"]["a"] |= {
        "failure_rate": 0.1, "replacement_cost": 1,
        "warranty": {"distribution": "discrete", "values": [0, 1, 3], "weights": [1, 2, 1]},
        "failure_epidemic": {"probability": 0.2, "rate_multiplier": {"distribution": "uniform", "low": 3, "high": 8}}}
    run = simulator.run(loaded(data))
    ranges = {0: (0, 0.25), 1: (0.25, 0.75), 3: (0.75, 1)}
    seen = set()
    for number in range(20):
        (trial,) = explain(run, trial=(0, number), platform="a").trials
        drawn = {given.path: given for given in trial.inputs}
        warranty = drawn["platforms.a.warranty"]
        assert warranty.standing == pytest.approx(ranges[warranty.value]) and warranty.median == 1
        epidemic = drawn["platforms.a.failure_epidemic"]
        known = (0, 0.8) if epidemic.value < 2 else (stats.uniform(3, 5).cdf(epidemic.value) * 0.2 + 0.8,) * 2
        assert epidemic.standing == pytest.approx(known, abs=1e-6)
        seen |= {f"warranty {warranty.value:g}", f"epidemic {epidemic.value > 2}"}
    assert seen == {"warranty 0", "warranty 1", "warranty 3", "epidemic True", "epidemic False"}


def test_the_effect_is_that_of_a_study_with_the_median(loaded):
    """Every input replaced in the study itself, and the same trial run again."""
    data = studies.study()
    data["correlations"] = {"pairs": [["platforms.a.capex", "platforms.a.throughput", 0.5]]}
    data["shared"]["energy_price"] = {**studies.PROCESS, "unit": "USD/kWh", "median": {
        "distribution": "lognormal", "median": 0.3, "sigma": 0.4}, "delivery": 0.02}
    run = simulator.run(loaded(data))
    (trial,) = explain(run, 95, platform="a").trials
    uncertain = [given for given in trial.inputs if given.standing and given.kind == "input"]
    assert len(uncertain) == 6 and all(given.without != trial.value for given in uncertain)
    for given in uncertain:
        changed = simulator.run(run.study.with_inputs({given.path: given.median}))
        (again,) = explain(changed, trial=(trial.replicate, trial.trial), platform="a").trials
        assert again.value == pytest.approx(given.without, rel=1e-11), given.path
    effects = [abs(trial.value - given.without) for given in trial.inputs]
    assert effects == sorted(effects, reverse=True)


def test_a_price_without_shocks_is_its_median_with_the_hedge_it_has(loaded):
    run = simulator.run(loaded(studies.study()))
    (trial,) = explain(run, 90, platform="a").trials
    (price,) = [given for given in trial.inputs if given.kind == "price"]
    # delivery + half at the median, half at the stationary mean
    still = 0.036 + 0.5 * 0.041 + 0.5 * 0.041 * math.exp(1.05**2 / (4 * 2.5))
    (fixed,) = explain(simulator.run(run.study.with_inputs({"shared.energy_price": still})),
                       trial=(trial.replicate, trial.trial), platform="a").trials
    assert price.without == pytest.approx(fixed.value, rel=1e-12)
    flows = trial.flows["a"]
    paid = np.isfinite(flows.energy_price)
    assert price.value == pytest.approx(np.average(flows.energy_price[paid], weights=flows.in_use[paid]), rel=1e-12)


def test_a_mean_price_stands_among_those_of_the_other_trials(loaded):
    run = simulator.run(loaded(studies.study()))
    prices = []
    for number in range(0, 512, 64):
        (trial,) = explain(run, trial=(1, number), platform="a").trials
        prices += [(given.value, given.standing[0]) for given in trial.inputs if given.kind == "price"]
    assert [standing for _, standing in sorted(prices)] == sorted(standing for _, standing in prices)
    # The mean of the lognormal price is close to lognormal itself: half of the trials lie below its median.
    assert 0 < min(standing for _, standing in prices) < 0.5 < max(standing for _, standing in prices) < 1


def test_without_the_chance_of_single_failures_there_is_the_expected_number(loaded):
    data = studies.study()
    data["platforms"]["a"] |= {"failure_rate": 0.3, "replacement_cost": 1, "fleet_size": 8}
    run = simulator.run(loaded(data))
    (trial,) = explain(run, 95, platform="a").trials
    (failures,) = [given for given in trial.inputs if given.kind == "failures"]
    del data["platforms"]["a"]["fleet_size"]
    (expected,) = explain(simulator.run(loaded(data)), trial=(trial.replicate, trial.trial), platform="a").trials
    assert failures.without == expected.value != trial.value
    life = next(given.value for given in trial.inputs if given.path == "platforms.a.gpu_lifetime")
    count = failures.value * 8 * life
    assert count == pytest.approx(round(count), abs=1e-9) and failures.median == pytest.approx(0.3)
    assert failures.standing[1] == pytest.approx(stats.poisson(0.3 * 8 * life).cdf(round(count)))


# --- mistakes -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("asked", "words"), [
    ({"platform": "c"}, "expected a or b"), ({"platform": "b/a"}, "expected a or b"),
    ({"quantity": "ratio", "platform": "a"}, "expected b/a"),
    ({"quantity": "payback"}, "expected ratio, difference, cost_per_million_tokens"),
    ({"quantity": "cost-per-million-token"}, "did you mean 'cost_per_million_tokens'?"), ({"percentile": -1}, "from 0"),
    ({"percentile": (5, 100.5)}, "found the percentile 100.5"), ({"percentile": math.nan}, "percentile nan"),
    ({"scenario": "with_claims"}, "expected base"), ({"trial": (16, 0)}, "this run has 16: expected 0 to 15"),
    ({"trial": (-1, 0)}, "replicate -1"), ({"trial": (0, 512)}, "expected 0 to 511"),
])
def test_what_a_run_does_not_have_is_said(run, asked, words):
    with pytest.raises(ExplainError, match="found ") as caught:
        explain(run, **asked)
    assert words in str(caught.value)


def test_scenarios_are_those_of_the_evidence(loaded):
    data = studies.study()
    data["platforms"]["a"]["throughput"] = {"claim": 9000, "measured": {"distribution": "uniform", "low": 4000, "high": 5000},
                                            "use": "measured"}
    run = simulator.run(loaded(data))
    (trial,) = explain(run, 95, platform="a", scenario="with_claims").trials
    assert trial.value == run.estimate("a", COST.name, "p95", "with_claims").value == trial.reported
    assert trial.value < explain(run, 95, platform="a").trials[0].value
