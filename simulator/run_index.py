"""The index of finished runs, `index.parquet` in the folder that holds them: a row for every run, scenario and platform.

It is made of the manifests and summaries of the run folders, and holds nothing that they do not: it may be deleted, and is
never trusted about a folder that has changed since it was read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from simulator.locks import unfinished
from simulator.quantities import COST
from simulator.run_documents import MANIFEST, TABLE, RunFolderError, read_manifest, read_summary
from simulator.run_folder import ROWS_AT_ONCE, in_tables, sync, write_tables

INDEX = "index.parquet"
_COST_STATISTICS = ("mean", "p5", "p50", "p95", "cvar95")
_CHANCES = ("probability_cheapest", "expected_regret")
_QUANTITIES = frozenset((COST.name, *_CHANCES))
_COLUMNS_READ = ["scenario", "platform", "quantity", "statistic", "value", "standard_error"]
_Numbers = Iterator[tuple[str, str, dict[str, Any]]]  # of each scenario and platform
# Of what kind a column is; a number that does not apply is null.
COLUMNS: Mapping[str, type] = {
    "folder": str, "study": str, "scenario": str, "platform": str, "label": str, "finished": str, "digest": str, "kernels": str,
    "version": str, "seed": np.uint64, "sampler": str, "trials": int, "replicates": int, "scenario_digest": str,
    **{f"cost_{statistic}": float for statistic in _COST_STATISTICS}, "cost_mean_standard_error": float,
    **dict.fromkeys(_CHANCES, float), "written": int}


def index_of(runs: Path) -> list[dict[str, Any]]:
    """The rows of every finished run below a folder, in the order in which they finished.

    folder           of the run, relative to `runs`
    cost_…           cost of a million tokens, USD
    scenario_digest  of the study as the scenario has it; "" where the run does not say
    written          when the manifest was written, ns since 1970
    Folders that the index on disk has as they are now are not read again. What is no run folder is passed over.
    """
    rows: list[dict[str, Any]] = _index_of(runs).to_pylist()
    return rows


def _index_of(runs: Path) -> Any:
    """The index as a table of pyarrow: rows of thousands of what-ifs, one by one, would take much memory."""
    import pyarrow

    (nothing,) = in_tables((), COLUMNS)
    known = _read_index(runs / INDEX, nothing)
    found = []
    for folder, written in run_folders(runs):
        name = folder.relative_to(runs).as_posix()
        table = known.get((name, written))
        found.append(_table(folder, name, written) if table is None else table)
    found = [table for table in found if len(table)]
    found.sort(key=lambda table: (table["finished"][0].as_py(), table["folder"][0].as_py()))
    return pyarrow.concat_tables([nothing, *found])


def write_index(runs: Path) -> Path:
    """Bring the index of a folder of runs up to date, whole or not at all, and return it. Raises OSError.

    Of two processes that do so at once the later one wins; what it has missed the next one adds.
    """
    with unfinished(runs) as temporary:
        whole = _index_of(runs)
        begins = range(0, max(len(whole), 1), ROWS_AT_ONCE)
        write_tables((whole.slice(begin, ROWS_AT_ONCE) for begin in begins), temporary / INDEX)
        sync(temporary / INDEX)
        (temporary / INDEX).replace(runs / INDEX)
        temporary.rmdir()
    return runs / INDEX


def run_folders(runs: Path) -> Iterator[tuple[Path, int]]:
    """Every folder `<runs>/<study>/<run>` with a manifest, and when that was written."""
    with contextlib.suppress(OSError):
        for study in sorted(folder for folder in runs.iterdir() if not folder.name.startswith(".")):
            with contextlib.suppress(NotADirectoryError), os.scandir(study) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if not entry.name.startswith("."):
                        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                            yield Path(entry.path), (Path(entry.path) / MANIFEST).stat().st_mtime_ns


def _table(folder: Path, name: str, written: int) -> Any:
    """The rows of a run as a table; without rows where it is not a run's, or not whole any more."""
    import pyarrow

    def rows(numbers: Callable[[Path, Mapping[str, Any]], _Numbers]) -> Any:
        return pyarrow.concat_tables(in_tables(_rows(manifest, numbers(folder, manifest), name, written), COLUMNS))

    try:
        manifest = read_manifest(folder)
        with contextlib.suppress(OSError, pyarrow.ArrowException):
            if len(table := rows(_of_table)):
                return table
        return rows(_of_summary)
    except (RunFolderError, KeyError, TypeError, AttributeError):
        return pyarrow.concat_tables(in_tables((), COLUMNS))


