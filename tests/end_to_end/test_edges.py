"""Studies at the edges: everything certain, one platform, probabilities of 0 and 1, very many trials, hardly any."""

import json
import math
import re
import sys
import tracemalloc

import pytest
import studies

import simulator
from simulator.analysis.intervals import Estimate

COST = "cost_per_million_tokens"
SAMPLERS = pytest.mark.parametrize("options", [("sampler=sobol",), ("sampler=latin_hypercube",), ("sampler=random",),
                                               ("sampler=random", "antithetic=true")], ids=" ".join)


def rented(price, throughput=1000):
    return {"ownership": "rent", "throughput": throughput, "rental_price": price}


def study_of(**platforms):
    return {"schema": 1, "study": "edges", "simulation": {"trials": 4096}, "shared": {"utilization": 0.5}, "platforms": platforms}


def settings(options):
    return [f"simulation.{option}" for option in options]


def printed(run):
    import io

    from rich.console import Console

    from simulator.reporting.terminal import summary

    text = io.StringIO()
    Console(file=text, width=160, markup=False).print(summary(run))
    return text.getvalue()


# Warnings of NumPy are errors in all tests (pyproject.toml).


@SAMPLERS
def test_where_all_is_certain_there_are_no_errors_and_no_nan(load, options):
    bought = {**studies.BOUGHT, "gpu_lifetime": 5, "throughput": 5500, "throughput_factors": {"delivered_share": 0.85},
              "capex": 54000, "energy_price": 0.08, "discount_rate": 0.08}
    run = simulator.run(load(study_of(a=bought, b=rented(3)), *settings(options)))
    for record in run.records:
        estimate = record.estimate
        assert estimate.standard_error == 0, record
        assert all(map(math.isfinite, estimate.as_dict().values())), record
        if "probability" not in record.quantity and record.group != "dominance":  # whose bounds are those of probabilities
            assert estimate.low == estimate.value == estimate.high, record
    cost = [run.estimate("b", COST, name).value for name in ("mean", "p5", "p50", "p95", "cvar95")]
    assert cost == [pytest.approx(3e6 / (1000 * 0.5 * 3600), rel=1e-15)] * 5 and len(set(cost)) == 1
    assert run.estimate("b", COST, "sd") == Estimate(0.0, 0.0, 0.0, 0.0)
    text = printed(run)
    assert not re.search(r"\b(nan|inf)\b", text) and "1.67" in text and "1.667" not in text
    assert json.dumps(run.summary.document, allow_nan=False) and run.dataset is not None


@SAMPLERS
def test_one_platform_has_no_pairs(load, options):
    run = simulator.run(load(study_of(a=rented({"distribution": "lognormal", "median": 2, "sigma": 0.3})), *settings(options)))
    assert not any(record.kind == "pair" for record in run.records)
    chance, regret = run.estimate("a", "probability_cheapest"), run.estimate("a", "expected_regret")
    assert (chance.value, chance.standard_error, chance.high) == (1, 0, 1) and 0.999 < chance.low < 1
    assert regret == Estimate(0.0, 0.0, 0.0, 0.0)
    document = run.summary.document["scenarios"]["base"]
    assert document["pairs"] == {} and list(document["platforms"]) == ["a"]
    assert run.dataset.sizes["platform"] == 1 and "÷" not in printed(run)


@SAMPLERS
def test_probabilities_of_0_and_1_are_bounded_by_clopper_and_pearson(load, options):
    wide = {"distribution": "lognormal", "median": 2, "sigma": 0.1}
    run = simulator.run(load(study_of(a=rented(wide), b=rented(50)), *settings(options)))
    bound = -math.expm1(math.log(0.025) / 4096)
    for owner, quantity, value in (("a", "probability_cheapest", 1), ("b", "probability_cheapest", 0),
                                   ("b/a", "probability_cheaper", 0)):
        found = run.estimate(owner, quantity)
        assert (found.value, found.standard_error) == (value, 0)
        assert (found.low, found.high) == pytest.approx((1 - bound, 1) if value else (0, bound), rel=1e-9)
    text = printed(run)
    assert "over 99.9 %" in text and "under 0.1 %" in text, "4096 trials do not show that it never happens"


