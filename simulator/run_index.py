"""The index of finished runs, `index.parquet` in the folder that holds them: a row for every run, scenario and platform.

It is made of the manifests and summaries of the run folders, and holds nothing that they do not: it may be deleted, and is
never trusted about a folder that has changed since it was read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simulator.locks import unfinished
from simulator.quantities import COST
from simulator.run_documents import MANIFEST, TABLE, RunFolderError, read_manifest, read_summary
from simulator.run_folder import sync, write_parquet

INDEX = "index.parquet"
_COST_STATISTICS = ("mean", "p5", "p50", "p95", "cvar95")
_CHANCES = ("probability_cheapest", "expected_regret")
_QUANTITIES = frozenset((COST.name, *_CHANCES))
_COLUMNS_READ = ["scenario", "platform", "quantity", "statistic", "value", "standard_error"]
_Numbers = dict[tuple[str, str], dict[str, Any]]  # by scenario and platform
# Of what kind a column is; a number that does not apply is null.
COLUMNS: Mapping[str, type] = {
    "folder": str, "study": str, "scenario": str, "platform": str, "label": str, "finished": str, "digest": str, "kernels": str,
    "version": str, "seed": int, "sampler": str, "trials": int, "replicates": int, "scenario_digest": str,
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
    known: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in _read_index(runs / INDEX):
        known.setdefault((row["folder"], row["written"]), []).append(row)
    found = []
    for folder, written in run_folders(runs):
        name = folder.relative_to(runs).as_posix()
        rows = known.get((name, written))
        found.append(list(_rows(folder, name, written)) if rows is None else rows)
    found.sort(key=lambda rows: (rows[0]["finished"], rows[0]["folder"]) if rows else ("", ""))
    return [row for rows in found for row in rows]


def write_index(runs: Path) -> Path:
    """Bring the index of a folder of runs up to date, whole or not at all, and return it. Raises OSError.

    Of two processes that do so at once the later one wins; what it has missed the next one adds.
    """
    with unfinished(runs) as temporary:
        write_parquet(index_of(runs), temporary / INDEX, COLUMNS)
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


def _rows(folder: Path, name: str, written: int) -> Iterator[dict[str, Any]]:
    try:
        manifest = read_manifest(folder)
        versions = manifest["versions"]
        run = {"folder": name, "study": manifest["study"], "finished": manifest["finished"], "digest": manifest["digest"],
               "kernels": versions["kernels"], "version": versions["tco-simulator"], "seed": manifest["seed"],
               "sampler": manifest["sampler"], "trials": manifest["trials"], "replicates": manifest["replicates"],
               "written": written}
        digests = {"base": manifest["digest"], **manifest.get("what_ifs", {})}
        numbers = _of_table(folder, manifest) or _of_summary(folder)
        rows = [{**run, **found, "scenario": scenario, "platform": platform, "scenario_digest": digests.get(scenario, "")}
                for (scenario, platform), found in numbers.items()]
    except (RunFolderError, KeyError, TypeError, AttributeError):
        return  # not a run's, or not whole any more
    for row in rows:
        yield {column: row[column] for column in COLUMNS}


def _of_table(folder: Path, manifest: Mapping[str, Any]) -> _Numbers:
    """The numbers of a run's tidy table, read a part at a time: a summary of thousands of what-ifs would take much memory.

    Nothing where there is no such table, or the manifest, one of an earlier version, has no labels.
    """
    import pyarrow
    from pyarrow import parquet

    found: _Numbers = {}
    labels = manifest.get("labels")
    if labels is None or not (folder / TABLE).is_file():
        return found
    try:
        for batch in parquet.ParquetFile(folder / TABLE).iter_batches(columns=_COLUMNS_READ):
            # Column by column and in Python: a filter made of a list has pyarrow import pandas.
            for scenario, platform, quantity, statistic, value, error in zip(
                    *(batch[name].to_pylist() for name in _COLUMNS_READ), strict=True):
                if quantity not in _QUANTITIES or platform not in labels:
                    continue
                place = found.setdefault((scenario, platform), {"label": labels[platform], **dict.fromkeys(_CHANCES)})
                if quantity == COST.name:
                    place |= {f"cost_{statistic}": value, f"cost_{statistic}_standard_error": error}
                else:
                    place[quantity] = value
    except (OSError, pyarrow.ArrowException):
        return {}
    return found


def _of_summary(folder: Path) -> _Numbers:
    return {(scenario, name): _numbers(platform) for scenario, found in read_summary(folder)["scenarios"].items()
            for name, platform in found["platforms"].items()}


def _numbers(platform: Mapping[str, Any]) -> dict[str, Any]:
    cost = platform[COST.name]
    return {"label": platform["label"], **{f"cost_{name}": cost[name]["value"] for name in _COST_STATISTICS},
            "cost_mean_standard_error": cost["mean"]["standard_error"],
            **{name: platform.get(name, {}).get("value") for name in _CHANCES}}


def _read_index(file: Path) -> list[dict[str, Any]]:
    """The rows of an index; none where there is none, or not one of this program's."""
    if not file.is_file():
        return []
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file).read()
    except (OSError, pyarrow.ArrowException):
        return []
    rows: list[dict[str, Any]] = table.to_pylist() if table.column_names == list(COLUMNS) else []
    return rows