def _rows(manifest: Mapping[str, Any], numbers: _Numbers, name: str, written: int) -> Iterator[dict[str, Any]]:
    versions = manifest["versions"]
    run = {"folder": name, "study": manifest["study"], "finished": manifest["finished"], "digest": manifest["digest"],
           "kernels": versions["kernels"], "version": versions["tco-simulator"], "seed": manifest["seed"],
           "sampler": manifest["sampler"], "trials": manifest["trials"], "replicates": manifest["replicates"],
           "written": written}
    digests = {"base": manifest["digest"], **manifest.get("what_ifs", {})}
    for scenario, platform, found in numbers:
        row = {**run, **found, "scenario": scenario, "platform": platform, "scenario_digest": digests.get(scenario, "")}
        yield {column: row[column] for column in COLUMNS}


def _of_table(folder: Path, manifest: Mapping[str, Any]) -> _Numbers:
    """The numbers of a run's tidy table, read a part at a time: a summary of thousands of what-ifs would take much memory.

    Nothing where there is no such table, or the manifest, one of an earlier version, has no labels.
    """
    labels = manifest.get("labels")
    if labels is None or not (folder / TABLE).is_file():
        return
    for scenario, cells in groupby(_cells(folder / TABLE), itemgetter(0)):
        found: dict[str, dict[str, Any]] = {}
        for _, platform, quantity, statistic, value, error in cells:
            if quantity not in _QUANTITIES or platform not in labels:
                continue
            place = found.setdefault(platform, {"label": labels[platform], **dict.fromkeys(_CHANCES)})
            if quantity == COST.name:
                place |= {f"cost_{statistic}": value, f"cost_{statistic}_standard_error": error}
            else:
                place[quantity] = value
        for platform, numbers in found.items():
            yield scenario, platform, numbers


def _cells(file: Path) -> Iterator[tuple[Any, ...]]:
    """What is read of each row of a tidy table."""
    from pyarrow import parquet

    table = parquet.ParquetFile(file)
    # Read as batches, all groups would be in memory at once; and each thread would keep some of what it read.
    for group in range(table.num_row_groups):
        some = table.read_row_group(group, _COLUMNS_READ, use_threads=False)
        # Column by column and in Python: a filter made of a list has pyarrow import pandas.
        yield from zip(*(some[name].to_pylist() for name in _COLUMNS_READ), strict=True)


def _of_summary(folder: Path, _: Mapping[str, Any]) -> _Numbers:
    for scenario, found in read_summary(folder)["scenarios"].items():
        for name, platform in found["platforms"].items():
            yield scenario, name, _numbers(platform)


def _numbers(platform: Mapping[str, Any]) -> dict[str, Any]:
    cost = platform[COST.name]
    return {"label": platform["label"], **{f"cost_{name}": cost[name]["value"] for name in _COST_STATISTICS},
            "cost_mean_standard_error": cost["mean"]["standard_error"],
            **{name: platform.get(name, {}).get("value") for name in _CHANCES}}


def _read_index(file: Path, nothing: Any) -> dict[tuple[str, int], Any]:
    """The rows of an index, a table for each run by its folder and when it was written; none where there is no index, or not
    one of this program's. `nothing`: a table without rows, of the columns that it has to have."""
    if not file.is_file():
        return {}
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file).read()
    except (OSError, pyarrow.ArrowException):
        return {}
    if table.schema != nothing.schema:
        return {}
    found, begin = {}, 0
    for run, rows in groupby(zip(table["folder"].to_pylist(), table["written"].to_pylist(), strict=True)):
        length = sum(1 for _ in rows)
        found[run] = table.slice(begin, length)
        begin += length
    return found
