"""`tco explain` as its users run it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import studies
from command import tco

import simulator
from simulator.finished_run import RunFolderError, read_run


def data():
    changed = studies.study()
    changed["platforms"]["a"]["throughput_factors"]["delivered_share"] = {
        "distribution": "empirical", "file": "shares.csv", "column": "share"}
    return changed


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run's folder, of a study that reads a data file."""
    place = tmp_path_factory.mktemp("explain")
    (place / "shares.csv").write_text("share\n" + "\n".join(f"{0.5 + k / 100}" for k in range(40)) + "\n")
    done = tco("run", studies.write(place / "study.yaml", data()), "--out", place / "runs", "--quiet")
    assert done.exit_code == 0, done.stderr
    (folder,) = (place / "runs" / "test").iterdir()
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def test_it_says_what_is_promised(finished):
    done = subprocess.run([sys.executable, "-m", "simulator", "explain", finished, "--percentile", "95", "--platform", "a"],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    value = json.loads((finished / "summary.json").read_text())["scenarios"]["base"]["platforms"]["a"][
        "cost_per_million_tokens"]["p95"]["value"]
    for words in (f"P95 of cost per million tokens: {value:.4f} USD", "bit for bit", "What was drawn", "shared.utilization",
                  "shared.energy_price, mean over the life", "Certain: ", "Costs in the same trial", "÷ least", "USD/kWh", "paid",
                  "year 1", "retired", "million tokens, both discounted", "4,096 trials"):
        assert words in done.stdout, words
    assert "month 1" not in done.stdout and "Traceback" not in done.stdout


def test_months_and_several_percentiles(finished):
    done = tco("explain", finished, "--percentile", "5", "--percentile", "95", "--platform", "b", "--months")
    assert done.exit_code == 0 and "P5 of cost" in done.stdout and "P95 of cost" in done.stdout
    assert done.stdout.count("month 12 ") == 2 and "USD/hour" in done.stdout


def test_json_is_one_document_and_its_flows_give_its_cost(finished):
    done = tco("explain", finished, "--percentile", "50", "--percentile", "95", "--quantity", "ratio", "--json")
    document = json.loads(done.stdout)
    assert (document["of"], document["quantity"], document["unit"], document["notes"]) == ("b/a", "ratio", "1", [])
    for trial in document["trials"]:
        costs = {name: platform["cost_per_million_tokens"] for name, platform in trial["platforms"].items()}
        assert trial["value"] == trial["reported"] == costs["b"] / costs["a"]
        for name, flows in trial["flows"].items():
            discount = np.array(flows["discount_factor"])
            paid = sum(np.array(amounts) for amounts in flows["costs"].values())
            tokens = np.sum(discount * np.array(flows["tokens"]))
            assert 1e6 * np.sum(discount * paid) / tokens == pytest.approx(costs[name], rel=1e-12)
        assert [given["path"] for given in trial["inputs"] if given["kind"] == "price"] == ["shared.energy_price"]
        assert all(0 <= given["percentile"]["low"] <= given["percentile"]["high"] <= 100 for given in trial["inputs"]
                   if "percentile" in given)


def test_from_python_a_folder_and_a_run_give_the_same(finished):
    folder = simulator.explain(finished, 95, platform="a")
    run = simulator.explain(simulator.run(read_run(finished).study), 95, platform="a")
    assert (folder.trials[0].value, folder.trials[0].inputs) == (run.trials[0].value, run.trials[0].inputs)


def test_numbers_that_differ_are_said_with_the_reason(copied):
    """As after an upgrade: another digest of the kernels, and another number in the summary."""
    manifest, summary = (json.loads((copied / name).read_text()) for name in ("manifest.json", "summary.json"))
    manifest["versions"]["kernels"] = "0123"
    cost = summary["scenarios"]["base"]["platforms"]["a"]["cost_per_million_tokens"]["p95"]
    cost["value"] = 0.25
    (copied / "manifest.json").write_text(json.dumps(manifest))
    (copied / "summary.json").write_text(json.dumps(summary))
    done = tco("explain", copied, "--platform", "a", "--json")
    (note,) = json.loads(done.stdout)["notes"]
    for words in ("the summary has 0.25 for P95", "kernels was 0123 and is ", "summary.json is not as the run wrote it"):
        assert words in note and words in done.stderr
    assert done.exit_code == 0


def test_data_that_changed_are_said(copied):
    (file,) = copied.glob("data-*.csv")
    file.write_text("share\n0.5\n0.6\n")
    found = simulator.explain(copied, 95, platform="a")
    assert found.trials[0].value != found.trials[0].reported and f"{file.name} is not as the run wrote it" in found.notes[0]


def spoil(name, text):
    return lambda folder: (folder / name).write_text(text)


def remove(name):
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(("change", "words"), [
    (remove("manifest.json"), "found no manifest.json in it; expected a run folder written by 'tco run'"),
    (remove("study.yaml"), "found no study.yaml, which its manifest names"), (remove("summary.json"), "found no summary.json"),
    (spoil("manifest.json", '{"schema": 1, "files"'), "manifest.json is no whole JSON document"),
    (spoil("manifest.json", '[1]'), "manifest.json is not that of a run"),
    (spoil("summary.json", '{"schema": 7, "scenarios": {}}'), "found schema 7"),
    (spoil("manifest.json", '{"schema": 1, "files": 3, "versions": {}, "study": ""}'), "manifest.json is not that of a run"),
])
def test_half_a_folder_is_said(copied, change, words):
    change(copied)
    with pytest.raises(RunFolderError) as caught:
        read_run(copied)
    assert words in str(caught.value)


def test_a_missing_data_file_is_said(copied):
    next(copied.glob("data-*.csv")).unlink()
    with pytest.raises(RunFolderError, match=r"found no data-\w+\.csv"):
        read_run(copied)


def test_what_only_shows_the_run_may_be_missing(copied):
    for name in ("ranges.svg", "results.nc", "summary.parquet"):
        (copied / name).unlink()
    assert simulator.explain(copied, 95, platform="a").notes == ()


def test_the_folder_of_all_runs_names_the_latest(finished):
    with pytest.raises(RunFolderError) as caught:
        read_run(finished.parents[1])
    assert f"the latest run in it is {finished}" in str(caught.value)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--platform", "c"], "expected a or b"), (["--percentile", "101"], "found the percentile 101"),
    (["--percentile", "x"], "Invalid value for '--percentile'"),
    (["--trial", "1"], "--trial N and --replicate R together"),
    (["--replicate", "1"], "--replicate alone"),
    (["--percentile", "5", "--trial", "1", "--replicate", "1"], "expected one of them"),
    (["--quantity", "rato"], "did you mean 'ratio'?"),
])
def test_wrong_options_are_said_with_status_2(finished, arguments, words):
    done = tco("explain", finished, *arguments)
    assert done.exit_code == 2 and words in done.stderr and done.stdout == ""


def test_folders_that_are_no_runs_are_said_with_status_2(tmp_path, copied):
    (copied / "study.yaml").write_text("study: 'half")
    for folder, words in ((tmp_path / "nowhere", "does not exist"), (tmp_path, "found no manifest.json"),
                          (copied, "is not as the run wrote it, and cannot be used")):
        done = tco("explain", folder)
        assert done.exit_code == 2 and words in done.stderr
