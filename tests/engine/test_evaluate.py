"""Costs at given inputs, and on common draws with inputs held."""

import numpy as np
import pytest
import studies

import simulator
from simulator.engine.common_draws import common_draws, gap, median
from simulator.engine.evaluate import evaluate, holding, medians, quantiles
from simulator.engine.parameters import compile_study
from simulator.engine.trials import Trials
from simulator.kernels.platform import COST_PER_MILLION

FAMILIES = {
    "uniform": {"low": 1, "high": 3}, "triangular": {"low": 1, "mode": 2, "high": 4}, "pert": {"low": 1, "mode": 2, "high": 4},
    "normal": {"mean": 100, "sd": 5},
    "truncated_normal": {"mean": 3, "sd": 5, "low": 1}, "lognormal": {"median": 3, "sigma": 0.4},
    "gamma": {"shape": 2.5, "scale": 3}, "weibull": {"shape": 2.6, "scale": 7.1}, "exponential": {"mean": 4},
    "discrete": {"values": [1, 2, 4], "weights": [0.2, 0.5, 0.3]}, "metalog": {"p10": 1, "p50": 2, "p90": 5, "low": 0}}


@pytest.mark.parametrize("family", FAMILIES)
def test_quantiles_are_those_of_the_study(load, family):
    data = studies.study()
    data["platforms"]["b"]["throughput"] = {"distribution": family, **FAMILIES[family]}
    study = load(data)
    compiled = compile_study(study, [], [])
    path = "platforms.b.throughput"
    row, p = compiled.rows.index(path), np.array([0.01, 0.1, 0.5, 0.9, 0.99])
    expected = [study.inputs()[path].value.quantile(float(q)) for q in p]
    assert quantiles(compiled, row, p) == pytest.approx(expected, rel=1e-9)
    assert medians(compiled)[row] == pytest.approx(expected[2], rel=1e-9)


@pytest.mark.parametrize("lanes", [1, 255, 256, 257, 700])
def test_drawn_inputs_give_the_costs_of_their_trials(load, lanes):
    data = studies.study()
    data["shared"]["energy_price"] = {"distribution": "uniform", "low": 0.05, "high": 0.1}
    compiled = compile_study(load(data, "simulation.trials=32768"), [], [])
    trials = Trials(compiled, load(data, "simulation.trials=32768").simulation, 4)
    blocks = [trials.block(3, first) for first in (0, 256, 512)]
    values = np.concatenate([work.values for work in blocks], axis=1)[:, :lanes]
    expected = np.concatenate([work.outputs[:, COST_PER_MILLION] for work in blocks], axis=1)[:, :lanes]
    assert np.array_equal(evaluate(compiled, values), expected)


def test_nothing_given_costs_nothing_to_evaluate(load):
    compiled = compile_study(load(studies.study()), [], [])
    assert evaluate(compiled, np.empty((len(compiled.rows), 0))).shape == (2, 0)


def test_without_shocks_a_price_stands_at_its_median(load):
    """As a run has it in which the price does not move."""
    data = studies.study()
    data["shared"]["energy_price"] = {**studies.PROCESS, "strike": 50}
    study = load(data)
    compiled = compile_study(study, [], [])
    middle = medians(compiled)
    still = {f"{path}": float(middle[row]) for row, path in enumerate(compiled.rows) if path and "energy_price" not in path}
    run = simulator.run(study.with_inputs({**still, "shared.energy_price.volatility": 0.0, "simulation.trials": 512}))
    expected = [run.estimate(name, "cost_per_million_tokens", "mean").value for name in "ab"]
    assert evaluate(compiled, middle[:, None])[:, 0] == pytest.approx(expected, rel=1e-12)


def test_expected_failures_and_no_jumps(load):
    """Single failures of a fleet become expected ones, whatever its size, and a process that may jump does not."""
    data = studies.study()
    data["platforms"]["a"] |= {"failure_rate": 0.05, "replacement_cost": 0.5}
    data["shared"]["energy_price"] = {**studies.PROCESS, "strike": 50}
    plain = compile_study(load(data), [], [])
    data["platforms"]["a"]["fleet_size"] = 3
    data["shared"]["energy_price"]["jumps"] = {"rate": 2, "mean": 0.5, "sd": 0.1}
    rough = compile_study(load(data), [], [])
    costs = [evaluate(compiled, medians(compiled)[:, None])[:, 0] for compiled in (plain, rough)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-13)


def test_a_shock_moves_a_price_and_what_it_costs(load):
    compiled = compile_study(load(studies.study()), [], [])
    values = np.repeat(medians(compiled)[:, None], 5, axis=1)
    costs = evaluate(compiled, values, np.linspace(-1, 1, 5)[None, :])
    assert np.all(np.diff(costs[0]) > 0) and np.all(np.diff(costs[1]) == 0), "b rents and pays no electricity"


CORRELATED = {"pairs": [["platforms.a.throughput", "platforms.b.throughput", 0.6],
                        ["shared.utilization", "platforms.a.capex", 0.4]]}


@pytest.mark.parametrize("copula", ["gaussian", {"family": "t", "degrees_of_freedom": 4}])
def test_what_is_held_moves_no_other_draw(load, copula):
    study = load(studies.study(correlations={"copula": copula, **CORRELATED}))
    compiled = compile_study(study, [], [])
    row = compiled.rows.index("platforms.a.throughput")
    free, held = (Trials(one, study.simulation, 4).block(1, 0) for one in (compiled, holding(compiled, {row: 5000.0})))
    others = [k for k in range(len(compiled.rows)) if k != row]
    assert np.array_equal(free.values[others], held.values[others], equal_nan=True)
    assert np.all(held.values[row] == 5000) and np.array_equal(free.prices, held.prices)


@pytest.mark.parametrize("sampler", ["sobol", "latin_hypercube", "random"])
def test_common_draws_are_repeatable_and_do_not_depend_on_threads(load, sampler):
    study = load(studies.study(), f"simulation.sampler={sampler}")
    one, two = (common_draws(study, 8, threads=threads) for threads in (1, 3))
    row = one.trials.compiled.rows.index("shared.utilization")
    first = one.costs({})
    assert first.shape == (2, 8, 256)
    one.costs({row: 0.9})
    assert np.array_equal(one.costs({}), first) and np.array_equal(two.costs({}), first)
    assert np.array_equal(one.costs({}, 3), first[:, :3])


def test_gap_has_the_order_of_the_log_ratio():
    later, earlier = np.array([1.0, 2.0, 8.0, 0.0, 3.0]), np.array([2.0, 2.0, 1.0, 0.0, -3.0])
    found = gap(later, earlier)
    assert found[:3] == pytest.approx(np.tanh(np.log(later[:3] / earlier[:3]) / 2)) and found[3] == 0 and found[4] == 1
    assert median(np.array([[3.0, 1.0], [2.0, 9.0]])) == 2.0
