"""`tco frontier` as its users run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import studies
from PIL import Image

import simulator
from simulator.locks import unfinished
from simulator.run_folder import finish


def tco(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "simulator", *map(str, arguments)], capture_output=True, text=True, check=False,
                          cwd=cwd, env={**os.environ, "PYTHONPATH": str(Path(simulator.__file__).parents[1])})


def study():
    data = studies.study(simulation={"trials": 1024})
    for name, curve in (("a", {"interactivity": [10, 100], "throughput": [24000, 240], "spread": 0.2}),
                        ("b", {"interactivity": [20, 200], "throughput": [2000, 200], "spread": 0.1})):
        del data["platforms"][name]["throughput"]
        data["platforms"][name] |= {"frontier": curve, "operating_point": {"model": "R1", "interactivity": 30}}
    return data


FILES = {"frontier.svg", "frontier.png", "frontier.json", "frontier.parquet", "study.yaml"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("frontier")
    done = tco("frontier", studies.write(place / "study.yaml", study()), "--out", place / "out")
    assert done.returncode == 0, done.stderr
    return place / "out", done


def test_it_says_what_it_costs_where_and_where_the_ranking_flips(finished):
    folder, done = finished
    for words in ("Cost against interactivity", "token/s/user", "not measured", "P50 (P5 to P95)",
                  "The ranking of a and b flips once", "It never flips between", "1,024 trials"):
        assert words in done.stdout
    assert f"written to {folder}" in done.stderr


def test_the_folder_is_whole(finished):
    folder, _ = finished
    assert {file.name for file in folder.iterdir()} == FILES and [file.name for file in folder.parent.iterdir() if
                                                                   file.name.startswith(".")] == []
    assert json.loads((folder / "frontier.json").read_text())["pairs"]["b/a"]["flips"]
    import pyarrow.parquet

    assert {"platform", "interactivity", "quantity", "statistic", "value", "unit"} <= set(
        pyarrow.parquet.read_table(folder / "frontier.parquet").column_names)


def test_the_chart_names_lines_and_axes(finished):
    folder, _ = finished
    svg = (folder / "frontier.svg").read_text()
    for words in ("USD per million tokens", "token/s/user", ">a<", ">b<", "flip at"):
        assert words in svg
    with Image.open(folder / "frontier.png") as image:
        assert min(image.size) > 600


def test_json_is_one_document_and_goes_into_runs_by_itself(tmp_path):
    file = studies.write(tmp_path / "study.yaml", study())
    done = tco("frontier", file, "--json", "--quiet", "--trials", 600, "--set", "platforms.b.rental_price=3", cwd=tmp_path)
    printed = json.loads(done.stdout)
    (folder,) = (tmp_path / "runs" / "test").iterdir()
    assert folder.name.startswith("frontier-") and json.loads((folder / "frontier.json").read_text()) == printed
    assert (done.stderr, printed["trials"]) == ("", 1024) and "600 trials asked for" in printed["warnings"][0]


def test_a_folder_that_is_there_keeps_what_else_it_holds(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a study.yaml").write_text("mine")
    (tmp_path / "there" / "frontier.json").write_text("of before")
    with unfinished(tmp_path) as temporary:
        (temporary / "frontier.json").write_text("new")
        finish(temporary, tmp_path / "there")
    assert {each.name: each.read_text() for each in (tmp_path / "there").iterdir()} == {
        "a study.yaml": "mine", "frontier.json": "new"}
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


def test_what_fails_half_way_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="full"), unfinished(tmp_path / "runs") as temporary:
        (temporary / "frontier.json").write_text("half")
        raise OSError("disk full")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(("changes", "words"), [
    ({"platforms.a.frontier.throughput": [1, 2]}, "expected a Pareto set"), ({"platforms.a.frontier.spread": 7}, "sd of the log"),
    ({"platforms.a.operating_point.interactivity": 500}, "measured from 10 to 100 token/s/user")])
def test_mistakes_have_a_message_and_status_2(tmp_path, changes, words):
    file = studies.write(tmp_path / "study.yaml", study())
    overrides = [part for path, value in changes.items() for part in ("--set", f"{path}={json.dumps(value)}")]
    done = tco("frontier", file, "--out", tmp_path / "out", *overrides)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_study_without_frontiers_and_a_place_that_is_none(tmp_path):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    done = tco("frontier", file, "--out", tmp_path / "out")
    assert done.returncode == 2 and "no platform with a frontier" in done.stderr and "tco import" in done.stderr
    done = tco("frontier", studies.write(tmp_path / "study.yaml", study()), "--out", file / "out")
    assert done.returncode == 1 and "no folder" in done.stderr
