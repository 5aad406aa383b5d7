"""`tco run --samples` as its users run it."""

import json
import re

import pandas
import pytest
import studies
from command import tco

from simulator.experiments import samples


@pytest.fixture
def study(tmp_path):
    return studies.write(tmp_path / "study.yaml", studies.study(what_ifs={"idle": {"set": {"shared.utilization": 0.3}}}))


def run(place, study, *options):
    return tco("run", study, "--out", place.parent / "runs", "--samples", place, *options)


def test_samples_stand_beside_the_run(study, tmp_path):
    done = run(tmp_path / "s", study, "--what-if", "all", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    found = pandas.read_parquet(tmp_path / "s")
    for scenario in ("base", "idle"):
        costs = found[found.scenario == scenario]["a/cost_per_million_tokens"].sort_values().to_numpy()
        assert costs[round(4096 * 0.75) - 1] == (
            document["scenarios"][scenario]["platforms"]["a"]["cost_per_million_tokens"]["p75"]["value"])
    before, after = [line for line in done.stderr.splitlines() if line.startswith("samples")]
    size = r"\d[\d.]* MB"
    assert re.fullmatch(rf"samples: 4,096 trials of each of 2 scenarios, \d+ columns, take about {size} at {tmp_path}/s", before)
    assert re.fullmatch(rf"samples written to {tmp_path}/s: 8,192 rows in 64 parts, {size}", after)
    assert len(list((tmp_path / "runs" / "test").iterdir())) == 1


def test_quiet_prints_nothing(study, tmp_path):
    done = run(tmp_path / "s", study, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "") and (tmp_path / "s" / "_manifest.json").exists()


def test_with_until_it_is_said_when_it_is_known_how_much_it_is(study, tmp_path):
    done = run(tmp_path / "s", study, "--until", "0.0001%", "--most-trials", "16384")
    assert done.exit_code == 0 and "samples: 16,384 trials, " in done.stderr and "16,384 rows" in done.stderr
    assert len(pandas.read_parquet(tmp_path / "s")) == 16384


@pytest.mark.parametrize("options", [(), ("--until", "1%")])
def test_a_place_that_is_taken_is_said_before_anything_is_run(study, tmp_path, options):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "letter.txt").write_text("mine")
    done = run(tmp_path / "s", study, *options)
    assert done.exit_code == 2 and done.stderr == (f"--samples: {tmp_path}/s is not empty: it holds letter.txt; expected a new "
                                                   "folder, or one where the same samples were begun\n")
    assert not (tmp_path / "runs").exists()


def test_several_studies_are_refused(study, tmp_path):
    done = tco("run", study, study, "--samples", tmp_path / "s", "--out", tmp_path / "runs")
    assert done.exit_code == 2 and "found 2 studies; expected one" in done.stderr and not (tmp_path / "runs").exists()


def test_the_same_command_goes_on_after_an_interruption(study, tmp_path, monkeypatch):
    real = samples.write_part
    written = []

    def interrupted(*task):
        written.append(task)
        if len(written) == 10:
            raise KeyboardInterrupt
        real(*task)

    with monkeypatch.context() as patch:
        patch.setattr(samples, "write_part", interrupted)
        done = run(tmp_path / "s", study, "--threads", "1")
    assert done.exit_code == 130 and "Traceback" not in done.stderr
    assert f"samples: 9 of 32 parts are at {tmp_path}/s; the same command goes on from there" in done.stderr
    again = run(tmp_path / "s", study)
    assert again.exit_code == 0
    there = int(re.search(r"; (\d+) of 32 parts are there already", again.stderr).group(1))
    assert 9 <= there < 32 and "4,096 rows in 32 parts" in again.stderr


def test_what_cannot_be_written_is_said_and_the_run_is_kept(study, tmp_path, monkeypatch):
    def full(*_):
        raise samples.SamplesError("/s/part cannot be written")

    monkeypatch.setattr(samples, "write_part", full)
    done = run(tmp_path / "s", study)
    assert done.exit_code == 1 and done.stderr.endswith("--samples: /s/part cannot be written\n")
    assert len(list((tmp_path / "runs" / "test").iterdir())) == 1
