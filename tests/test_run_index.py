"""The index of runs: what the folders say, and nothing that they do not."""

import json
import os
import shutil

import numpy as np
import pyarrow.parquet
import pytest
import studies
from whole_runs import leftovers

import simulator
from simulator import run_folder, run_index


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with two runs, one with a what-if, and one of a single platform."""
    place = tmp_path_factory.mktemp("index")
    two = studies.study(what_ifs={"costly": {"set": {"shared.discount_rate": 0.2}}})
    one = studies.study(study="alone", platforms={"a": studies.BOUGHT})
    runs = [simulator.run(simulator.load(studies.write(place / f"{number}.yaml", data)), what_ifs="all")
            for number, data in enumerate((two, one))]
    folders = [run_folder.save(run, place / "runs") for run in runs]
    return place / "runs", runs, folders


@pytest.fixture
def runs(made, tmp_path):
    return shutil.copytree(made[0], tmp_path / "runs")


def test_a_row_for_every_run_scenario_and_platform(made):
    _, finished, folders = made
    rows = run_index.index_of(made[0])
    assert sorted((row["study"], row["scenario"], row["platform"]) for row in rows) == [
        ("alone", "base", "a"), ("test", "base", "a"), ("test", "base", "b"), ("test", "costly", "a"), ("test", "costly", "b")]
    for row in rows:
        run = finished[row["study"] == "alone"]
        for statistic in ("mean", "p5", "p50", "p95", "cvar95"):
            cost = run.estimate(row["platform"], "cost_per_million_tokens", statistic, row["scenario"])
            assert row[f"cost_{statistic}"] == cost.value
        assert row["folder"] == folders[row["study"] == "alone"].relative_to(made[0]).as_posix()
        assert row["digest"] == run.study.digest and row["seed"] == 0 and row["trials"] == 4096
        assert row["scenario_digest"] == (run.what_ifs["costly"] if row["scenario"] == "costly" else run.study.digest)
        chance = run.find(row["platform"], "probability_cheapest", scenario=row["scenario"])
        assert row["probability_cheapest"] == (chance.value if chance else None)


def test_the_table_holds_the_rows_with_their_types(runs):
    table = pyarrow.parquet.read_table(run_index.write_index(runs))
    assert table.to_pylist() == run_index.index_of(runs) and len(table) == 5
    kinds = {str: "string", int: "int64", np.uint64: "uint64", float: "double"}
    assert {field.name: str(field.type) for field in table.schema} == {
        name: kinds[kind] for name, kind in run_index.COLUMNS.items()}
    assert [file.name for file in runs.iterdir() if file.is_file()] == ["index.parquet"]


def test_what_is_known_is_not_read_again_and_what_changed_is(runs):
    run_index.write_index(runs)
    before = run_index.index_of(runs)
    first, second = (runs / row["folder"] for row in (before[0], before[-1]))
    for name in ("summary.json", "summary.parquet"):
        (first / name).write_text("no longer read")
    assert run_index.index_of(runs) == before
    os.utime(first / "manifest.json", ns=(1, 1))
    assert {row["folder"] for row in run_index.index_of(runs)} == {before[-1]["folder"]}
    shutil.rmtree(second)
    assert run_index.index_of(runs) == [] and len(pyarrow.parquet.read_table(run_index.write_index(runs))) == 0


@pytest.mark.parametrize("text", [b"", b"PAR1 and no more", None])
def test_an_index_that_is_none_is_made_anew(runs, text):
    if text is None:
        pyarrow.parquet.write_table(pyarrow.table({"folder": ["x"]}), runs / "index.parquet")
    else:
        (runs / "index.parquet").write_bytes(text)
    run_index.write_index(runs)
    assert len(pyarrow.parquet.read_table(runs / "index.parquet")) == 5


def test_what_is_no_run_is_passed_over(runs, tmp_path):
    rows = run_index.index_of(runs)
    others = {"a/sweep-x": None, "a/.unfinished-x": {}, "b/other": {"study": "x"}, "b/list": [], ".hidden/x": {}}
    for name, manifest in others.items():
        (runs / name).mkdir(parents=True)
        if manifest is not None:
            (runs / name / "manifest.json").write_text(json.dumps(manifest))
    (runs / "a file").write_text("")
    assert run_index.index_of(runs) == rows
    assert run_index.index_of(tmp_path / "nowhere") == []


def test_a_failed_write_leaves_the_index_as_it_was(runs, monkeypatch):
    before = run_index.write_index(runs).read_bytes()

    def full(tables, path):
        path.write_bytes(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_index, "write_tables", full)
    with pytest.raises(OSError, match="No space"):
        run_index.write_index(runs)
    assert (runs / "index.parquet").read_bytes() == before and not leftovers(runs)


@pytest.mark.parametrize("which", ["no table", "no labels", "a broken table"])
def test_a_run_without_a_table_or_of_an_earlier_version_is_read_from_its_summary(runs, which):
    expected = run_index.index_of(runs)
    for folder, _ in run_index.run_folders(runs):
        manifest = json.loads((folder / "manifest.json").read_text())
        written = (folder / "manifest.json").stat().st_mtime_ns
        if which == "no labels":
            del manifest["labels"]
        elif which == "no table":
            (folder / "summary.parquet").unlink()
        else:
            (folder / "summary.parquet").write_bytes(b"PAR1")
        (folder / "manifest.json").write_text(json.dumps(manifest))
        os.utime(folder / "manifest.json", ns=(written, written))
    assert run_index.index_of(runs) == expected


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_table_is_read_group_by_group_wherever_they_end(runs, rows):
    expected = run_index.index_of(runs)
    for folder, _ in run_index.run_folders(runs):
        table = pyarrow.parquet.read_table(folder / "summary.parquet")
        pyarrow.parquet.write_table(table, folder / "summary.parquet", row_group_size=rows)
    assert run_index.index_of(runs) == expected


def test_the_index_of_many_rows_is_written_in_parts(runs, monkeypatch):
    expected = run_index.index_of(runs)
    for module in (run_index, run_folder):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(run_folder, "_TABLES_TO_A_GROUP", 1)
    for _ in range(2):  # made anew, and of what is known
        file = pyarrow.parquet.ParquetFile(run_index.write_index(runs))
        assert file.num_row_groups == 3 and file.read().to_pylist() == expected


def test_the_largest_seed_has_its_place(load, tmp_path):
    run_folder.save(simulator.run(load(studies.study(), f"simulation.seed={2**64 - 1}")), tmp_path / "runs")
    run_index.write_index(tmp_path / "runs")
    assert {row["seed"] for row in run_index.index_of(tmp_path / "runs")} == {2**64 - 1}
