"""Cost against interactivity on disk: chart, numbers and study, whole or not at all."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from simulator.experiments.frontier import FrontierResult
from simulator.experiments.frontier_document import document, table
from simulator.reporting.frontier_chart import save_frontier
from simulator.run_folder import json_text, save_findings, write_parquet, write_text


def save(result: FrontierResult, folder: Path | None) -> Path:
    """Write into a folder, `runs/<study>/frontier-<time>-<digest>` where none is given, and return it. Raises OSError."""
    return save_findings(result.study, "frontier", {
        **{f"frontier.{kind}": partial(save_frontier, result) for kind in ("svg", "png")},
        "frontier.json": lambda path: write_text(path, json_text(document(result))),
        "frontier.parquet": lambda path: write_parquet(table(result), path)}, folder)
