"""What has to be true of a folder of runs at every moment, whoever was killed there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulator import run_folder, run_index


def whole_runs(runs: Path) -> list[Path]:
    """Every run folder that can be seen, after it was checked to be whole: what has a name is complete."""
    found = sorted(folder for folder in runs.glob("*/*") if folder.is_dir() and not folder.name.startswith("."))
    for folder in found:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        assert {file.name for file in folder.iterdir()} == {"manifest.json", *manifest["files"]}, folder
        for name, digest in manifest["files"].items():
            assert run_folder.file_digest(folder / name) == digest, folder / name
    return found


def leftovers(runs: Path) -> list[Path]:
    """What killed processes have left."""
    return [*runs.glob("*/.unfinished-*"), *runs.glob(".unfinished-*")]


def indexed(runs: Path) -> list[dict[str, Any]]:
    """The rows of the index on disk, which is whole or not there."""
    import pyarrow.parquet

    file = runs / run_index.INDEX
    return pyarrow.parquet.read_table(file).to_pylist() if file.exists() else []
