"""Samples are every trial of the run, to the bit, whoever writes them and whatever dies on the way; a manifest means all."""

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas
import pyarrow.dataset
import pyarrow.parquet
import pytest
import studies

import simulator
from simulator.experiments import sample_place, samples
from simulator.experiments.sample_parts import STUDY, write_part
from simulator.experiments.sample_place import SamplesError, WrongPlaceError
from simulator.experiments.samples import MANIFEST, prepare, write_samples
from simulator.experiments.until import StopRule
from simulator.experiments.what_ifs import run_with_what_ifs
from simulator.results import PERCENTILES

COST = "cost_per_million_tokens"
Usage = namedtuple("Usage", "total used free")


def data(**simulation):
    """A study with both kinds of evidence, what-ifs of which one has more inputs, and a payback that not all reach."""
    found = studies.study(simulation={"trials": 8192, "replicates": 16, "horizon": 10, **simulation}, what_ifs={
        "idle": {"set": {"shared.utilization": 0.3}},
        "staffed": {"set": {"platforms.a.opex": {"distribution": "uniform", "low": 100, "high": 900}}},
        "long": {"set": {"simulation.horizon": 12}}})
    found["platforms"]["a"] |= {"token_price": {"distribution": "uniform", "low": 0.05, "high": 0.6}, "throughput": {
        "claim": 9000, "measured": {"distribution": "lognormal", "p5": 4700, "p95": 6700}, "use": "measured"}}
    return found


@pytest.fixture
def study(load):
    return load(data())


@pytest.fixture
def small_parts(monkeypatch):
    """Several parts to a replicate."""
    monkeypatch.setattr(samples, "_VALUES", 1)


def table(place, scenario="base"):
    """The trials of a scenario, in their order."""
    found = pandas.read_parquet(place, filters=[("scenario", "=", scenario)])
    return found.sort_values(["replicate", "trial"], ignore_index=True)


def content(place):
    """Every file below a place, by name."""
    return {file.relative_to(place).as_posix(): file.read_bytes() for file in sorted(Path(place).rglob("*")) if file.is_file()}


def order_statistic(values, p):
    return np.sort(values)[int(np.ceil(round(len(values) * p, 9))) - 1]


def test_every_percentile_of_every_scenario_is_an_order_statistic_of_what_is_written(study, tmp_path, small_parts):
    run = run_with_what_ifs(study, what_ifs="all")
    write_samples(study, tmp_path / "s", "all")
    scenarios = ["base", "with_claims", "idle", "staffed", "long"]
    assert run.records.scenarios == scenarios == list(json.loads((tmp_path / "s" / MANIFEST).read_text())["scenarios"])
    compared = 0
    for scenario in scenarios:
        found = table(tmp_path / "s", scenario)
        assert len(found) == 8192
        ratio = found[f"b/{COST}"] / found[f"a/{COST}"]
        for p in PERCENTILES:
            assert order_statistic(ratio, p) == run.estimate("b/a", "ratio", f"p{p * 100:g}", scenario).value
        for record in run.records.of(scenario):
            if record.statistic[:1] == "p" and record.kind == "platform" and not record.group:
                values = found[f"{record.owner}/{record.quantity}"].fillna(np.inf)
                assert order_statistic(values, float(record.statistic[1:]) / 100) == record.estimate.value, record
                compared += 1
    assert compared > 200


def test_the_first_trials_are_the_sample_of_the_run(study, tmp_path):
    sample = simulator.run(study).sample
    write_samples(study, tmp_path / "s")
    found = table(tmp_path / "s")
    first = found[found.replicate == 0]
    named = {**sample.inputs, **{f"{'ab'[owner]}/{quantity}": values for (owner, quantity), values in sample.outputs.items()}}
    assert set(named) == {*found.columns} - {"trial", "scenario", "replicate"}
    for name, values in named.items():
        assert np.array_equal(first[name].to_numpy(), values, equal_nan=name == "a/payback"), name
    assert list(first.trial) == list(range(512)) and found.trial.dtype == np.int64


def test_a_payback_that_is_never_reached_is_null(study, tmp_path):
    run = simulator.run(study)
    write_samples(study, tmp_path / "s")
    found = pyarrow.dataset.dataset(tmp_path / "s", partitioning="hive").to_table()
    paid = sum(run.estimate("a", "probability_of_payback", scenario=name).value for name in ("base", "with_claims"))
    assert found["a/payback"].null_count == round((2 - paid) * 8192) > 100
    assert {name: found[name].null_count for name in found.column_names if found[name].null_count} == {
        "a/payback": found["a/payback"].null_count}
    assert found["a/payback"].to_pandas().max() < 100


