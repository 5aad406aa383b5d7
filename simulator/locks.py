"""Who is at work in a folder. A lock of the system ends with the process that holds it, however that ends.

Locks are those of flock(2). Where a system or a file system has none, `NoLocksError` says so, and whoever asked goes without.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform as machine
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

UNFINISHED = ".unfinished-"  # how the names of folders begin that are being filled
LOCK = ".batch.lock"
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


class NoLocksError(OSError):
    """Here are no locks, so nobody can tell who is at work."""


class BusyError(RuntimeError):
    """Another process is at work in a folder; the message says which."""


@contextlib.contextmanager
def only_one_in(folder: Path) -> Iterator[None]:
    """Be the only one of those who ask for this in a folder, until the end.

    Raises BusyError where another is, NoLocksError where that cannot be known, OSError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The file stays: were it removed, two could hold one each, of which one has no name any more.
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _lock(handle):
            raise BusyError(os.read(handle, 200).decode(errors="replace").strip() or "another process")
        with contextlib.suppress(OSError):  # a full disk: the lock holds without a name on it
            owner = f"process {os.getpid()} on {machine.node()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
            os.ftruncate(handle, 0)
            os.write(handle, owner.encode())
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def unfinished(parent: Path) -> Iterator[Path]:
    """A new folder under a temporary name, which is gone again where filling it fails.

    It is locked as long as its owner lives. What killed processes have left beside it is removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(parent)
    temporary, handle = _own_folder(parent)
    try:
        yield temporary
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def remove_leftovers(parent: Path) -> int:
    """Remove the unfinished folders whose owners are dead, and return how many there were.

    Where there are no locks nobody can tell, and they stay.
    """
    removed = 0
    for folder in parent.glob(f"{UNFINISHED}*"):
        # One that another removes, or may not be touched, is not ours to worry about.
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                if _lock(handle):
                    shutil.rmtree(folder)
                    removed += 1
            finally:
                os.close(handle)
    return removed


def _own_folder(parent: Path) -> tuple[Path, int]:
    """A new folder, and a handle that locks it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # taken for a leftover before it was locked
            continue
        with contextlib.suppress(NoLocksError):
            _lock(handle, wait=True)
        if folder.is_dir():
            return folder, handle
        os.close(handle)


def _lock(handle: int, wait: bool = False) -> bool:
    """Lock an open file or folder; False where another has. Raises NoLocksError."""
    if fcntl is None:
        raise NoLocksError("this system has no file locks")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise NoLocksError(error.errno, "this file system has no locks") from None
    return True
