"""`tco run` as its users run it."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import studies
import xarray
from hypothesis import example, given
from hypothesis import strategies as st
from interrupts import heed_interrupts

import simulator


def tco(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "simulator", *map(str, arguments)], capture_output=True, text=True, check=False,
                          **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run through the command, its folder and what it printed."""
    place = tmp_path_factory.mktemp("run")
    file = studies.write(place / "study.yaml", studies.study())
    done = tco("run", file, "--out", place / "runs", "--set", "platforms.b.rental_price=2.5")
    assert done.returncode == 0, done.stderr
    (folder,) = (place / "runs" / "test").iterdir()
    return folder, done


def test_the_folder_holds_what_is_promised(finished):
    folder, done = finished
    assert {file.name for file in folder.iterdir()} == {
        "manifest.json", "study.yaml", "results.nc", "summary.json", "summary.parquet", "ranges.svg"}
    assert str(folder) in done.stderr


def test_the_manifest_knows_the_files(finished):
    folder, _ = finished
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {file.name for file in folder.iterdir()} - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.blake2b((folder / name).read_bytes(), digest_size=16).hexdigest() == digest
    assert folder.name.endswith(manifest["digest"]) and manifest["versions"]["numpy"]


def test_the_summary_has_the_promised_form(finished):
    folder, _ = finished
    document = json.loads((folder / "summary.json").read_text())
    promised = {"schema", "study", "trials", "replicates", "sampler", "seed", "digest", "scenarios", "warnings"}
    assert promised <= set(document)
    base = document["scenarios"]["base"]
    assert list(base["platforms"]) == ["a", "b"] and list(base["pairs"]) == ["b/a"]
    cost = base["platforms"]["a"]["cost_per_million_tokens"]
    assert {"unit", "mean", "sd", "p5", "p50", "p95", "cvar95"} <= set(cost)
    assert set(cost["p95"]) == {"value", "standard_error", "low", "high"}
    assert cost["p5"]["value"] < cost["p50"]["value"] < cost["p95"]["value"] < cost["cvar95"]["value"]
    parts = base["platforms"]["a"]["parts"]
    assert sum(part["mean"]["value"] for part in parts.values()) == pytest.approx(cost["mean"]["value"], rel=1e-12)
    assert "rent" not in parts and "energy_per_million_tokens" not in base["platforms"]["b"], "what does not apply is absent"
    chances = [platform["probability_cheapest"]["value"] for platform in base["platforms"].values()]
    assert sum(chances) == pytest.approx(1)
    pair = base["pairs"]["b/a"]
    assert pair["probability_cheaper"]["value"] == chances[1]
    assert {"unit", "mean", "sd", "p5", "p50", "p95"} <= set(pair["difference"]) and pair["difference"]["unit"] == "USD"
    assert pair["difference"]["mean"]["value"] == pytest.approx(
        base["platforms"]["b"]["cost_per_million_tokens"]["mean"]["value"] - cost["mean"]["value"], rel=1e-9)
    for order, unit in (("first", "1"), ("second", "USD")):
        found = pair["dominance"][order]
        assert found["unit"] == unit and found["later"]["verdict"] == "does not dominate"
        assert found["later"]["violation"]["low"] > 0 == found["earlier"]["violation"]["low"]


def test_the_dataset_agrees_with_the_summary_and_has_units(finished):
    folder, _ = finished
    document = json.loads((folder / "summary.json").read_text())
    with xarray.open_dataset(folder / "results.nc", engine="h5netcdf") as dataset:
        cost = dataset.cost_per_million_tokens_quantile.sel(platform="a", quantile=0.95, scenario="base")
        wanted = document["scenarios"]["base"]["platforms"]["a"]["cost_per_million_tokens"]["p95"]
        assert [float(cost.sel(estimate=name)) for name in ("value", "standard_error", "low", "high")] == list(wanted.values())
        assert all("long_name" in variable.attrs for variable in dataset.data_vars.values() if variable.dtype.kind == "f")
        assert cost.attrs["units"] == "USD"
        inputs = dict(zip(dataset.input.values.tolist(), dataset.input_units.values.tolist(), strict=True))
        assert inputs["shared.energy_price.median"] == "USD/kWh" and inputs["shared.energy_price.reversion_rate"] == "1/year"


def test_the_table_is_tidy(finished):
    import pyarrow.parquet

    folder, _ = finished
    table = pyarrow.parquet.read_table(folder / "summary.parquet")
    promised = {"study", "scenario", "platform", "quantity", "statistic", "value", "standard_error", "unit"}
    assert promised <= set(table.column_names)
    names = [tuple(row[key] for key in ("scenario", "platform", "quantity", "statistic")) for row in table.to_pylist()]
    assert len(set(names)) == len(names) > 50


def test_the_resolved_study_runs_as_it_is_and_gives_the_same(finished, tmp_path):
    folder, _ = finished
    again = tco("run", folder / "study.yaml", "--out", tmp_path, "--json", "--quiet", "--threads", "1")
    assert json.loads(again.stdout) == json.loads((folder / "summary.json").read_text())


def test_the_summary_reads_as_promised(finished):
    _, done = finished
    for words in ("Cost per million tokens, USD", "P5", "P50", "P95", "cheapest", "capex", "energy", "rent", "is cheapest in",
                  "Not modelled", "4,096 trials"):
        assert words in done.stdout
    rows = done.stdout[done.stdout.index("Cost per million"):done.stdout.index("Where the money")].splitlines()
    assert [row.split()[0] for row in rows[2:4]] == ["a", "b"], "sorted by median"