def test_scenarios_have_the_same_columns_with_units_and_meanings(study, tmp_path):
    write_samples(study, tmp_path / "s", ["staffed"])
    schemas = {name: pyarrow.parquet.read_schema(next((tmp_path / "s").glob(f"scenario={name}/*/*.parquet")))
               for name in ("base", "with_claims", "staffed")}
    base = schemas["base"]
    assert all(schema.equals(base) for schema in schemas.values())
    units = {field.name: field.metadata[b"units"].decode() for field in base}
    assert (units["shared.utilization"], units["platforms.a.capex"], units["shared.energy_price.median"]) == (
        "1", "USD/GPU", "USD/kWh")
    assert (units[f"a/{COST}"], units["a/capex"], units["a/payback"], units["trial"]) == ("USD", "USD", "year", "1")
    assert base.field("shared.utilization").metadata[b"meaning"] == b"share of serving capacity that is sold as delivered tokens"
    digests = {name: schema.metadata[b"digest"].decode() for name, schema in schemas.items()}
    assert digests["base"] == study.digest and digests["staffed"] == study.with_what_if("staffed").digest
    assert table(tmp_path / "s")["platforms.a.opex"].isna().all()
    assert not table(tmp_path / "s", "staffed")["platforms.a.opex"].isna().any()


def test_the_manifest_tells_what_is_there(study, tmp_path, small_parts):
    written = write_samples(study, tmp_path / "s", "idle")
    manifest = json.loads((tmp_path / "s" / MANIFEST).read_text())
    files = list((tmp_path / "s").rglob("*.parquet"))
    assert (manifest["parts"], manifest["bytes"]) == (len(files), sum(file.stat().st_size for file in files))
    assert manifest["rows"] == sum(pyarrow.parquet.read_metadata(file).num_rows for file in files) == written.rows == 3 * 8192
    assert len(files) == 3 * 16 * 2, "two parts of 256 trials to a replicate of 512"
    assert manifest["scenarios"]["idle"] == {
        "digest": study.with_what_if("idle").digest, "parts": 32, "rows": 8192,
        "bytes": sum(file.stat().st_size for file in files if "scenario=idle" in str(file))}
    assert manifest["digest"] == study.digest and {"name", "units", "meaning"} == {*manifest["columns"][-1]}


def test_threads_show_in_no_byte(study, tmp_path, small_parts):
    for threads in (1, 3):
        write_samples(study, tmp_path / str(threads), threads=threads)
    assert content(tmp_path / "1") == content(tmp_path / "3")


