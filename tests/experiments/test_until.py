"""A stop rule doubles the trials until what was asked for is reached, and says what came of it."""

import json
import sys

import pytest
import studies

import simulator
from simulator.experiments.until import MOST_TRIALS, StopRule, StopRuleError, stop_rule
from simulator.reporting.wording import why_stopped

COST = "cost_per_million_tokens"
FEW = "simulation.trials=512"


def rented(price, throughput=1000, **more):
    return {"ownership": "rent", "throughput": throughput, "rental_price": price, **more}


def study_of(**platforms):
    return {"schema": 1, "study": "until", "shared": {"utilization": 0.5}, "platforms": platforms}


def lognormal(median, sigma=0.3):
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


def relative_errors(run, statistics=("mean", "p5", "p50", "p95")):
    found = [run.estimate(p.name, COST, statistic) for p in run.study.platforms for statistic in statistics]
    return [estimate.standard_error / estimate.value for estimate in found]


@pytest.mark.parametrize("options", [("sampler=sobol",), ("sampler=latin_hypercube",), ("sampler=random",),
                                     ("sampler=random", "antithetic=true")], ids=" ".join)
def test_errors_are_reached_and_were_not_with_half_the_trials(load, options):
    study = load(studies.study(), FEW, *(f"simulation.{option}" for option in options))
    run = simulator.run(study, until="0.6%")
    trials = run.study.simulation.trials
    assert max(relative_errors(run)) == run.stopped.worst.relative_error <= 0.006
    assert run.stopped.reached and trials in [512 * 2**k for k in range(1, 12)]
    before = simulator.run(study.with_inputs({"simulation.trials": trials // 2}))
    assert max(relative_errors(before)) > 0.006
    again = simulator.run(study.with_inputs({"simulation.trials": trials}))
    assert again.records == run.records, "a run of so many trials, however it came to them"


def test_the_errors_that_are_named_decide(load):
    study = load(studies.study(), FEW)
    tail = simulator.run(study, until=StopRule(0.01, ("p95", "cvar95")))
    assert max(relative_errors(tail, ("p95", "cvar95"))) == tail.stopped.worst.relative_error <= 0.01
    pair = simulator.run(study, until=StopRule(0.02, ("ratio.p50", "probability_cheaper", "parts.capex.mean")))
    worst = pair.stopped.worst
    found = [pair.estimate("b/a", "ratio", "p50"), pair.estimate("b/a", "probability_cheaper"),
             pair.estimate("a", "parts.capex", "mean")]
    assert worst.relative_error == max(estimate.standard_error / estimate.value for estimate in found) <= 0.02
    assert (worst.kind, worst.owner, worst.statistic) == ("pair", "b/a", "probability_cheaper")


def test_a_cap_is_kept_and_said(load):
    run = simulator.run(load(studies.study(), FEW), until=StopRule(1e-5, most_trials=3000))
    assert run.study.simulation.trials == 2048 and not run.stopped.reached
    document = run.summary.document["until"]
    assert document["target"] == 1e-5 and document["reached"] is False and document["trials"] == 2048
    assert document["worst"] == {"platform": run.stopped.worst.owner, "statistic": run.stopped.worst.statistic,
                                 "relative_error": max(relative_errors(run))}
    assert "not down to 0.0010 % after 2,048 trials, the most allowed" in why_stopped(run)


@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_a_close_race_takes_more_trials_than_a_clear_one(load, sampler):
    def trials(price):
        data = study_of(a=rented(lognormal(2)), b=rented(lognormal(price)), c=rented(9))
        run = simulator.run(load(data, FEW, f"simulation.sampler={sampler}"), until=StopRule(None, most_trials=2**20))
        assert run.stopped.reached
        means = [run.estimate(name, COST, "mean").value for name in "abc"]
        assert means == sorted(means), "as the true means are"
        return run.study.simulation.trials

    assert trials(3) == 512 < trials(2.02)


@pytest.mark.parametrize("seed", range(4))
def test_platforms_of_equal_mean_stop_at_the_cap(load, seed):
    """Equal distributions, independent draws: told apart, at any of the looks, in 5 % of cases at most."""
    data = study_of(a=rented(lognormal(2)), b=rented(lognormal(2)))
    run = simulator.run(load(data, FEW, "simulation.sampler=random", f"simulation.seed={seed}"),
                        until=StopRule(None, most_trials=2**14))
    assert not run.stopped.reached and run.study.simulation.trials == 2**14
    assert "a and b are too close to be told apart" in why_stopped(run)
    assert run.summary.document["until"]["worst"]["pair"] == "b/a"


def test_platforms_that_cost_the_same_in_every_trial_end_it_at_once(load):
    data = study_of(a=rented(2), b=rented(2), c=rented(lognormal(4)))
    run = simulator.run(load(data, FEW), until="ranking")
    assert not run.stopped.reached and run.study.simulation.trials == 512
    assert "nor will be: a and b cost the same in every one" in why_stopped(run)
    assert json.dumps(run.summary.document, allow_nan=False)


def test_certain_costs_have_no_error_and_are_ranked_at_once(load):
    study = load(study_of(a=rented(2), b=rented(3)), FEW)
    for rule in ("0.0001%", "ranking"):
        run = simulator.run(study, until=rule)
        assert run.stopped.reached and run.stopped.worst.relative_error == 0 and run.study.simulation.trials == 512


def test_what_never_happened_is_bounded_before_it_is_believed(load):
    """A probability of 0 has no relative error; its bound at 95 %, 3.69 ÷ n, has to come down instead."""
    study = load(study_of(a=rented(lognormal(2, 0.01)), b=rented(9)), FEW)
    run = simulator.run(study, until=StopRule(0.001, ("probability_cheapest",)))
    assert run.stopped.reached and run.study.simulation.trials == 4096


def test_the_base_decides_and_other_evidence_is_run_with_as_many_trials(load):
    both = {"claim": {"distribution": "lognormal", "median": 1500, "sigma": 0.001}, "measured": lognormal(1000, 0.5)}
    run = simulator.run(load(study_of(a=rented(2, both)), FEW), until="1%")
    assert run.stopped.reached and run.study.simulation.trials > 512
    alone = simulator.run(load(study_of(a=rented(2, both)), f"simulation.trials={run.study.simulation.trials}"))
    assert {record.scenario for record in run.records} == {"base", "with_claims"} and run.records == alone.records


@pytest.mark.parametrize(("target", "share"), [("0.1%", 0.001), ("0.001", 0.001), (" 5 % ", 0.05), ("1e-4", 1e-4),
                                               ("ranking", None)])
def test_targets_are_read(target, share):
    rule = stop_rule(target)
    assert rule.target == (None if share is None else pytest.approx(share)) and rule.most_trials == MOST_TRIALS


def tco(monkeypatch, capsys, *arguments):
    from simulator.cli import main

    monkeypatch.setattr(sys, "argv", ["tco", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, capsys.readouterr()


@pytest.mark.parametrize(("options", "words"), [
    (["--until", "5"], "--until 5: found 5; expected a share such as 0.1% or the word ranking"),
    (["--until", "0"], "found 0; expected a share"), (["--until", "-0.1%"], "found -0.1%; expected a share"),
    (["--until", "100%"], "found 100%; expected"), (["--until", "nan"], "found nan; expected"),
    (["--until", "rank"], "found rank; expected"), (["--until", ""], "found nothing; expected"),
    (["--until", "ranking", "--until-statistics", "p95"], "beside 'ranking', which looks at mean costs"),
    (["--until-statistics", "p95"], "found it without --until"), (["--most-trials", "1e6"], "found it without --until"),
    (["--until", "1%", "--until-statistics", "mean,p96"], "found the statistic 'p96', which this study does not give"),
    (["--until", "1%", "--until-statistics", "ratio_p50"], "did you mean 'ratio.p50'?"),
    (["--until", "1%", "--most-trials", "100"], "found 4,096 trials to begin with, and 100 at most"),
    (["--until", "1%", "--most-trials", "0"], "0 at most"), (["--until", "1%", "--most-trials", "x"], "whole number")])
def test_wrong_rules_have_one_message(tmp_path, monkeypatch, capsys, options, words):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    status, said = tco(monkeypatch, capsys, "run", file, *options, "--out", tmp_path / "runs")
    assert (status, said.out) == (2, "") and words in said.err and "Traceback" not in said.err
    assert not (tmp_path / "runs").exists()


def test_one_platform_has_no_ranking_and_is_said_before_anything_runs(tmp_path, monkeypatch, capsys):
    two = studies.write(tmp_path / "two.yaml", studies.study())
    one = studies.write(tmp_path / "one.yaml", study_of(a=rented(2)))
    status, said = tco(monkeypatch, capsys, "run", two, one, "--until", "ranking", "--out", tmp_path / "runs")
    assert status == 2 and "one.yaml: --until: found one platform" in said.err and not (tmp_path / "runs").exists()


def test_the_command_says_what_was_reached_and_its_folder_runs_again_the_same(tmp_path, monkeypatch, capsys):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    status, said = tco(monkeypatch, capsys, "run", file, "--trials", "512", "--until", "0.5%", "--out", tmp_path / "runs")
    assert status in (0, None)
    (folder,) = (tmp_path / "runs" / "test").iterdir()
    document = json.loads((folder / "summary.json").read_text())
    sentence = f"Relative errors are at most 0.50 % after {document['trials']:,} trials"
    assert sentence in said.err and sentence in said.out and document["until"]["trials"] == document["trials"] > 512
    status, said = tco(monkeypatch, capsys, "run", folder / "study.yaml", "--json", "-q", "--out", tmp_path / "again")
    again = json.loads(said.out)
    assert {key: value for key, value in document.items() if key != "until"} == again


def test_rules_of_other_types_are_refused(load):
    study = load(studies.study(), FEW)
    assert simulator.run(study, until=0.05).stopped.reached
    with pytest.raises(StopRuleError, match="expected a share"):
        simulator.run(study, until=5)


def test_a_study_of_claims_stays_one_when_trials_are_doubled(load):
    data = studies.study()
    data["platforms"]["b"]["throughput"] = {"measured": 3000, "claim": 6000}
    claimed = load(data).with_evidence("claim")
    assert claimed.with_inputs({"simulation.trials": 8192}).inputs()["platforms.b.throughput"].value.parameters[0] == 6000
