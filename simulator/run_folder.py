"""A run on disk. The folder is written under a temporary name and renamed when whole: one that exists is complete."""

from __future__ import annotations

import copy
import errno
import hashlib
import json
import os
import platform as machine
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from simulator import __version__
from simulator.dataset import contents_of
from simulator.kernels.jit import kernel_digest
from simulator.locks import unfinished
from simulator.netcdf import write_netcdf
from simulator.results import Run
from simulator.study.model import Study
from simulator.study.reader import DataFile
from simulator.study.reading import as_path
from simulator.study.schema import header
from simulator.study.settled import with_alternatives
from simulator.study.writing import study_yaml_pieces

_LIBRARIES = ("numpy", "scipy", "numba", "xarray", "pyarrow", "h5netcdf", "matplotlib")
SUMMARY_COLUMNS = {**dict.fromkeys(("study", "scenario", "platform", "quantity", "statistic"), str),
                   **dict.fromkeys(("value", "standard_error", "low", "high"), float), "unit": str}
ROWS_AT_ONCE = 1 << 10
_TABLES_TO_A_GROUP = 8


def save(run: Run, runs: Path, extra: Mapping[str, Callable[[Path], None]] | None = None) -> Path:
    """Write a run's folder `<runs>/<study>/<time>-<digest>` and return it.

    extra  further files by name, each with a function that writes it to a path
    Raises OSError where the folder cannot be written; nothing is left behind then.
    """
    parent = runs / as_path(run.study.name, "study")
    finished = _now()
    with unfinished(parent) as temporary:
        for name, write in {**_files(run), **(extra or {})}.items():
            write(temporary / name)
        digests = {file.name: file_digest(file) for file in sorted(temporary.iterdir())}
        write_text(temporary / "manifest.json", json_text(_manifest(run, finished, digests)))
        return finish_new(temporary, parent / dated_name(finished, run.study.digest))


def finish(temporary: Path, folder: Path) -> Path:
    """Give a folder that is whole its name, and return it. One that exists already keeps what else it holds."""
    if not folder.is_dir():
        _settle(temporary)
        temporary.rename(folder)
    else:
        for file in temporary.iterdir():
            sync(file)
        for file in sorted(temporary.iterdir()):
            file.replace(folder / file.name)
        temporary.rmdir()
    sync(folder.parent)
    return folder


