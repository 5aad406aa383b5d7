"""Sensitivities on disk: charts, numbers and study, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.netcdf import write_netcdf
from simulator.reporting.sensitivity_document import document
from simulator.reporting.sensitivity_table import contents, table
from simulator.run_folder import (
    dated_name,
    finish,
    free_name,
    json_text,
    study_files,
    unfinished,
    write_parquet,
    write_text,
)
from simulator.study.reading import as_path


def save(found: Sensitivity, folder: Path | None) -> Path:
    """Write into a folder, `runs/<study>/sensitivity-<time>-<digest>` where none is given, and return it.

    Raises OSError where it cannot be written; nothing is left behind then.
    """
    wanted = folder or free_name(Path("runs") / as_path(found.study.name, "study")
                                 / f"sensitivity-{dated_name(datetime.now(UTC), found.study.digest)}")
    with unfinished(wanted.parent) as temporary:
        write_text(temporary / "sensitivity.json", json_text(document(found)))
        write_parquet(table(found), temporary / "sensitivity.parquet")
        write_netcdf(contents(found), temporary / "sensitivity.nc")
        for name, write in study_files(found.study).items():
            write(temporary / name)
        return finish(temporary, wanted)