def test_json_is_one_document_and_nothing_else(tmp_path):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    done = tco("run", file, "--out", tmp_path / "runs", "--json", "--trials", 1000, "--seed", 7, "--sampler", "random")
    document = json.loads(done.stdout)
    assert (document["trials"], document["seed"], document["sampler"]) == (1024, 7, "random")
    assert "1,000 trials asked for, 1,024 run" in done.stderr


def test_quiet_prints_nothing(tmp_path):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    done = tco("run", file, "--out", tmp_path / "runs", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_failing_run_leaves_nothing_and_says_why(tmp_path):
    data = studies.study()
    data["platforms"]["b"] |= {"throughput": 1e-308, "rental_price": 1e308}
    done = tco("run", studies.write(tmp_path / "study.yaml", data), "--out", tmp_path / "runs")
    assert done.returncode == 1 and "the run failed" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    (tmp_path / "taken").write_text("")
    done = tco("run", file, "--out", tmp_path / "taken" / "runs")
    assert done.returncode == 1 and "cannot be written" in done.stderr and "--out" in done.stderr
    assert "Traceback" not in done.stderr


def test_unfinished_folders_are_removed(tmp_path, load, monkeypatch):
    from simulator import run_folder

    run = simulator.run(load(studies.study()))

    def broken(path):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_folder.save(run, tmp_path / "runs", {"extra": broken})
    assert list((tmp_path / "runs" / "test").iterdir()) == []


def test_two_runs_in_a_second_get_two_folders(tmp_path, load):
    from simulator import run_folder

    run = simulator.run(load(studies.study()))
    assert len({run_folder.save(run, tmp_path / "runs") for _ in range(3)}) == 3


def test_several_studies_at_once(tmp_path):
    files = [studies.write(tmp_path / f"{name}.yaml", studies.study(study=name)) for name in ("one", "two")]
    done = tco("run", *files, "--out", tmp_path / "runs", "--json", "--quiet")
    assert [document["study"] for document in json.loads(done.stdout)] == ["one", "two"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["index.parquet", "one", "two"]


def test_several_studies_are_all_checked_before_any_is_run(tmp_path):
    files = [studies.write(tmp_path / f"{name}.yaml", studies.study(study=name, schema=schema))
             for name, schema in [("good", 1), ("bad", 7), ("worse", 8)]]
    done = tco("run", *files, "--out", tmp_path / "runs")
    assert done.returncode == 2 and "found schema 7" in done.stderr and "found schema 8" in done.stderr
    assert not (tmp_path / "runs").exists()


# A study holds no control characters and no numbers of hundreds of digits: they are refused when it is read.
PRINTED = st.characters(exclude_categories=["Cc", "Cs"])


SCALARS = (st.none() | st.booleans() | st.integers(-2**64, 2**64) | st.floats(allow_nan=False, allow_infinity=False)
           | st.text(PRINTED))


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(PRINTED, min_size=1, max_size=12), inner, max_size=3), max_leaves=8))
@example([":0", "no", "1e3", "null", "a: b # c", "- x", " ", "", "2026-01-01", "0x1", "x" * 300, "{", "a\nb", "🙂"])
def test_a_resolved_study_is_written_as_it_was_read(value):
    from simulator.study.document import read_text
    from simulator.study.writing import study_yaml

    assert read_text(study_yaml({"note": value}), "study.yaml").tree == {"note": value}


def test_labels_with_markup_and_of_any_length_stay_text(tmp_path):
    data = studies.study()
    data["platforms"]["a"]["label"] = "[red]A & <b>$x_1$ — " + "very long " * 20
    done = tco("run", studies.write(tmp_path / "study.yaml", data), "--out", tmp_path / "runs")
    assert done.returncode == 0 and "[red]A & <b>" in done.stdout.replace("\n", " ")
    (svg,) = Path(tmp_path / "runs").rglob("ranges.svg")
    import xml.dom.minidom

    assert "&lt;b&gt;" in svg.read_text() and xml.dom.minidom.parse(str(svg))


def test_an_interrupted_run_leaves_nothing_and_says_so(tmp_path):
    file = studies.write(tmp_path / "study.yaml", studies.study())
    command = [sys.executable, "-m", "simulator", "run", str(file), "--trials", "1e11", "--out", str(tmp_path / "runs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=heed_interrupts) as running:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(6)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=30)
        except BaseException:
            running.kill()  # it would run for a day
            raise
    assert running.returncode == 130 and "interrupted" in said and "Traceback" not in said
    assert not (tmp_path / "runs").exists()


def test_version_and_help():
    assert tco("--version").stdout.startswith("tco-simulator ")
    assert "run" in tco("--help").stdout


def test_python_interface(load):
    study = load(studies.study())
    run = simulator.run(study.with_inputs({"shared.utilization": 0.5, "simulation.trials": 2048}))
    frame = run.summary.to_dataframe()
    cost = frame.query("platform == 'b' and quantity == 'cost_per_million_tokens' and statistic == 'mean'")
    assert cost.value.item() == run.estimate("b", "cost_per_million_tokens", "mean").value
    assert run.dataset.sizes["platform"] == 2
    assert study.inputs()["shared.utilization"].value.family == "beta", "the study itself is unchanged"
