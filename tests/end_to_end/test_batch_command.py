"""`tco batch` as its users run it: goes on where it was stopped, and one bad study stops no other."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import studies
from interrupts import heed_interrupts
from whole_runs import indexed, leftovers, whole_runs

from simulator.experiments.batch import FAILED, LEFT, RAN, SKIPPED, run_batch
from simulator.experiments.batch_tasks import Given
from simulator.experiments.conditions import ConditionError, condition
from simulator.reporting.run_files import save_run

SMALL = {"trials": 1024, "horizon": 10}


def tco(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "simulator", *map(str, arguments)], capture_output=True, text=True, check=False,
                          **options)


def small(name, **changes):
    return studies.study(study=name, simulation=SMALL, **changes)


def failing(name):
    data = small(name)
    data["platforms"]["b"] |= {"throughput": 1e-308, "rental_price": 1e308}
    return data


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder with good studies, a part that others extend, one that is wrong and one that fails."""
    place = tmp_path_factory.mktemp("batch")
    (place / "studies" / "deep").mkdir(parents=True)
    what_ifs = {"costly": {"set": {"shared.discount_rate": 0.2}}}
    studies.write(place / "studies" / "one.yaml", small("one", what_ifs=what_ifs))
    studies.write(place / "studies" / "deep" / "two.yaml", small("two"))
    studies.write(place / "studies" / "copy.yaml", small("one", what_ifs=what_ifs))
    studies.write(place / "studies" / "part.yaml", {"schema": 1, "shared": {"discount_rate": 0.1}})
    studies.write(place / "studies" / "bad.yaml", small("bad", schema=7))
    studies.write(place / "studies" / "fails.yaml", failing("fails"))
    return place


@pytest.fixture(scope="module")
def first(library):
    return tco("batch", library / "studies", "--out", library / "runs", "--json")


def test_what_is_good_runs_and_what_is_bad_is_said(library, first):
    assert first.returncode == 1 and "Traceback" not in first.stderr
    document = json.loads(first.stdout)
    assert document["counts"] == {"ran": 2, "skipped": 1, "failed": 1, "wrong": 1, "left": 0}
    outcomes = {Path(outcome["file"]).name: outcome for outcome in document["outcomes"]}
    assert set(outcomes) == {"one.yaml", "two.yaml", "copy.yaml", "bad.yaml", "fails.yaml"}, "a part is no study"
    assert "found schema 7" in outcomes["bad.yaml"]["why"][0] and "is inf in trial" in outcomes["fails.yaml"]["why"][0]
    of_copies = [outcomes[name] for name in ("one.yaml", "copy.yaml")]
    assert of_copies[0]["folder"] == of_copies[1]["folder"] and {each["status"] for each in of_copies} == {"ran", "skipped"}
    assert "bad.yaml: not run:" in first.stderr and "fails: the run failed:" in first.stderr
    folders = whole_runs(library / "runs")
    assert sorted(folder.parent.name for folder in folders) == ["one", "two"] and not leftovers(library / "runs")
    assert {row["folder"] for row in indexed(library / "runs")} == {f"{f.parent.name}/{f.name}" for f in folders}


def test_a_run_is_that_of_tco_run(library, first):
    done = tco("run", library / "studies" / "deep" / "two.yaml", "--out", library / "alone", "--quiet", "--threads", 1)
    assert done.returncode == 0, done.stderr
    (alone,), batched = whole_runs(library / "alone"), next(f for f in whole_runs(library / "runs") if f.parent.name == "two")
    assert {file.name for file in alone.iterdir()} == {file.name for file in batched.iterdir()}
    for name in ("summary.json", "study.yaml", "ranges.svg", "summary.parquet"):
        assert (alone / name).read_bytes() == (batched / name).read_bytes(), name


def test_what_is_done_is_skipped_and_what_failed_is_tried_again(library, first, tmp_path):
    runs = shutil.copytree(library / "runs", tmp_path / "runs")
    done = tco("batch", library / "studies", "--out", runs)
    assert done.returncode == 1 and "3 skipped, done before" in done.stdout and "1 failed" in done.stdout
    assert len(whole_runs(runs)) == 2
    again = tco("batch", library / "studies" / "one.yaml", "--out", runs, "--what-if", "all", "--json", "-q")
    assert json.loads(again.stdout)["counts"]["ran"] == 1, "the run that is there has no what-ifs"
    assert {row["scenario"] for row in indexed(runs) if row["study"] == "one"} == {"base", "costly"}
    shutil.rmtree(min((runs / "one").iterdir()))
    assert batch(runs, library / "studies" / "one.yaml").count(SKIPPED) == 1, "a run with more what-ifs will do"
    assert batch(runs, library / "studies" / "one.yaml", overrides=("simulation.trials=2048",)).count(RAN) == 1