def finish_new(temporary: Path, wanted: Path) -> Path:
    """Give a folder that is whole a name that no other has, and return it: the one wanted, or with a number."""
    _settle(temporary)
    while True:
        folder = free_name(wanted)
        try:
            temporary.rename(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            continue  # another process of the same second was faster
        sync(folder.parent)
        return folder


def _settle(temporary: Path) -> None:
    """Have the disk hold a folder and all its files, as whoever may read."""
    for file in temporary.iterdir():
        sync(file)
    temporary.chmod(0o755)
    sync(temporary)


def save_findings(study: Study, name: str, files: Mapping[str, Callable[[Path], None]], folder: Path | None) -> Path:
    """Write what was found out about a study, and the study, into a folder whole or not at all, and return it.

    name    what it is: `runs/<study>/<name>-<time>-<digest>` is the folder where none is given
    files   by name, each with a function that writes it to a path
    Raises OSError where it cannot be written; nothing is left behind then.
    """
    wanted = folder or free_name(Path("runs") / as_path(study.name, "study")
                                 / f"{name}-{dated_name(datetime.now(UTC), study.digest)}")
    with unfinished(wanted.parent) as temporary:
        for file, write in {**files, **study_files(study)}.items():
            write(temporary / file)
        return finish(temporary, wanted)


def dated_name(when: datetime, digest: str) -> str:
    """The name of a folder: when it was made, and of what study."""
    return f"{when:%Y%m%dT%H%M%S}-{digest}"


def _now() -> datetime:
    """The time, or what SOURCE_DATE_EPOCH says it is, as wherever something is made that is to be the same each time."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(stated), UTC) if stated.isdecimal() else datetime.now(UTC)


def _files(run: Run) -> dict[str, Callable[[Path], None]]:
    return {
        **study_files(run.study),
        "summary.json": lambda path: write_pieces(path, json_pieces(run.summary.parts())),
        "summary.parquet": lambda path: write_parquet(run.summary.rows(), path, SUMMARY_COLUMNS),
        "results.nc": lambda path: write_netcdf(contents_of(run), path),
    }


def study_files(study: Study) -> dict[str, Callable[[Path], None]]:
    """The resolved study and the files that it reads, by name, each with a function that writes it: it runs as it is."""
    return {"study.yaml": lambda path: write_pieces(path, study_yaml_pieces(_with_own_files(study))),
            **{_own_name(file): partial(_copy, file.file) for file in (*study.data_files, *study.other_files)}}


def _own_name(file: DataFile) -> str:
    """The name of a data file in the run folder: with its digest, since two files may have one name."""
    return f"data-{file.digest[:12]}{file.file.suffix.lower()}"


def _with_own_files(study: Study) -> dict[str, Any]:
    """The study's tree with the names that its data files have in the run folder."""
    tree: dict[str, Any] = copy.deepcopy(study.document.tree)
    for file in study.data_files:
        around: Any = tree
        for key in file.path[:-1]:
            around = around[key]
        around[file.path[-1]] = _own_name(file)
    return with_alternatives(study, tree, {file.file: _own_name(file) for file in study.other_files})


def _copy(source: Path, path: Path) -> None:
    path.write_bytes(source.read_bytes())


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    path.write_text(text, encoding="utf-8")


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file piece by piece."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(pieces)


def json_text(document: Mapping[str, Any]) -> str:
    """A document as it stands in a folder."""
    return _json(document) + "\n"


def json_pieces(document: Mapping[str, Any]) -> Iterator[str]:
    """The text of a document in which iterators of names and values stand for mappings, one such entry at a time, and one of
    a list."""
    between = "{"
    for key, value in document.items():
        yield f"{between}\n {_json(key)}: "
        if isinstance(value, Iterator):
            inside = "{"
            for name, entry in value:
                yield f"{inside}\n  {_json(name)}: {_indented(entry, 2)}"
                inside = ","
            yield "\n }"
        elif isinstance(value, list) and value:
            inside = "["
            for entry in value:
                yield f"{inside}\n  {_indented(entry, 2)}"
                inside = ","
            yield "\n ]"
        else:
            yield _indented(value, 1)
        between = ","
    yield "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def _indented(value: Any, by: int) -> str:
    return _json(value).replace("\n", "\n" + by * " ")  # inside a text, a new line is written \\n


def write_parquet(rows: Iterable[dict[str, Any]], path: Path, kinds: Mapping[str, type] | None = None) -> None:
    """Write rows as a table, some at a time; arguments as of `in_tables`."""
    write_tables(in_tables(rows, kinds), path)


def write_tables(tables: Iterable[Any], path: Path) -> None:
    """Write tables of pyarrow with the same columns as one, some of them a group of rows; there has to be one at least."""
    import pyarrow
    from pyarrow import parquet

    waiting = iter(tables)
    first = next(waiting)
    waiting = chain((first,), waiting)
    with parquet.ParquetWriter(path, first.schema) as writer:
        while some := list(islice(waiting, _TABLES_TO_A_GROUP)):
            writer.write_table(pyarrow.concat_tables(some))


def in_tables(rows: Iterable[dict[str, Any]], kinds: Mapping[str, type] | None = None) -> Iterator[Any]:
    """Rows as tables of pyarrow, some in each; one without rows where there are none. Every row has the same columns.

    kinds  of what type each column is, where they are known, or None may stand in them
    """
    import pyarrow

    def table(some: list[dict[str, Any]]) -> Any:
        names = kinds or (some[0] if some else ())
        return pyarrow.table({name: _column([row[name] for row in some], kinds[name] if kinds else None) for name in names})

    waiting = iter(rows)
    yield table(list(islice(waiting, ROWS_AT_ONCE)))
    while some := list(islice(waiting, ROWS_AT_ONCE)):
        yield table(some)


def _column(values: list[Any], kind: type | None = None) -> Any:
    """The values as a pyarrow array; texts and numbers by their bytes, since `pyarrow.array` imports pandas for a third of a
    second to see whether it was given a Series."""
    import pyarrow

    kind = kind or next((kind for kind in (float, str) if all(isinstance(value, kind) for value in values)), None)
    if kind is None:
        return pyarrow.array(values)
    there = None
    if None in values:
        there = pyarrow.py_buffer(np.packbits([value is not None for value in values], bitorder="little").tobytes())
        values = [kind() if value is None else value for value in values]
    if kind is str:
        texts = [value.encode() for value in values]
        ends = array("i", accumulate(map(len, texts), initial=0))
        return pyarrow.Array.from_buffers(pyarrow.string(), len(values),
                                          [there, pyarrow.py_buffer(ends), pyarrow.py_buffer(b"".join(texts))])
    codes: dict[type, tuple[Any, str]] = {float: (pyarrow.float64(), "d"), np.uint64: (pyarrow.uint64(), "Q")}
    arrow, code = codes.get(kind, (pyarrow.int64(), "q"))
    return pyarrow.Array.from_buffers(arrow, len(values), [there, pyarrow.py_buffer(array(code, values))])


def versions() -> dict[str, str]:
    """Versions of this program, of Python, of the kernels and of every library that a folder is made with."""
    from importlib.metadata import PackageNotFoundError, version

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "not installed"

    return {"tco-simulator": __version__, "python": machine.python_version(), "kernels": kernel_digest(),
            **{name: installed(name) for name in _LIBRARIES}}


def _machine() -> dict[str, str]:
    return {"system": machine.system(), "processor": machine.machine()}


def machine_type(found: object = None) -> str:
    """The kind of machine, such as "Linux x86_64": of a manifest's `machine`, or this one where none is given."""
    known: Mapping[str, Any] = found if isinstance(found, Mapping) else {} if found is not None else _machine()
    return " ".join(str(known.get(key, "unknown")) for key in ("system", "processor"))


def _manifest(run: Run, finished: datetime, digests: Mapping[str, str]) -> dict[str, Any]:
    return {
        **header(run.study), "finished": finished.isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": {"release": machine.release(), **_machine()},
        "labels": run.study.labels,
        "what_ifs": dict(run.what_ifs), **({"evidence": run.study.evidence} if run.study.evidence else {}), "files": digests}


def file_digest(file: Path) -> str:
    """The digest by which a manifest knows a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def sync(path: Path) -> None:
    """Have the disk hold what was written, before a rename says that it does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def free_name(wanted: Path) -> Path:
    """The name, or with a number where a run of the same second has it."""
    number, path = 2, wanted
    while path.exists():
        number, path = number + 1, wanted.with_name(f"{wanted.name}-{number}")
    return path
