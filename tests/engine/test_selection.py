"""Percentiles, moments and tails equal those of all trials sorted, whether chunks are kept or made again."""

import math

import numpy as np
import pytest
import studies

import simulator
from simulator.engine import trials
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study


def everything(study):
    """All results, float64[rows, replicates, trials each], and the rows."""
    rows = layout(study)
    source = trials.Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows), rows.ranked)
    found = [results for _, results in source.each(lambda chunk, results: results.copy())]
    return rows, np.concatenate(found, axis=1).reshape(len(rows.rows), study.simulation.replicates, -1)


def expected_shortfall(values, p):
    """Mean of the highest 1 − p, the boundary trial by its fraction; plainly."""
    ordered, reach = np.sort(values), len(values) * (1 - p)
    weights = np.clip(reach - np.arange(len(values)), 0, 1)
    return float(np.sum(ordered[::-1] * weights) / reach)


CASES = {
    "plain": (),
    "ties": ("shared.utilization={distribution: discrete, values: [0.5, 0.6], weights: [3, 1]}", "platforms.b.throughput=5000"),
    "constant": ("shared.utilization=0.5", "platforms.b.throughput=5000"),
    "negative": ("shared.energy_price={distribution: uniform, low: -1, high: -0.9}",),
    "few, so that the first block says little of the range": ("simulation.trials=600",),
    "many decades": ("shared.utilization={distribution: beta, alpha: 0.1, beta: 3}",),
}


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "again"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_equal_to_sorting(load, monkeypatch, case, keep, sampler):
    if not keep:
        monkeypatch.setattr(trials, "_KEEP_BYTES", 0)
        # So little room that bins are divided several times before anything is kept.
        monkeypatch.setattr("simulator.engine.selection._KEPT_VALUES", 2000)
        monkeypatch.setattr("simulator.engine.selection._COUNT_BYTES", 1 << 20)
    study = load(studies.study(), "simulation.trials=36000", f"simulation.sampler={sampler}", *CASES[case])
    run = simulator.run(study)
    rows, results = everything(study)
    for row, values in zip(rows.rows, results, strict=True):
        if row.kind != "output":
            continue
        owner, pooled = study.platforms[row.owner].name, np.sort(values.ravel())
        if case == "negative" and row.quantity == "tokens_per_dollar":
            continue  # left out: some costs are negative
        for p in (0.05, 0.1, 0.5, 0.95):
            found = run.estimate(owner, row.quantity, f"p{p * 100:g}")
            assert found.value == pooled[math.ceil(round(pooled.size * p, 6)) - 1]
            if sampler == "sobol":
                each = np.sort(values, axis=1)[:, math.ceil(round(values.shape[1] * p, 6)) - 1]
                spread = np.sqrt(np.sum((each - found.value) ** 2) / (32 * 31))
                assert found.standard_error == pytest.approx(spread, rel=1e-12, abs=1e-300)
        assert run.estimate(owner, row.quantity, "mean").value == pytest.approx(values.mean(), rel=1e-12)
        if row.quantity == "cost_per_million_tokens":
            assert run.estimate(owner, row.quantity, "cvar95").value == pytest.approx(expected_shortfall(pooled, 0.95), rel=1e-12)
        if row.quantity == "tokens_per_dollar":
            lowest = -expected_shortfall(-pooled, 0.95)
            assert run.estimate(owner, row.quantity, "cvar95").value == pytest.approx(lowest, rel=1e-12)
        withheld = case == "many decades" or (case == "negative" and row.quantity == "tokens_per_dollar")  # poles
        if values.std() > 1e-9 * abs(values.mean()) and not withheld:
            assert run.estimate(owner, row.quantity, "sd").value == pytest.approx(values.std(ddof=1), rel=1e-9)


def test_kept_and_made_again_give_the_same_bits(load, monkeypatch):
    study = load(studies.study(), "simulation.trials=36000")
    kept = simulator.run(study).records
    monkeypatch.setattr(trials, "_KEEP_BYTES", 0)
    assert simulator.run(study).records == kept


@pytest.mark.parametrize("sampler", ["sobol", "random"])
@pytest.mark.parametrize("case", CASES)
def test_few_trials_are_sorted_and_give_the_same(load, monkeypatch, case, sampler):
    study = load(studies.study(), "simulation.trials=4096", f"simulation.sampler={sampler}", *CASES[case])
    at_once = simulator.run(study)
    monkeypatch.setattr("simulator.engine.selection._SORTED_VALUES", 0)
    by_bins = simulator.run(study)
    for one, other in zip(at_once.records, by_bins.records, strict=True):
        if one.statistic == "cvar95":  # sums in another order
            assert one.estimate.value == pytest.approx(other.estimate.value, rel=1e-12)
            assert one.estimate.standard_error == pytest.approx(other.estimate.standard_error, rel=1e-9, abs=1e-15)
        else:
            assert one == other


def test_random_intervals_are_order_statistics(load):
    study = load(studies.study(), "simulation.sampler=random", "simulation.trials=4096")
    run = simulator.run(study)
    rows, results = everything(study)
    ordered = np.sort(results[rows.find("output", 0, "cost_per_million_tokens")].ravel())
    found = run.estimate("a", "cost_per_million_tokens", "p95")
    first, last = simulator.analysis.intervals.order_statistic_ranks(4096, 0.95)
    assert (found.low, found.high) == (ordered[first - 1], ordered[last - 1])


def test_heavy_tail_withholds_the_sd_and_says_so(load):
    run = simulator.run(load(studies.study(), "shared.utilization={distribution: beta, alpha: 0.3, beta: 3}"))
    with pytest.raises(KeyError):
        run.estimate("a", "cost_per_million_tokens", "sd")
    assert any("withheld for a, b" in warning and "cost_per_million_tokens" in warning for warning in run.warnings)


def test_a_result_that_is_not_finite_names_its_trial(load):
    study = load(studies.study(), "platforms.b.throughput=1e-308", "platforms.b.rental_price=1e308")
    with pytest.raises(simulator.engine.run.RunError, match=r"inf in trial \d+ of replicate 0; its inputs: .*utilization = 0\."):
        simulator.run(study)
