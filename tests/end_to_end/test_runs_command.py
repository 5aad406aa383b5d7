"""`tco runs`: whole runs are listed, half ones are named."""

import json
import os
import shutil
from datetime import datetime

import pytest
import studies
from command import tco

import simulator
from simulator import run_folder
from simulator.experiments.run_list import list_runs


def dated(folder, when):
    """The folder as if its run had finished then."""
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "finished": when}))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three runs: of two platforms with a what-if, of the same with dear rent, of one platform."""
    place = tmp_path_factory.mktemp("runs")
    data = studies.study(study="Rent or buy", simulation={"trials": 512, "horizon": 10},
                         what_ifs={"dear": {"set": {"platforms.b.rental_price": 20}}})
    data["platforms"]["b"]["rental_price"] = 0.2
    study = simulator.load(studies.write(place / "study.yaml", data))
    alone = studies.study(study="Alone", simulation={"trials": 512, "horizon": 10})
    del alone["platforms"]["b"]
    first = run_folder.save(simulator.run(study, what_ifs="all"), place / "runs")
    second = run_folder.save(simulator.run(study.with_inputs({"platforms.b.rental_price": 20})), place / "runs")
    third = run_folder.save(simulator.run(simulator.load(studies.write(place / "alone.yaml", alone))), place / "runs")
    return [dated(folder, f"2026-0{month}-01T12:00:00+00:00") for folder, month in ((first, 3), (second, 5), (third, 4))]


@pytest.fixture
def runs(made):
    return made[0].parents[1]


@pytest.fixture
def copied(runs, tmp_path):
    return shutil.copytree(runs, tmp_path / "copy")


def test_newest_first_with_winner_and_median(runs, made):
    done = tco("runs", runs)
    lines = done.stdout.splitlines()
    assert (done.exit_code, done.stderr) == (0, "") and len(lines) == 4
    for line, folder in zip(lines[1:], (made[1], made[2], made[0]), strict=True):
        assert line.endswith(str(folder))
    assert lines[0].split() == ["finished", "study", "trials", "cheapest", "in", "P50", "[USD]", "what-ifs", "folder"]
    assert "Rent or buy" in lines[1] and "512" in lines[1] and "dear" in lines[3] and "dear" not in lines[1]
    assert "%" in lines[1] and "%" not in lines[2], "one platform has no rival"


def test_json_has_the_numbers_of_the_summaries(runs, made):
    document = json.loads(tco("runs", runs, "--json").stdout)
    assert document["unreadable"] == [] and [run["folder"] for run in document["runs"]] == [str(made[k]) for k in (1, 2, 0)]
    for run in document["runs"]:
        platforms = json.loads((type(made[0])(run["folder"]) / "summary.json").read_text())["scenarios"]["base"]["platforms"]
        best = run["cheapest"]
        assert best["cost_per_million_tokens"]["p50"] == platforms[best["platform"]]["cost_per_million_tokens"]["p50"]
        chances = [platform.get("probability_cheapest", {"value": 1})["value"] for platform in platforms.values()]
        assert best.get("probability_cheapest", {"value": 1})["value"] == max(chances)
    assert [run["cheapest"]["platform"] for run in document["runs"]] == ["a", "a", "b"]


@pytest.mark.parametrize(("options", "months"), [
    (["--study", "rent"], [5, 3]), (["--study", "rent-or-buy"], [5, 3]), (["--study", "nothing"], []),
    (["--since", "2026-04-01"], [5, 4]), (["--since", "2026-04-01T12:00:00+00:00"], [5, 4]),
    (["--since", "2026-04-01T12:00:01+00:00"], [5]),
    (["--where", "platforms.b.probability_cheapest > 0.9"], [3]), (["--where", "platforms.b.probability_cheapest<=0.5"], [5]),
    (["--where", "pairs.b/a.ratio.p50 > 1"], [5]),
    (["--where", "scenarios.dear.platforms.a.probability_cheapest > 0.9"], [3]),
    (["--where", "platforms.a.cost_per_million_tokens.p50 > 0", "--where", "platforms.b.expected_regret >= 0"], [5, 3]),
])
def test_filters(runs, options, months):
    found = json.loads(tco("runs", runs, *options, "--json").stdout)["runs"]
    assert [datetime.fromisoformat(run["finished"]).month for run in found] == months


def test_a_number_that_no_run_has_is_said(runs):
    done = tco("runs", runs, "--where", "platforms.c.probability_cheapest > 0")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "none of these runs has the number of --where 'platforms.c.prob" in done.stderr and "no finished run" in done.stderr


def unfinished(folder):
    folder.rename(folder.with_name(".unfinished-x1"))


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda folder: (folder / "manifest.json").unlink(), "found no manifest.json in it; copy all of the folder"),
    (lambda folder: (folder / "summary.json").unlink(), "found no summary.json"),
    (lambda folder: (folder / "study.yaml").unlink(), "found no study.yaml, which its manifest names"),
    (lambda folder: (folder / "summary.json").write_text('{"schema": 1, "scen'), "summary.json is no whole JSON document"),
    (lambda folder: (folder / "summary.json").write_text('{"schema": 1, "scenarios": {"base": {"platforms": {}, "pairs": {}}}}'),
     "are not those of a run"),
    (lambda folder: (folder / "summary.json").write_text(
        (folder / "summary.json").read_text().replace('"value": ', '"value": NaN, "was": ', 1)), "is no whole JSON document"),
    (lambda folder: (folder / "summary.json").write_text(
        (folder / "summary.json").read_text().replace('"value": ', '"value": "much", "was": ')), "are not those of a run"),
    (lambda folder: (folder / "manifest.json").write_text('{"schema": 9}'), "found schema 9, of a newer version of tco"),
    (lambda folder: dated(folder, "yesterday"), "are not those of a run"),
    (lambda folder: [file.unlink() for file in folder.iterdir()], "found no manifest.json"),
    (unfinished, "the run broke off"),
])
def test_half_a_run_is_named_and_the_others_are_listed(copied, made, spoil, words):
    folder = copied / made[2].relative_to(made[2].parents[1])
    spoil(folder)
    done = tco("runs", copied)
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 3
    (note,) = done.stderr.splitlines()
    assert words in note and str(folder.parent) in note
    document = json.loads(tco("runs", copied, "--json").stdout)
    assert len(document["runs"]) == 2 and words in document["unreadable"][0]["reason"]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="nothing is unreadable to root")
def test_what_cannot_be_opened_is_named(copied, made):
    folder = copied / made[2].relative_to(made[2].parents[1])
    (folder / "summary.json").chmod(0)
    assert list_runs(copied).unreadable[0][1].startswith("summary.json cannot be read")


def test_sweeps_and_other_folders_are_no_runs(copied):
    (copied / "alone" / "sweep-x-20260101T000000-0123456789abcdef").mkdir()
    (copied / "alone" / "sweep-x-20260101T000000-0123456789abcdef" / "study.yaml").write_text("schema: 1\n")
    assert len(list_runs(copied).runs) == 3 and list_runs(copied).unreadable == ()


def test_nothing_there_and_no_folder(tmp_path):
    done = tco("runs", tmp_path)
    assert done.exit_code == 0 and f"no finished run in {tmp_path}" in done.stderr
    done = tco("runs", tmp_path / "nowhere")
    assert done.exit_code == 2 and "there is no such folder" in done.stderr


@pytest.mark.parametrize(("options", "words"), [
    (["--where", "platforms.a"], "--where: found 'platforms.a'; expected PATH < NUMBER"),
    (["--where", "platforms.a.payback.p50 > soon"], "--where: found 'soon' after >; expected a number"),
    (["--since", "spring"], "--since: found 'spring'; expected a day such as")])
def test_wrong_filters_have_status_2(runs, options, words):
    done = tco("runs", runs, *options)
    assert (done.exit_code, done.stdout) == (2, "") and words in done.stderr
