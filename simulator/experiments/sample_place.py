"""Where samples of trials are written: a folder, or a place that a URL names. What has its name there is whole."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from simulator.locks import UNFINISHED
from simulator.run_folder import sync

_FULL = (errno.ENOSPC, errno.EDQUOT)


class SamplesError(RuntimeError):
    """Samples that cannot be written; the message says why, and what can be done."""


class WrongPlaceError(SamplesError):
    """A place for samples that is none, or holds something else."""


@dataclass(frozen=True)
class SamplePlace:
    """A folder by its absolute path, or by a URL such as s3://bucket/folder."""

    text: str

    @classmethod
    def named(cls, place: str | Path) -> SamplePlace:
        """The place that somebody named, who may have meant a folder below the one he is in."""
        text = str(place)
        return cls(text if "://" in text else str(Path(text).absolute()))

    def __reduce__(self) -> tuple[type[SamplePlace], tuple[str]]:
        return SamplePlace, (self.text,)  # without what is opened here

    @property
    def shown(self) -> str:
        """The place for a message: without a password that a URL may hold."""
        return re.sub("//[^/@]*@", "//", self.text)

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """Arrow's file system, and the path there."""
        import pyarrow
        from pyarrow import fs

        if "://" not in self.text:
            return fs.LocalFileSystem(), self.text
        try:
            files, path = fs.FileSystem.from_uri(self.text)
        except (OSError, pyarrow.ArrowException) as error:
            raise WrongPlaceError(f"{self.shown} cannot be used: {_reason(error)}; expected a new folder, or a URL such as "
                                  "s3://bucket/folder, gs://bucket/folder, hdfs://host/folder or file:///folder") from None
        return files, path.rstrip("/")

    @property
    def folder(self) -> Path | None:
        """The folder, where it is one of this machine's own file systems."""
        files, path = self._opened
        return Path(path) if files.type_name == "local" else None

    def names(self) -> dict[str, int]:
        """Every file there, below the place, with its size in bytes. Raises WrongPlaceError where the place is a file."""
        from pyarrow import fs

        files, path = self._opened
        with self._told(self.shown, "read"):
            if files.get_file_info(path).type == fs.FileType.File:
                raise WrongPlaceError(f"{self.shown} is a file; expected a new folder")
            found = files.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=True))
        return {str(PurePosixPath(file.path).relative_to(path)): file.size for file in found if file.is_file}

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""
        files, path = self._opened
        with self._told(f"{name} at {self.shown}", "read"):
            try:
                with files.open_input_stream(f"{path}/{name}") as stream:
                    content: bytes = stream.read()
            except FileNotFoundError:
                return None
        return content

    def write(self, name: str, content: Any) -> None:
        """Write a file whole, or not at all: bytes, or a buffer. Raises SamplesError."""
        with self._told(f"{name} at {self.shown}", "written"):
            self._put(name, content)

    def _put(self, name: str, content: Any) -> None:
        files, path = self._opened
        final = PurePosixPath(path, name)
        temporary = final.with_name(f"{UNFINISHED}{uuid4().hex}")
        is_local = self.folder is not None
        if is_local:  # elsewhere there are no folders, or they come with their files
            files.create_dir(str(final.parent))
        try:
            with files.open_output_stream(str(temporary)) as stream:
                stream.write(content)
            if is_local:
                sync(Path(temporary))
            files.move(str(temporary), str(final))
        except BaseException:
            with contextlib.suppress(OSError):
                files.delete_file(str(temporary))
            raise
        if is_local:
            sync(Path(final.parent))

    def remove(self, name: str) -> None:
        """Remove a file, where it is still there."""
        files, path = self._opened
        with self._told(f"{name} at {self.shown}", "removed"), contextlib.suppress(FileNotFoundError):
            files.delete_file(f"{path}/{name}")

    def check_writable(self) -> None:
        """Raise SamplesError where nothing can be written. Of a folder of this machine that shows without a trace; elsewhere a
        file is written, and removed."""
        if self.folder is None:
            probe = f"{UNFINISHED}{uuid4().hex}"
            with self._told(self.shown, "written"):
                self._put(probe, b"")
            self.remove(probe)
            return
        nearest = _nearest(self.folder)
        if not nearest.is_dir():
            raise WrongPlaceError(f"{self.shown} cannot be written: {nearest} is no folder; choose another place")
        if not os.access(nearest, os.W_OK):
            raise SamplesError(f"{self.shown} cannot be written: {nearest} is read-only; choose another place")

    def check_room(self, needed: float) -> None:
        """Raise SamplesError where a disk of this machine has not so many bytes left."""
        if self.folder is None:
            return
        free = shutil.disk_usage(_nearest(self.folder)).free
        if needed > free:
            raise SamplesError(f"{self.shown} has no room: samples take about {in_words(needed)}, and its disk has "
                               f"{in_words(free)} left; choose another place, or fewer trials")

    @contextlib.contextmanager
    def _told(self, what: str, done: str) -> Iterator[None]:
        """Raise SamplesError where something cannot be done."""
        import pyarrow

        try:
            yield
        except (OSError, pyarrow.ArrowException) as error:
            remedy = "make room there" if isinstance(error, OSError) and error.errno in _FULL else "put that right"
            raise SamplesError(f"{what} cannot be {done} from {os.uname().nodename}: {_reason(error)}; {remedy} and run the same "
                               "command again, which goes on from the parts that are there, or choose another place") from None


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def in_words(count: float) -> str:
    """So many bytes, for a message."""
    unit, scale = next((unit, scale) for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1.0))
                       if count >= scale or unit == "kB")
    return f"{count / max(scale, 1e3):.3g} {unit}"


def _reason(error: Exception) -> str:
    """Why, in one line: what the system says, or the file system of a URL."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return (str(error).splitlines() or [type(error).__name__])[0]
