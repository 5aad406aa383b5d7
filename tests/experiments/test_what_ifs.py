"""What-ifs are run on the draws of the base: a change is one of the world, and its error that of the change."""

import dataclasses
import errno
import json
import tempfile

import numpy as np
import pytest
import studies

import simulator
from simulator.analysis.intervals import Estimate, change, sectioning
from simulator.engine.run import RunError, run
from simulator.quantities import COST
from simulator.records import OnDisk

WHAT_IFS = {
    "nothing": {"description": "Nothing changes.", "set": {}},
    "same": {"set": {"shared.discount_rate": 0.08, "shared.energy_price.median": 41}},
    "idle": {"set": {"shared.utilization": 0.3}, "cost": 0.01},
    "idle_and_dear": {"extends": "idle", "set": {"platforms.a.capex": {"distribution": "pert", "low": 60000, "mode": 70000,
                                                                      "high": 80000}}},
    "half_as_fast": {"set": {"platforms.a.throughput_factors.slow": 0.5}},
}


@pytest.fixture(params=["sobol", "random", "latin_hypercube"])
def study(request, load):
    return load(studies.study(what_ifs=WHAT_IFS), f"simulation.sampler={request.param}")


@pytest.mark.parametrize("name", ["nothing", "same"])
def test_a_what_if_that_changes_nothing_changes_exactly_nothing(study, name):
    found = simulator.run(study, what_ifs=[name])
    changes = [record for record in found.records if record.group == "change"]
    assert len(changes) == 2 * 7 + 2
    assert {(r.estimate.value, r.estimate.standard_error, r.estimate.low, r.estimate.high) for r in changes} == {(0, 0, 0, 0)}


def test_each_scenario_is_the_study_run_alone(study):
    found = simulator.run(study, what_ifs="all")
    assert list(dict.fromkeys(record.scenario for record in found.records)) == ["base", *WHAT_IFS]
    for name in ("base", "idle", "idle_and_dear"):
        alone = run(study if name == "base" else study.with_what_if(name))
        of_it = [r for r in found.records if r.scenario == name and not r.group.startswith("change")]
        assert [dataclasses.replace(r, scenario="base") for r in of_it] == list(alone.records)
        assert name == "base" or found.what_ifs[name] == alone.study.digest


def test_a_change_is_the_difference_of_the_values(study):
    found = simulator.run(study, what_ifs=["idle"])
    for owner in ("a", "b"):
        for statistic in ("mean", "p5", "p50", "p95", "cvar95"):
            moved = found.estimate(owner, f"change.{COST.name}", statistic, "idle")
            before, after = (found.estimate(owner, COST.name, statistic, scenario) for scenario in ("base", "idle"))
            assert moved.value == pytest.approx(after.value - before.value, rel=1e-12)
            assert moved.low < moved.value < moved.high


def test_common_draws_make_the_error_of_a_change_small(study):
    """Half the throughput doubles the cost in every trial: the change is the cost itself, and so is its error.

    Two independent runs would give √(1² + 2²) = 2.24 times as much.
    """
    found = simulator.run(study, what_ifs=["half_as_fast"])
    before = found.estimate("a", COST.name, "mean")
    by_replicate = sectioning(before.value, before.by_replicate)
    moved = found.estimate("a", f"change.{COST.name}", "mean", "half_as_fast")
    assert moved.value == pytest.approx(before.value, rel=1e-12)
    assert moved.standard_error == pytest.approx(by_replicate.standard_error, rel=1e-9)
    assert found.estimate("b", f"change.{COST.name}", "mean", "half_as_fast").standard_error == 0