@SAMPLERS
def test_seed_0_is_a_seed_like_others(load, options):
    def numbers(seed):
        run = simulator.run(load(studies.study(), *settings(options), f"simulation.seed={seed}"))
        return [run.estimate(name, COST, statistic) for name in "ab" for statistic in ("mean", "p5", "p50", "p95")]

    zero = numbers(0)
    assert zero == numbers(0)
    for seed in (1, 2**32, 2**64 - 1):
        assert not set(zero) & set(numbers(seed))


class Enough(Exception):
    pass


@SAMPLERS
@pytest.mark.parametrize("trials", [10**9, 10**12])
def test_a_thousand_million_trials_start_in_little_memory(load, options, trials):
    """An array of one byte a trial would take a thousand megabytes."""
    study = load(studies.study(), *settings(options), f"simulation.trials={trials}")
    assert study.simulation.trials >= trials
    shares = []

    def stop_soon(share):
        shares.append(share)
        if len(shares) == 3:
            raise Enough

    tracemalloc.start()
    try:
        with pytest.raises(Enough):
            simulator.run(study, threads=2, progress=stop_soon)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20 and 0 < shares[0] < shares[1] < shares[2] < 0.01


def test_memory_does_not_grow_with_the_trials(load, monkeypatch):
    """Whole runs that keep no trials, one of eight times as many."""
    monkeypatch.setattr("simulator.engine.run._FEW_TRIALS", 0)

    def peak(trials):
        study = load(study_of(a=rented({"distribution": "lognormal", "median": 2, "sigma": 0.3})), f"simulation.trials={trials}")
        simulator.run(study, threads=1)
        tracemalloc.start()
        try:
            simulator.run(study, threads=1)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(2**17), peak(2**20)
    assert many < 1.5 * few + (8 << 20)


@SAMPLERS
@pytest.mark.parametrize("trials", [1, 16, 31, 33])
def test_fewer_trials_than_replicates_are_made_enough_and_said(load, options, trials):
    study = load(studies.study(), *settings(options), f"simulation.trials={trials}")
    assert study.simulation.trials == 32 * 16 and any(f"{trials:,} trials asked for, 512 run" in note for note in study.warnings)
    run = simulator.run(study)
    for p in ("p5", "p50", "p95"):
        found = run.estimate("a", COST, p)
        assert found.low <= found.value <= found.high and math.isfinite(found.standard_error)


def tco(monkeypatch, capsys, *arguments):
    from simulator.cli import main

    monkeypatch.setattr(sys, "argv", ["tco", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, capsys.readouterr()


@pytest.mark.parametrize("sampler", ["sobol", "latin_hypercube", "random"])
@pytest.mark.parametrize(("path", "value", "expected"), [
    ("trials", "0", "at least 1"), ("trials", "-65536", "at least 1"), ("trials", "1e13", "at most 1,000,000,000,000"),
    ("trials", "1.5", "a whole number"), ("replicates", "1", "at least 16"), ("replicates", "0", "at least 16"),
    ("replicates", "-32", "at least 16"), ("replicates", "2000", "at most 1,024"), ("seed", "-1", "at least 0"),
    ("seed", "18446744073709551616", "at most 18,446,744,073,709,551,615")])
def test_numbers_of_a_simulation_that_make_no_sense_are_refused(tmp_path, monkeypatch, capsys, sampler, path, value, expected):
    """One replicate too, whatever the sampler: errors of sd, expected shortfall and break-even price come from replicates."""
    file = studies.write(tmp_path / "study.yaml", studies.study())
    status, said = tco(monkeypatch, capsys, "run", file, "--set", f"simulation.{path}={value}", "--sampler", sampler,
                       "--out", tmp_path / "runs")
    assert (status, said.out) == (2, "") and f"simulation.{path}: found" in said.err and expected in said.err
    assert "Traceback" not in said.err and not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("option", "value", "words"), [
    ("--trials", "0", "at least 1"), ("--trials", "-5", "at least 1"), ("--trials", "1e15", "at most 1,000,000,000,000"),
    ("--trials", "many", "whole number"), ("--trials", "1e400", "whole number"), ("--seed", "-1", "at least 0"),
    ("--threads", "-1", "greater than or equal to 0")])
def test_options_that_make_no_sense_are_refused(tmp_path, monkeypatch, capsys, option, value, words):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    status, said = tco(monkeypatch, capsys, "run", file, option, value, "--out", tmp_path / "runs")
    assert (status, said.out) == (2, "") and words in said.err and not (tmp_path / "runs").exists()
