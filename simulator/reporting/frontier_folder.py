"""Cost against interactivity on disk: chart, numbers and study, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from simulator.experiments.frontier import FrontierResult
from simulator.experiments.frontier_document import document, table
from simulator.locks import unfinished
from simulator.reporting.frontier_chart import save_frontier
from simulator.run_folder import (
    dated_name,
    finish,
    free_name,
    json_text,
    study_files,
    write_parquet,
    write_text,
)
from simulator.study.reading import as_path


def save(result: FrontierResult, folder: Path | None) -> Path:
    """Write into a folder, `runs/<study>/frontier-<time>-<digest>` where none is given, and return it.

    Raises OSError where it cannot be written; nothing is left behind then.
    """
    wanted = folder or free_name(Path("runs") / as_path(result.study.name, "study")
                                 / f"frontier-{dated_name(datetime.now(UTC), result.study.digest)}")
    with unfinished(wanted.parent) as temporary:
        for name in ("frontier.svg", "frontier.png"):
            save_frontier(result, temporary / name)
        write_text(temporary / "frontier.json", json_text(document(result)))
        write_parquet(table(result), temporary / "frontier.parquet")
        for name, write in study_files(result.study).items():
            write(temporary / name)
        return finish(temporary, wanted)