@pytest.mark.parametrize("harm", ["altered", "missing", "kernels"])
def test_a_run_that_is_not_whole_or_of_other_kernels_is_run_again(library, first, tmp_path, harm):
    runs = shutil.copytree(library / "runs", tmp_path / "runs")
    (folder,) = (runs / "two").iterdir()
    if harm == "altered":
        (folder / "summary.json").write_text("{}")
    elif harm == "missing":
        (folder / "results.nc").unlink()
    else:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["versions"]["kernels"] = "of yesterday"
        (folder / "manifest.json").write_text(json.dumps(manifest))
    (outcome,) = batch(runs, library / "studies" / "deep" / "two.yaml").outcomes
    assert outcome.status == RAN and outcome.folder != folder
    assert harm == "kernels" or "is not as it was written" in outcome.why[0]


def batch(runs, *files, save=save_run, overrides=(), **options):
    return run_batch([(file, False) for file in files], Given(runs, save, overrides=overrides), 1, **options)


def test_gates(library, first, tmp_path):
    runs, place = shutil.copytree(library / "runs", tmp_path / "runs"), library / "studies"
    good = [place / "one.yaml", place / "deep" / "two.yaml"]
    done = tco("batch", *good, "--out", runs, "-q", "--fail-if", "platforms.a.probability_cheapest >= 0", "--fail-if",
               "platforms.b.cost_per_million_tokens.p95 < 0")
    assert done.returncode == 3 and [line.split(": ")[0] for line in done.stderr.splitlines()] == list(map(str, good))
    with pytest.raises(ConditionError, match="did you mean 'probability_cheapest'"):
        batch(runs, *good, conditions=[condition("platforms.a.probability_cheepest > 1")])
    assert not batch(runs, *good, conditions=[condition("platforms.a.probability_cheapest > 1")]).held
    absent = [condition(f"platforms.a.{name} > 1") for name in ("gross_margin.p5", "probability_cheapest")]
    assert batch(runs, *good, conditions=absent).not_found == (absent[0].text,)
    assert tco("run", good[0], "--out", runs, "-q", "--fail-if", "pairs.b/a.ratio.p50 > 0").returncode == 3


def test_wrong_alone_is_status_2_and_nothing_to_run_too(library, tmp_path):
    bad = tco("batch", library / "studies" / "bad.yaml", library / "studies" / "deep", "--out", tmp_path / "runs")
    assert bad.returncode == 2 and "1 ran, 1 wrong" in bad.stdout
    (tmp_path / "empty").mkdir()
    empty = tco("batch", tmp_path / "empty", "--out", tmp_path / "runs")
    assert empty.returncode == 2 and "found no files" in empty.stderr
    unknown = tco("batch", library / "studies" / "one.yaml", "--what-if", "costli", "--out", tmp_path / "runs", "-q")
    assert unknown.returncode == 2 and "did you mean 'costly'" in unknown.stderr