def test_the_error_covers_what_other_seeds_say(load):
    """The spread of a change over seeds is what its standard error says: within a factor that 24 seeds allow."""
    data = studies.study(what_ifs={"dear": {"set": {"shared.energy_price.median": 82, "shared.energy_price.hedged_share": 0}}})
    studied = [load(data, "simulation.sampler=random", "simulation.trials=1024", f"simulation.seed={seed}") for seed in range(24)]
    means = [[run(one, costs_alone=True).estimate("a", COST.name, "mean") for one in (study, study.with_what_if("dear"))]
             for study in studied]
    changes = [change(*before_and_after) for before_and_after in means]
    spread = np.std([moved.value for moved in changes], ddof=1)
    assert 0.6 < spread / np.mean([moved.standard_error for moved in changes]) < 1.5
    # Far below the two errors put together.
    assert changes[0].standard_error < 0.3 * means[0][0].standard_error


def test_changes_are_those_of_plain_numpy():
    generator = np.random.default_rng(1)
    before, after = generator.normal(size=32), generator.normal(2, 1, size=32)
    moved = change(Estimate(0.1, 0, 0, 0, before), Estimate(2.2, 0, 0, 0, after))
    differences = after - before
    assert moved.value == pytest.approx(2.1)
    assert moved.standard_error == pytest.approx(np.sqrt(np.mean((differences - 2.1)**2) / 31))
    with pytest.raises(ValueError, match="by replicate"):
        change(Estimate(0.1, 0, 0, 0), Estimate(2.2, 0, 0, 0, after))


def test_threads_and_chunks_show_in_no_number(study):
    one, many = (simulator.run(study, what_ifs=["idle", "half_as_fast"], threads=threads, chunk_blocks=blocks).records
                 for threads, blocks in ((1, 0), (3, 1)))
    assert one == many


def test_per_dollar_where_it_costs(study):
    found = simulator.run(study, what_ifs=["idle", "idle_and_dear"])
    moved = found.estimate("a", f"change.{COST.name}", "cvar95", "idle")
    assert found.estimate("a", f"change_per_dollar.{COST.name}", "cvar95", "idle").value == pytest.approx(moved.value / 0.01)
    assert found.find("a", f"change_per_dollar.{COST.name}", "cvar95", "idle_and_dear") is None


def test_results_name_scenarios(load):
    study = load(studies.study(what_ifs=WHAT_IFS), "simulation.trials=512")
    found = simulator.run(study, what_ifs="all")
    scenarios = found.summary.document["scenarios"]
    assert list(scenarios) == ["base", *WHAT_IFS]
    assert scenarios["nothing"]["description"] == "Nothing changes."
    assert scenarios["idle"]["cost"] == {"a": 0.01, "b": 0.01}
    assert scenarios["idle"]["digest"] == study.with_what_if("idle").digest
    assert "change" not in scenarios["base"]["platforms"]["a"]
    moved = scenarios["idle"]["platforms"]["a"]["change"]
    assert set(moved) == {COST.name, "probability_cheapest", "expected_regret"}
    json.dumps(found.summary.document, allow_nan=False)
    dataset = found.dataset
    assert dataset.sizes["scenario"] == 1 + len(WHAT_IFS)
    there = dataset.change_cost_per_million_tokens_mean.sel(platform="a", estimate="value")
    assert np.isnan(there.sel(scenario="base"))
    assert float(there.sel(scenario="idle")) == moved[COST.name]["mean"]["value"]


def test_an_unknown_what_if_is_named(study):
    with pytest.raises(ValueError, match="did you mean 'idle'"):
        simulator.run(study, what_ifs=["idel"])


@pytest.mark.parametrize("fails", ["made", "written"])
def test_no_room_for_the_numbers_of_what_ifs_is_said(load, monkeypatch, fails):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((tempfile, "TemporaryFile") if fails == "made" else (OnDisk, "add")), full)
    study = load(studies.study(what_ifs=WHAT_IFS, simulation={"trials": 512}))
    with pytest.raises(RunError, match=r"numbers of what-ifs cannot be kept .*: No space left on device; TMPDIR"):
        simulator.run(study, what_ifs="idle")
    assert simulator.run(study).records.scenarios == ["base"], "a run without what-ifs needs no room"
