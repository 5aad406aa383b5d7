"""`tco verify` and `tco rerun` as their users run them."""

import json
import shutil

import pytest
import studies
from command import tco


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("verify")
    data = studies.study(simulation={"trials": 1024, "horizon": 10})
    done = tco("run", studies.write(place / "study.yaml", data), "--out", place / "runs", "--quiet")
    assert done.exit_code == 0, done.stderr
    (folder,) = (place / "runs" / "test").iterdir()
    return folder


@pytest.fixture
def changed(finished, tmp_path):
    """A folder in which one number was edited."""
    folder = shutil.copytree(finished, tmp_path / "copy")
    summary = json.loads((folder / "summary.json").read_text())
    summary["scenarios"]["base"]["platforms"]["a"]["cost_per_million_tokens"]["p95"]["value"] = 0.25
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_a_run_that_holds(finished):
    done = tco("verify", finished)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"test, {finished.name}: holds, bit for bit: ") and done.stdout.count("\n") == 1


def test_a_run_that_does_not_hold_says_what_differs_with_status_3(changed):
    done = tco("verify", changed)
    assert done.exit_code == 3
    for words in ("test, copy: does not hold, bit for bit", "summary.json is not as the run wrote it",
                  "1 entry of summary.json differs, of a",
                  "base.a.cost_per_million_tokens.p95.value: was 0.25 and is 0.", "relative difference "):
        assert words in done.stdout, words
    assert "Traceback" not in done.stdout + done.stderr


def test_an_upgrade_is_named_with_the_tolerance(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "copy")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"]["kernels"] = "0123"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = tco("verify", folder)
    assert done.exit_code == 0
    for words in ("test, copy: holds, to a tolerance", "kernels was 0123 and is ",
                  "tolerance: 1e-09 of the value + 1e-06 of its standard error"):
        assert words in done.stdout, words


def test_json_of_several_is_a_list_and_one_that_does_not_hold_sets_the_status(finished, changed):
    done = tco("verify", finished, changed, "--json")
    first, second = json.loads(done.stdout)
    assert done.exit_code == 3 and (first["holds"], second["holds"]) == (True, False)
    assert first["compared"] == "bit for bit" and "tolerance" not in first and first["differences"] == []
    assert second["changed_files"] == ["summary.json"]
    assert second["differences"][0]["path"] == ["scenarios", "base", "platforms", "a", "cost_per_million_tokens", "p95", "value"]
    assert second["differences"][0]["relative"] == pytest.approx(abs(second["differences"][0]["new"] - 0.25) / 0.25)


def test_folders_that_are_no_runs_have_status_2_and_nothing_is_run(finished, tmp_path):
    done = tco("verify", finished, tmp_path, tmp_path / "nowhere")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "found no manifest.json" in done.stderr and "does not exist" in done.stderr


@pytest.mark.parametrize("name", ["manifest.json", "summary.json"])
def test_a_run_of_a_newer_version_is_refused_in_words(finished, tmp_path, name):
    folder = shutil.copytree(finished, tmp_path / "copy")
    document = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**document, "schema": 2}))
    for command in ("verify", "rerun", "explain"):
        done = tco(command, folder)
        assert done.exit_code == 2
        assert f"{name}: found schema 2, of a newer version of tco; this version (" in done.stderr
        assert "reads schema 1: upgrade tco-simulator" in done.stderr


def test_rerun_keeps_a_run_with_the_same_summary(finished, tmp_path):
    done = tco("rerun", finished, "--out", tmp_path)
    assert done.exit_code == 0 and "holds, bit for bit" in done.stdout
    (folder,) = (tmp_path / "test").iterdir()
    assert f"written to {folder}" in done.stderr
    assert (folder / "summary.json").read_bytes() == (finished / "summary.json").read_bytes()
    assert {file.name for file in folder.iterdir()} == {file.name for file in finished.iterdir()}
    assert tco("verify", folder).exit_code == 0


def test_rerun_says_how_it_compares_and_keeps_the_run_all_the_same(changed, tmp_path):
    done = tco("rerun", changed, "--out", tmp_path / "new", "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 3 and document["holds"] is False
    assert tco("verify", document["rerun"]).exit_code == 0


def test_rerun_to_a_place_that_cannot_be_written_is_said_before_the_run(finished, tmp_path):
    (tmp_path / "file").write_text("")
    done = tco("rerun", finished, "--out", tmp_path / "file")
    assert done.exit_code == 1 and "choose another place with --out" in done.stderr and done.stdout == ""