def test_runs_inside_the_folder_are_no_studies(library, tmp_path):
    place = tmp_path / "all"
    place.mkdir()
    shutil.copy(library / "studies" / "deep" / "two.yaml", place)
    for expected in ("1 study: 1 ran", "1 study: 1 skipped"):
        done = tco("batch", ".", cwd=place, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
        assert expected in done.stdout, done.stderr


def full(run, runs):
    if run.study.name != "first":
        raise OSError(errno.ENOSPC, "No space left on device")
    return save_run(run, runs)


def gone(run, runs):
    if run.study.name == "first":
        os.kill(os.getpid(), signal.SIGKILL)
    return save_run(run, runs)


def three(place):
    """Three studies, of which the first is begun first, since it is the longest."""
    return [studies.write(place / f"{name}.yaml", studies.study(study=name, simulation={**SMALL, "trials": trials}))
            for name, trials in (("first", 4096), ("second", 2048), ("third", 1024))]


def test_a_full_disk_ends_the_batch_and_the_next_one_goes_on(tmp_path):
    files, runs = three(tmp_path), tmp_path / "runs"
    found = batch(runs, *files, save=full)
    assert [outcome.status for outcome in found.outcomes] == [RAN, FAILED, LEFT]
    assert "No space left on device" in found.outcomes[1].why[0] and len(whole_runs(runs)) == 1
    assert [outcome.status for outcome in batch(runs, *files).outcomes] == [SKIPPED, RAN, RAN]


def test_a_study_that_kills_its_process_fails_alone(tmp_path):
    found = batch(tmp_path / "runs", *three(tmp_path), save=gone)
    assert [outcome.status for outcome in found.outcomes] == [FAILED, RAN, RAN]
    assert "killed (SIGKILL)" in found.outcomes[0].why[0] and not leftovers(tmp_path / "runs")


def test_ctrl_c_leaves_what_is_done_and_says_how_to_go_on(tmp_path):
    files = [studies.write(tmp_path / f"{name}.yaml", studies.study(study=name, simulation={**SMALL, "trials": trials}))
             for name, trials in (("long", 10**11), *((f"short {n}", 1024) for n in range(7)))]
    runs = tmp_path / "runs"
    command = [sys.executable, "-m", "simulator", "batch", *map(str, files), "--out", str(runs), "--threads", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                          preexec_fn=heed_interrupts) as running:
        try:
            assert wait_for(lambda: len(whole_runs(runs)) == 7)
            time.sleep(0.2)
            with_it = tco("batch", files[1], "--out", runs)
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does: every process of the group
            _, said = running.communicate(timeout=30)
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL)  # it would run for a day
            raise
    assert running.returncode == 130 and "7 of 8 studies are done; the same command goes on" in said
    assert "Traceback" not in said and not leftovers(runs) and len(whole_runs(runs)) == 7
    assert with_it.returncode == 1 and f"another batch writes to {runs} (process {running.pid} on" in with_it.stderr
    assert len({row["folder"] for row in indexed(runs)}) == 7
    assert wait_for(lambda: no_process_of(running.pid), 10), "workers end with their parent"


def wait_for(is_so, seconds=60):
    until = time.monotonic() + seconds
    while not (so := is_so()) and time.monotonic() < until:
        time.sleep(0.02)
    return so


def no_process_of(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def mounted(command, options, tmp_path):
    """A command with a small or read-only file system at tmp_path/disk, seen by it alone."""
    (tmp_path / "disk").mkdir()
    script = f"mount -t tmpfs {options} tmpfs {tmp_path}/disk && {command}"
    return subprocess.run(["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True, check=False)


def may_mount_here():
    if not shutil.which("unshare"):
        return False
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


may_mount = pytest.mark.skipif(not may_mount_here(), reason="mounting is not allowed")


@may_mount
@pytest.mark.parametrize("size", [
    pytest.param("8k", marks=pytest.mark.slow), pytest.param("60k", marks=pytest.mark.slow), "120k", "200k",
    pytest.param("320k", marks=pytest.mark.slow)])
def test_a_really_full_disk(tmp_path, size):
    """Full at the study, at the table, inside HDF5, at the chart, at the second run."""
    files, disk = three(tmp_path), tmp_path / "disk"
    listing = f"; echo status $?; find {disk}/runs -name '.unfinished*' | wc -l; ls {disk}/runs/*/*/manifest.json | wc -l"
    done = mounted(f"{sys.executable} -m simulator batch {' '.join(map(str, files))} --out {disk}/runs --threads 1" + listing,
                   f"-o size={size}", tmp_path)
    assert "Traceback" not in done.stderr and "No space left on device" in done.stderr, done.stderr
    status, unfinished, whole = done.stdout.split("status ")[1].split()
    assert (status, unfinished) == ("1", "0") and int(whole) in ((1, 2) if size == "320k" else (0, 1) if size == "200k" else (0,))
    assert "the same command goes on from there" in done.stderr or size == "320k"


@may_mount
def test_a_read_only_folder(tmp_path):
    files, disk = three(tmp_path), tmp_path / "disk"
    for command in ("batch", "run"):
        done = mounted(f"{sys.executable} -m simulator {command} {files[2]} --out {disk}/runs", "-o ro", tmp_path)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "cannot be written under" in done.stderr and "--out" in done.stderr
        disk.rmdir()
