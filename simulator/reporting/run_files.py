"""A run's folder with all that `tco run` and `tco batch` put into it."""

from __future__ import annotations

from pathlib import Path

from simulator.reporting.ranges import save_ranges
from simulator.results import Run
from simulator.run_folder import save


def save_run(run: Run, runs: Path) -> Path:
    """Write the folder below `runs`, whole or not at all, and return it. Raises OSError."""
    return save(run, runs, {"ranges.svg": lambda path: save_ranges(run, path)})
