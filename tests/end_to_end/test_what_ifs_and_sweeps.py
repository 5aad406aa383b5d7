"""`tco run --what-if` and `tco sweep` as their users run them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import studies
import xarray
from PIL import Image

import simulator


def tco(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "simulator", *map(str, arguments)], capture_output=True, text=True, check=False,
                          cwd=cwd, env={**os.environ, "PYTHONPATH": str(Path(simulator.__file__).parents[1])})


def study():
    return studies.study(
        simulation={"trials": 1024},
        what_ifs={"idle": {"description": "Nobody comes.", "set": {"shared.utilization": 0.3}},
                  "measured": {"set": {"platforms.a.capex": {"distribution": "empirical", "file": "prices.csv", "column": "usd",
                                                            "unit": "kUSD/GPU"}}, "cost": 0.001},
                  "idle_and_dear": {"extends": "idle", "set": {"shared.energy_price.median": 90}}},
        sweeps={"rents": {"over": {"platforms.b.rental_price": {"from": 1, "to": 3, "points": 3}}}})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "prices.csv").write_text("usd\n40\n45\n50\n70\n", encoding="utf-8")
    studies.write(folder / "study.yaml", study())
    studies.write(folder / "over.yaml", {"shared": {"discount_rate": 0.06}})
    return folder


@pytest.fixture(scope="module")
def finished(place):
    """One run of all what-ifs, with a value from the command line that one of them sets too."""
    done = tco("run", place / "study.yaml", "--what-if", "all", "-f", place / "over.yaml",
               "--set", "shared.energy_price.median=60", "--out", place / "runs")
    assert done.returncode == 0, done.stderr
    (folder,) = (place / "runs" / "test").iterdir()
    return folder, done


def test_the_table_has_each_what_if_with_its_change(finished):
    _, done = finished
    assert "Traceback" not in done.stderr
    block = done.stdout[done.stdout.index("What-ifs:"):]
    for word in ("base", "idle", "idle_and_dear", "measured", "±", "Nobody comes.", "Hedges"):
        assert word in block
    assert block.count("+") > 4


def test_the_summary_and_the_manifest_name_what_was_run(finished):
    folder, _ = finished
    document = json.loads((folder / "summary.json").read_text())
    assert list(document["scenarios"]) == ["base", "idle", "measured", "idle_and_dear"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["what_ifs"] == {name: document["scenarios"][name]["digest"] for name in ("idle", "measured", "idle_and_dear")}
    with xarray.open_dataset(folder / "results.nc", engine="h5netcdf") as found:
        assert found.scenario.values.tolist() == ["base", "idle", "measured", "idle_and_dear"]
        assert "change_cost_per_million_tokens_mean" in found


def test_what_the_command_sets_wins_over_a_what_if(finished):
    """`--set` gives the median of the energy price, so that the dear what-if is no dearer than the idle one."""
    document = json.loads((finished[0] / "summary.json").read_text())["scenarios"]
    assert document["idle"]["platforms"]["a"] == document["idle_and_dear"]["platforms"]["a"]


def test_the_study_in_the_folder_runs_again_as_it_is(finished, tmp_path):
    """With its what-ifs, the files that they read, and what came from the command line."""
    folder, _ = finished
    again = tco("run", folder / "study.yaml", "--what-if", "all", "--json", "--out", tmp_path)
    assert again.returncode == 0, again.stderr
    before = json.loads((folder / "summary.json").read_text())
    after = json.loads(again.stdout)
    for scenario in before["scenarios"].values():
        scenario.pop("digest", None)  # of the same content in another order
    for scenario in after["scenarios"].values():
        scenario.pop("digest", None)
    assert before == after


def test_a_what_if_that_is_not_there_is_refused_before_anything_runs(place, tmp_path):
    done = tco("run", place / "study.yaml", "--what-if", "idel", "--out", tmp_path / "runs")
    assert done.returncode == 2
    assert "there is no what-if 'idel' in the study; did you mean 'idle'?" in done.stderr
    assert not done.stdout and not (tmp_path / "runs").exists()


def test_check_and_show_know_them(place, tmp_path):
    shown = tco("show", place / "study.yaml")
    assert "idle_and_dear" in shown.stdout and "over idle" in shown.stdout and "rents" in shown.stdout
    data = study()
    data["what_ifs"]["idle"]["set"] = {"shared.utilisation": 0.3}
    (tmp_path / "prices.csv").write_text("usd\n40\n45\n", encoding="utf-8")
    wrong = tco("check", studies.write(tmp_path / "study.yaml", data))
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 2  # how many, and the one: what extends it says it not again
    assert "did you mean 'utilization'?" in wrong.stderr


@pytest.fixture(scope="module")
def swept(place):
    done = tco("sweep", place / "study.yaml", "rents", "--out", place / "swept")
    assert done.returncode == 0, done.stderr
    return place / "swept", done


def test_a_sweep_prints_a_line_for_each_value(swept):
    folder, done = swept
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.lstrip()[:1].isdigit()][:3] == ["1", "2", "3"]
    assert str(folder) in done.stderr


def test_a_sweep_writes_its_folder(swept):
    folder, _ = swept
    assert {file.name for file in folder.iterdir()} == {
        "sweep.svg", "sweep.png", "sweep.nc", "sweep.json", "sweep.parquet", "study.yaml", next(
            file.name for file in folder.iterdir() if file.name.startswith("data-"))}
    with Image.open(folder / "sweep.png") as picture:
        assert picture.size[0] > 1000
    assert simulator.load(folder / "study.yaml").sweeps[0].name == "rents"


def test_a_grid_from_the_command_line_as_json(place, tmp_path):
    done = tco("sweep", place / "study.yaml", "--over", "shared.utilization=0.3,0.6",
               "--over", "platforms.b.rental_price=1:4:3:log", "--trials", 512, "--json", "--out", tmp_path / "grid")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [len(over["values"]) for over in document["over"]] == [2, 3]
    assert [point["at"]["platforms.b.rental_price"] for point in document["points"]] == [1, 2, 4] * 2
    assert document == json.loads((tmp_path / "grid" / "sweep.json").read_text())


@pytest.mark.parametrize(("arguments", "message"), [
    (["rent"], "did you mean 'rents'?"),
    ([], "found neither the name of a sweep nor --over"),
    (["--over", "shared.utilization=0.2"], "expected two values or more"),
    (["--over", "shared.utilisation=0.2,0.3"], "did you mean 'utilization'?"),
])
def test_mistakes_are_said_and_nothing_is_written(place, tmp_path, arguments, message):
    done = tco("sweep", place / "study.yaml", *arguments, "--trials", 512, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
