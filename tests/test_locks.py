"""Locks and leftovers: what a dead process has left is removed, and what a living one is filling is not."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import locks, run_folder

HOLD = """
import sys, time
from pathlib import Path
from simulator.locks import only_one_in, unfinished
with {what} as held:
    (Path(str(held)) / "half").write_text("half") if held else None
    print(held, flush=True)
    time.sleep(60)
"""


def holder(what):
    process = subprocess.Popen([sys.executable, "-c", HOLD.format(what=what)], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def ended(process, how=signal.SIGKILL):
    process.send_signal(how)
    process.wait(20)
    process.stdout.close()


def test_the_leftover_of_a_killed_process_is_removed_and_that_of_a_living_one_kept(tmp_path):
    process, folder = holder(f"unfinished(Path({str(tmp_path)!r}))")
    try:
        assert locks.remove_leftovers(tmp_path) == 0 and Path(folder).exists()
        with locks.unfinished(tmp_path) as mine:
            assert mine.is_dir() and Path(folder).exists() and locks.remove_leftovers(tmp_path) == 0
    finally:
        ended(process)
    assert Path(folder).exists(), "nobody has cleaned up after it yet"
    with locks.unfinished(tmp_path) as mine:
        assert [inside.name for inside in tmp_path.iterdir()] == [mine.name]
        mine.rmdir()


def test_a_folder_is_not_lost_when_it_is_taken_for_a_leftover_before_it_is_locked(tmp_path, monkeypatch):
    made, really = [], locks.tempfile.mkdtemp

    def taken_at_once(**options):
        made.append(really(**options))
        if len(made) == 1:
            assert locks.remove_leftovers(tmp_path) == 1
        return made[-1]

    monkeypatch.setattr(locks.tempfile, "mkdtemp", taken_at_once)
    with locks.unfinished(tmp_path) as mine:
        assert str(mine) == made[1] and mine.is_dir()


def test_of_two_only_one_gets_in_and_a_dead_one_holds_nothing(tmp_path):
    process, _ = holder(f"only_one_in(Path({str(tmp_path)!r}))")
    try:
        with pytest.raises(locks.BusyError, match=f"process {process.pid} on .*, since 20"), locks.only_one_in(tmp_path):
            pass
    finally:
        ended(process)
    for _ in range(2):
        with locks.only_one_in(tmp_path):
            pass


def test_without_locks_that_is_said_and_leftovers_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    (tmp_path / ".unfinished-old").mkdir()
    with pytest.raises(locks.NoLocksError, match="no file locks"), locks.only_one_in(tmp_path):
        pass
    with locks.unfinished(tmp_path) as mine:
        (mine / "file").write_text("")
        assert run_folder.finish_new(mine, tmp_path / "whole").name == "whole"
    assert {inside.name for inside in tmp_path.iterdir()} == {locks.LOCK, ".unfinished-old", "whole"}


def test_two_that_want_one_name_get_two(tmp_path, monkeypatch):
    """Another process takes the free name between the look and the renaming."""
    looked, really = [], run_folder.free_name

    def slow(wanted):
        looked.append(really(wanted))
        if len(looked) == 1:
            looked[0].mkdir()
            (looked[0] / "its").write_text("its")
        return looked[-1]

    monkeypatch.setattr(run_folder, "free_name", slow)
    with locks.unfinished(tmp_path) as mine:
        (mine / "mine").write_text("mine")
        folder = run_folder.finish_new(mine, tmp_path / "run")
    assert folder.name == "run-2" and [file.name for file in folder.iterdir()] == ["mine"]
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["its"]


def test_what_else_keeps_a_folder_from_its_name_is_raised(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_folder.Path, "rename", full)
    with pytest.raises(OSError, match="No space left"), locks.unfinished(tmp_path) as mine:
        run_folder.finish_new(mine, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
