"""Percentiles, moments and tails equal those of all trials sorted, whether results are kept all or by bracket or made again."""

import math

import numpy as np
import pytest
import studies
from ways_of_selection import WAYS, find

import simulator
from simulator.engine import selection, selection_in_one_pass, trials
from simulator.engine.grids import keys_of
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study


def everything(study):
    """All results, float64[rows, replicates, trials each], and the rows."""
    rows = layout(study)
    source = trials.Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows))
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


def count_missed(monkeypatch):
    """How many quantiles each call to `select` is for, as a list that fills."""
    missed = []
    select = selection_in_one_pass.select
    monkeypatch.setattr(selection_in_one_pass, "select", lambda trials, wanted, *more: (
        missed.append(len(wanted)), select(trials, wanted, *more))[1])
    return missed


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_equal_to_sorting(load, monkeypatch, case, way, sampler):
    find(monkeypatch, way)
    study = load(studies.study(), "simulation.trials=36000", f"simulation.sampler={sampler}", *CASES[case])
    run = simulator.run(study)
    rows, results = everything(study)
    for row, values in zip(rows.rows, results, strict=True):
        if row.kind not in ("output", "difference"):
            continue
        owner = "b/a" if row.of_a_pair else study.platforms[row.owner].name
        pooled = np.sort(values.ravel())
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


@pytest.mark.parametrize("case", CASES)
def test_every_way_gives_the_same_bits(load, monkeypatch, case):
    study = load(studies.study(), "simulation.trials=36000", *CASES[case])
    found = []
    for way in WAYS:
        with monkeypatch.context() as patch:
            find(patch, way)
            found.append(simulator.run(study).records)
    assert found == found[:1] * len(WAYS)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sampler", ["sobol", "random", "latin_hypercube"])
def test_brackets_hold_what_is_sought(load, monkeypatch, case, sampler):
    find(monkeypatch, "by bracket")
    missed = count_missed(monkeypatch)
    simulator.run(load(studies.study(), "simulation.trials=36000", f"simulation.sampler={sampler}", *CASES[case]))
    assert not missed


def test_brackets_may_be_looked_at_when_all_trials_are_seen(load, monkeypatch):
    find(monkeypatch, "by bracket")
    monkeypatch.setattr(selection_in_one_pass, "_FIRST", 32768)
    missed = count_missed(monkeypatch)
    simulator.run(load(studies.study(), "simulation.trials=32768"))
    assert not missed


def test_what_narrow_brackets_miss_is_found_again(load, monkeypatch):
    find(monkeypatch, "by bracket, some missed")
    missed = count_missed(monkeypatch)
    run = simulator.run(load(studies.study(), "simulation.trials=36000", "simulation.sampler=random"))
    assert len(missed) == 1
    assert 0 < missed[0] <= 7 * len({(r.owner, r.quantity) for r in run.records if r.statistic == "p50"})


def test_little_is_kept(load, monkeypatch):
    monkeypatch.setattr("simulator.engine.run._FEW_TRIALS", 0)
    most, count = [0], selection_in_one_pass.OnePass._count_kept

    def watch(ranking):
        count(ranking)
        if ranking._settled:
            most[0] = max(most[0], ranking._kept)

    monkeypatch.setattr(selection_in_one_pass.OnePass, "_count_kept", watch)
    monkeypatch.setattr(selection_in_one_pass, "_SPARE", 0)
    for ties in ((), CASES["ties"]):
        most[0] = 0
        study = load(studies.study(), "simulation.trials=1048576", *ties)
        simulator.run(study)
        assert 0 < most[0] < 0.1 * study.simulation.trials * layout(study).ranked


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


def test_what_is_divided_does_not_reach_beyond_what_it_was():
    """Ties just beyond a target's keys, in the bin that holds the last of them, are not the target's."""
    inside, edge = np.linspace(1, 1.3, 10), np.nextafter(1.3, 2)
    results = np.concatenate([inside, np.full(10_000, edge)])[None, :]

    def one_chunk(_, finding):
        chunk = trials.Chunk(0, 0, results.shape[1])
        yield chunk, finding.of(chunk, results)

    low, high = (int(key) for key in keys_of(inside[[0, -1]]))
    target = selection._Target(selection.Wanted(0, 0.5), 0, 10, low, high, 0, 10)
    (finer,) = selection._divided(one_chunk, None, [target], lambda chunk: None)
    assert finer.high == high and (finer.below, finer.within) == (9, 1)
