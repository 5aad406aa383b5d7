"""Processes are killed at random points: nothing that has a name is not whole, nothing is lost, and the next run goes on."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import studies
from whole_runs import indexed, leftovers, whole_runs

# Writes runs and the index, over and over, in a process of its own for each kill: forked, since to import takes a second.
WRITER = """
import os, random, signal, sys, time
from pathlib import Path
import simulator
from simulator.reporting.run_files import save_run
from simulator.run_index import write_index

runs, kills, seed = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
run = simulator.run(simulator.load(sys.argv[1]), threads=1)
save_run(run, runs), write_index(runs)
started = time.monotonic()
save_run(run, runs), write_index(runs)
takes = time.monotonic() - started
dice = random.Random(seed)
for _ in range(kills):
    child = os.fork()
    if not child:
        while True:
            save_run(run, runs)
            write_index(runs)
    time.sleep(dice.uniform(0, 3 * takes))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("killed", flush=True)
    sys.stdin.readline()
"""


def written(place):
    return studies.write(place / "study.yaml", studies.study(simulation={"trials": 1024, "horizon": 10}))


@pytest.mark.parametrize("kills", [45, pytest.param(100, marks=pytest.mark.slow)])
def test_writers_killed_at_any_moment_leave_whole_runs_and_a_whole_index(tmp_path, kills):
    runs, torn, seen = tmp_path / "runs", 0, 0
    command = [sys.executable, "-c", WRITER, str(written(tmp_path)), str(runs), str(kills), str(kills)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(kills):
            assert writer.stdout.readline() == "killed\n"
            folders, rows = whole_runs(runs), indexed(runs)
            torn += bool(leftovers(runs))
            assert len(folders) >= seen, "nothing is lost"
            assert {row["folder"] for row in rows} <= {folder.relative_to(runs).as_posix() for folder in folders}
            seen = len(folders)
            writer.stdin.write("\n")
            writer.stdin.flush()
        writer.stdin.close()
    assert writer.wait(30) == 0 and torn > kills / 5 and seen > kills / 5, "kills fell inside writing, and after it"
    from simulator.locks import remove_leftovers
    from simulator.run_index import index_of, write_index

    remove_leftovers(runs / "test")
    write_index(runs)
    assert not leftovers(runs) and indexed(runs) == index_of(runs) and len({row["folder"] for row in indexed(runs)}) == seen


def one_batch(files, runs):
    command = [sys.executable, "-m", "simulator", "batch", *map(str, files), "--out", str(runs), "--threads", "2", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize("kills", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_batches_killed_at_any_moment_end_as_if_nothing_had_been(tmp_path, kills):
    files = [studies.write(tmp_path / f"{n}.yaml", studies.study(study=f"study {n}", simulation={
        "trials": 1024, "horizon": 10, "seed": n})) for n in range(8)]
    with one_batch(files, tmp_path / "undisturbed") as whole:
        started = time.monotonic()
        wanted = {outcome["study"]: outcome["folder"] for outcome in json.loads(whole.communicate(timeout=120)[0])["outcomes"]}
        takes = time.monotonic() - started
    dice, runs, seen = random.Random(kills), tmp_path / "runs", 0
    for kill in range(kills):
        with one_batch(files, runs) as running:
            time.sleep(dice.uniform(0.1, takes))
            # A parent alone, so that its workers have to notice, or all at once.
            (os.kill if kill % 2 else os.killpg)(running.pid, signal.SIGKILL)
            _, said = running.communicate(timeout=30)
            assert running.returncode in (0, -signal.SIGKILL) and "Traceback" not in said
        assert len(whole_runs(runs)) >= seen
        seen = len(whole_runs(runs))
        indexed(runs)
        if kill % 3 == 2:  # so that not all kills fall on batches with nothing left to do
            for folder in whole_runs(runs)[::2]:
                shutil.rmtree(folder)
            seen = len(whole_runs(runs))
    time.sleep(0.5)
    with one_batch(files, runs) as last:
        found = json.loads(last.communicate(timeout=120)[0])
    assert last.returncode == 0 and found["counts"]["ran"] + found["counts"]["skipped"] == len(files)
    assert not leftovers(runs) and {row["study"] for row in indexed(runs)} == set(wanted)
    for outcome in found["outcomes"]:
        ours, its = (Path(folder, "summary.json").read_bytes() for folder in (outcome["folder"], wanted[outcome["study"]]))
        assert ours == its, "the same numbers to the last bit"
