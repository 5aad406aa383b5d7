"""A sweep on disk: chart, numbers and study, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from simulator.experiments.sweep import SweepResult
from simulator.experiments.sweep_document import dataset, document, table
from simulator.locks import unfinished
from simulator.reporting.sweep_charts import has_chart, save_chart
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


def save(result: SweepResult, folder: Path | None) -> Path:
    """Write into a folder, `runs/<study>/sweep-<name>-<time>-<digest>` where none is given, and return it.

    Raises OSError where it cannot be written; nothing is left behind then.
    """
    wanted = folder or free_name(Path("runs") / as_path(result.study.name, "study")
                                 / f"sweep-{result.sweep.name}-{dated_name(datetime.now(UTC), result.study.digest)}")
    with unfinished(wanted.parent) as temporary:
        for name in ("sweep.svg", "sweep.png") if has_chart(result) else ():
            save_chart(result, temporary / name)
        dataset(result).to_netcdf(temporary / "sweep.nc", engine="h5netcdf")
        write_text(temporary / "sweep.json", json_text(document(result)))
        write_parquet(table(result), temporary / "sweep.parquet")
        for name, write in study_files(result.study).items():
            write(temporary / name)
        return finish(temporary, wanted)