def test_urls_and_paths_from_where_one_is_are_places_too(study, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for place in (tmp_path / "folder", f"file://{tmp_path}/url/", "../above/"):
        write_samples(study, place)
    assert content(tmp_path / "folder") == content(tmp_path / "url") == content(tmp_path / "above")


def test_a_password_in_a_url_is_not_shown():
    place = sample_place.SamplePlace.named("s3://key:secret@bucket/folder")
    assert place.shown == "s3://bucket/folder" and pickle.loads(pickle.dumps(place)) == place


@pytest.mark.parametrize("sampler", [{"sampler": "random", "trials": 1600}, {"sampler": "latin_hypercube", "trials": 1600}])
def test_replicates_that_end_within_a_block(load, tmp_path, sampler):
    study = load(data(**sampler))
    write_samples(study, tmp_path / "s")
    found = table(tmp_path / "s")
    assert len(found) == study.simulation.trials
    assert order_statistic(found[f"a/{COST}"], 0.95) == simulator.run(study).estimate("a", COST, "p95").value


def test_with_a_stop_rule_trials_are_those_that_the_base_ended_with(study, tmp_path):
    run = run_with_what_ifs(study, until=StopRule(1e-9, most_trials=16384), what_ifs="idle")
    assert run.study.simulation.trials == 16384
    write_samples(run.study, tmp_path / "s", "idle")
    for scenario in ("base", "with_claims", "idle"):
        found = table(tmp_path / "s", scenario)
        assert len(found) == 16384
        assert order_statistic(found[f"a/{COST}"], 0.95) == run.estimate("a", COST, "p95", scenario).value


# --- going on ------------------------------------------------------------------------------------------------

def test_parts_that_are_there_are_kept_and_missing_ones_made(study, tmp_path, small_parts):
    place = tmp_path / "s"
    write_samples(study, place)
    whole, parts = content(place), sorted(place.rglob("*.parquet"))
    for file in [place / MANIFEST, *parts[::3]]:
        file.unlink()
    kept = {file: file.stat().st_mtime_ns for file in place.rglob("*.parquet")}
    told = []
    prepared = prepare(study, place)
    assert prepared.there == len(kept) and prepared.parts == len(parts)
    write_samples(study, place, progress=told.append)
    assert content(place) == whole and {file: file.stat().st_mtime_ns for file in kept} == kept
    assert len(told) == len(parts) and told[-1] == 1


WRITER = """
import os, signal, sys
import simulator
from simulator.experiments import sample_place, samples
samples._VALUES = 1
written = 0
def sync(path, real=sample_place.sync):
    global written
    written += 1
    if written == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    real(path)
sample_place.sync = sync
samples.write_samples(simulator.load(sys.argv[1]), sys.argv[2], "all")
"""


def test_a_writer_that_is_killed_again_and_again_ends_as_if_nothing_had_been(study, tmp_path, small_parts):
    file = studies.write(tmp_path / "study.yaml", data())
    seen, torn, place = 0, 0, tmp_path / "s"
    for kill in (1, 2, 17, 40, 41):
        done = subprocess.run([sys.executable, "-c", WRITER, str(file), str(place), str(kill)], capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == -signal.SIGKILL, done.stderr
        parts = list(place.rglob("*.parquet"))
        assert all(pyarrow.parquet.read_table(part).num_rows == 256 for part in parts), "what has its name is whole"
        assert len(parts) >= seen and not (place / MANIFEST).exists()
        seen, torn = len(parts), torn + len(list(place.rglob(".unfinished-*")))
    assert seen > 30 and torn > 2
    write_samples(study, place, "all")
    write_samples(study, tmp_path / "undisturbed", "all")
    assert content(place) == content(tmp_path / "undisturbed")


@pytest.mark.parametrize(("changes", "what_ifs", "words"), [
    ({"seed": 7}, (), r"seed 0 there, 7 here; digest \w+ there, \w+ here"),
    ({"trials": 16384}, (), "trials 8192 there, 16384 here"),
    ({}, ("idle",), "scenarios base, with_claims there, base, with_claims, idle here")])
def test_other_samples_are_refused_and_left_alone(study, load, tmp_path, changes, what_ifs, words):
    place = tmp_path / "s"
    write_samples(study, place)
    before = content(place)
    with pytest.raises(WrongPlaceError, match=f"{place} holds other samples .*{words}.*; choose a new folder"):
        write_samples(load(data(**changes)), place, what_ifs)
    assert content(place) == before


def test_other_versions_are_refused(study, tmp_path, monkeypatch):
    write_samples(study, tmp_path / "s")
    found = samples.versions()
    monkeypatch.setattr(samples, "versions", lambda: {**found, "kernels": "others"})
    with pytest.raises(WrongPlaceError, match=r"\(kernels \w+ there, others here\)"):
        write_samples(study, tmp_path / "s")


@pytest.mark.parametrize(("text", "words"), [
    ("", "cannot be read, so that nobody can tell"), ("[]", "cannot be read"), ("no JSON", "cannot be read"),
    ('{"versions": 3, "scenarios": 4}', "holds other samples")])
def test_a_place_whose_beginning_says_nothing_is_refused(study, tmp_path, text, words):
    (tmp_path / STUDY).write_text(text)
    with pytest.raises(WrongPlaceError, match=words):
        write_samples(study, tmp_path)


def test_what_ifs_that_read_other_files_are_other_samples(study, tmp_path):
    place = tmp_path / "s"
    write_samples(study, place, "idle")
    there = json.loads((place / STUDY).read_text())
    there["scenarios"]["idle"] = "other"
    (place / STUDY).write_text(json.dumps(there, indent=1))
    with pytest.raises(WrongPlaceError, match=r"\(scenario idle other there, \w+ here\)"):
        write_samples(study, place, "idle")


# --- what may go wrong ---------------------------------------------------------------------------------------

def test_a_place_that_is_none_is_refused(study, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    letter = tmp_path / "full" / "letter.txt"
    for place, words in ((tmp_path / "full", "is not empty: it holds letter.txt"), (letter, "is a file"),
                         (letter / "s", "is no folder"), ("ftp://host/s", "expected a new folder, or a URL")):
        with pytest.raises(WrongPlaceError, match=words):
            write_samples(study, place)
    assert content(tmp_path / "full") == {"letter.txt": b"mine"}


def test_a_disk_without_the_room_is_refused_before_anything_is_written(study, tmp_path, monkeypatch):
    written = write_samples(study, tmp_path / "s")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, written.bytes // 2))
    with pytest.raises(SamplesError, match=r"has no room: samples take about [\d.]+ MB, and its disk has [\d.]+ MB left"):
        write_samples(study, tmp_path / "t")
    assert not (tmp_path / "t").exists()
    assert write_samples(study, tmp_path / "s").bytes == written.bytes, "what is there needs no more room"


def test_the_size_that_is_foretold_is_about_right(study, tmp_path):
    foretold = prepare(study, tmp_path / "s", "all").bytes
    assert write_samples(study, tmp_path / "s", "all").bytes == pytest.approx(foretold, rel=0.1)


def test_a_disk_that_fills_is_told_and_the_next_one_goes_on(study, tmp_path, monkeypatch, small_parts):
    real, synced = sample_place.sync, []

    def sync(path):
        synced.append(path)
        if len(synced) == 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(sample_place, "sync", sync)
        with pytest.raises(SamplesError, match=r"\.parquet at .* cannot be written from .*: No space left on device; make room "
                                               "there and run the same command again"):
            write_samples(study, tmp_path / "s", threads=1)
    assert len(list((tmp_path / "s").rglob("*.parquet"))) in range(5, 20)
    assert not (tmp_path / "s" / MANIFEST).exists() and not list((tmp_path / "s").rglob(".unfinished-*"))
    write_samples(study, tmp_path / "s")
    write_samples(study, tmp_path / "t")
    assert content(tmp_path / "s") == content(tmp_path / "t")


def test_a_number_that_is_not_finite_is_told(load, tmp_path):
    found = data()
    found["platforms"]["a"]["capex"] = 1e308
    with pytest.raises(simulator.engine.run.RunError, match="a number is not finite in trials 0 to 511 of replicate 0"):
        write_samples(load(found), tmp_path / "s")


# --- elsewhere -----------------------------------------------------------------------------------------------

dask = pytest.mark.filterwarnings("default")  # of Dask's own


@pytest.fixture(scope="module")
def local():
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    from simulator.experiments.cluster import cluster

    with cluster("local", 2) as found:
        yield found


@dask
def test_workers_write_the_same_bytes(local, study, tmp_path, small_parts):
    write_samples(study, tmp_path / "here", "idle")
    written = write_samples(study, tmp_path / "there", "idle", on=local)
    assert content(tmp_path / "there") == content(tmp_path / "here") and written.parts == 96


@dask
def test_a_worker_that_does_not_see_the_place_is_told(local, study, tmp_path):
    prepared = prepare(study, tmp_path / "s")
    scenario = samples._scenario(prepared, "base", study)
    chunks = list(scenario.trials.chunks())[:3]
    told = rf"does not see the _study\.json that was begun at {tmp_path}/s: workers need a folder that all machines share"
    with pytest.raises(SamplesError, match=told):
        list(local.each(write_part, scenario, chunks, str))
    assert not (tmp_path / "s").exists(), "nothing is written where nobody looks for it"


@dask
def test_a_worker_that_cannot_write_is_told_in_a_line(local, study, tmp_path):
    scenario = samples._scenario(prepare(study, tmp_path / "s"), "base", study)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / STUDY).write_bytes(scenario.begun)
    (tmp_path / "s" / "scenario=base").write_text("in the way")
    with pytest.raises(SamplesError, match=r"\.parquet at .* cannot be written from .*: Not a directory; put that"):
        list(local.each(write_part, scenario, list(scenario.trials.chunks())[:3], str))


@dask
def test_workers_that_are_killed_change_no_byte(study, tmp_path, small_parts):
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    from simulator.experiments.cluster import cluster

    write_samples(study, tmp_path / "here", "all")
    killed, told = [], []

    with cluster("local", 2) as found:
        workers = sorted(found._client.run(os.getpid).values())

        def progress(share):
            told.append(share)
            if len(told) in (20, 60):
                killed.append(workers.pop())
                threading.Thread(target=os.kill, args=(killed[-1], signal.SIGKILL)).start()

        write_samples(study, tmp_path / "there", "all", progress=progress, on=found)
    assert len(killed) == 2 and content(tmp_path / "there") == content(tmp_path / "here")
