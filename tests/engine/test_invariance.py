"""Results are a function of the study alone: not of threads, chunks, order or unrelated inputs."""

import copy

import numpy as np
import pytest
import studies

import simulator


def numbers(run, owners=None):
    """Every reported number, by name, to the last bit."""
    return {(r.owner, r.group, r.quantity, r.statistic): r.estimate for r in run.records if owners is None or r.owner in owners}


def alone(run, owner):
    """The numbers of one platform that do not involve others."""
    shared = ("probability_cheapest", "expected_regret")
    return {name: estimate for name, estimate in numbers(run, [owner]).items() if name[2] not in shared}


@pytest.fixture
def base(load):
    return simulator.run(load(studies.study()))


@pytest.mark.parametrize("sampler", ["sobol", "random"])
@pytest.mark.parametrize(("threads", "chunk_blocks"), [(1, 1), (2, 2), (3, 16), (8, 5)])
@pytest.mark.parametrize("few", [1 << 16, 0], ids=["all kept", "by bracket"])
def test_bit_identical_for_any_threads_and_chunks(load, monkeypatch, sampler, threads, chunk_blocks, few):
    # 1500 a replicate under `random`: the last block and the last chunk are not full.
    study = load(studies.study(), f"simulation.sampler={sampler}", "simulation.trials=48000")
    one = numbers(simulator.run(study, 1))
    monkeypatch.setattr("simulator.engine.run._FEW_TRIALS", few)
    monkeypatch.setattr("simulator.engine.selection_in_one_pass._FIRST", 1 << 10)
    assert numbers(simulator.run(study, threads, chunk_blocks=chunk_blocks)) == one


def test_the_same_twice_and_different_by_seed(load, base):
    again = simulator.run(load(studies.study()))
    other = simulator.run(load(studies.study(), "simulation.seed=1"))
    assert numbers(again) == numbers(base)
    name = ("a", "", "cost_per_million_tokens", "mean")
    assert numbers(other)[name] != numbers(base)[name]


def test_reordering_platforms_moves_nothing(load, base):
    data = studies.study()
    data["platforms"] = {"b": data["platforms"]["b"], "a": data["platforms"]["a"]}
    turned = simulator.run(load(data))
    for owner in "ab":
        assert numbers(turned, [owner]) == numbers(base, [owner])
    assert numbers(turned)["a/b", "", "probability_cheaper", ""] is not None


def test_another_platform_moves_nothing(load, base):
    data = studies.study()
    data["platforms"] = {"new": studies.RENTED, **data["platforms"], "z": studies.BOUGHT}
    more = simulator.run(load(data))
    for owner in "ab":
        assert alone(more, owner) == alone(base, owner)
    for name, estimate in numbers(base, ["b/a"]).items():
        found = numbers(more)[name]
        # What violates dominance is summed between the levels of all platforms, which may move its last digit.
        assert list(found.as_dict().values()) == pytest.approx(list(estimate.as_dict().values()), rel=1e-11) if (
            name[1] == "dominance") else found == estimate


@pytest.mark.parametrize(("change", "untouched"), [
    ("platforms.b.throughput_degradation={distribution: uniform, low: 0.01, high: 0.1}", "a"),
    ("platforms.b.throughput=4000", "a"),
    ("platforms.b.throughput_factors={x: {distribution: uniform, low: 0.5, high: 1}}", "a"),
    ("platforms.a.pue={distribution: uniform, low: 1.1, high: 1.3}", "b"),
    ("platforms.a.energy_price={process: mean_reverting, median: 0.05, reversion_rate: 2, volatility: 1}", "b"),
    ("platforms.a.capex=54000", "b"),
])
def test_unrelated_inputs_move_nothing(load, base, change, untouched):
    changed = simulator.run(load(studies.study(), change))
    assert alone(changed, untouched) == alone(base, untouched)
    assert alone(changed, "ab".replace(untouched, "")) != alone(base, "ab".replace(untouched, ""))


def test_an_input_made_certain_frees_no_slot(load, base):
    # The draws of all other inputs stay, so the sample of any other input is the same to the bit.
    fixed = simulator.run(load(studies.study(), "shared.utilization=0.65"))
    for path, values in fixed.sample.inputs.items():
        if path != "shared.utilization":
            np.testing.assert_array_equal(values, base.sample.inputs[path])


def test_shared_inputs_are_drawn_once_and_an_override_has_its_own_draw(load):
    data = studies.study(platforms={"a": studies.RENTED, "b": copy.deepcopy(studies.RENTED)})
    for platform in data["platforms"].values():
        platform["throughput"] = 5000
    del data["shared"]["energy_price"]
    tied = simulator.run(load(data))
    assert tied.estimate("b/a", "ratio", "p95").value == tied.estimate("b/a", "ratio", "p5").value == 1.0
    assert tied.estimate("a", "probability_cheapest").value == 0.5
    assert tied.estimate("b/a", "probability_cheaper").value == 0.0, "cheaper means strictly less"
    data["platforms"]["b"]["utilization"] = data["shared"]["utilization"]
    own = simulator.run(load(data))
    assert own.estimate("b/a", "ratio", "p95").value > 1.2
    assert alone(own, "a") == alone(tied, "a")


def test_seed_zero_is_a_seed_and_the_largest_works(load):
    runs = [simulator.run(load(studies.study(), f"simulation.seed={seed}")) for seed in (0, 1, 2**63, 2**64 - 1)]
    means = {run.estimate("a", "cost_per_million_tokens", "mean").value for run in runs}
    assert len(means) == 4
