"""A sweep on disk: chart, numbers and study, whole or not at all."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from simulator.experiments.sweep import SweepResult
from simulator.experiments.sweep_document import dataset, document, table
from simulator.reporting.sweep_charts import has_chart, save_chart
from simulator.run_folder import json_text, save_findings, write_parquet, write_text


def save(result: SweepResult, folder: Path | None) -> Path:
    """Write into a folder, `runs/<study>/sweep-<name>-<time>-<digest>` where none is given, and return it. Raises OSError."""
    return save_findings(result.study, f"sweep-{result.sweep.name}", {
        **{f"sweep.{kind}": partial(save_chart, result) for kind in (("svg", "png") if has_chart(result) else ())},
        "sweep.nc": lambda path: dataset(result).to_netcdf(path, engine="h5netcdf"),
        "sweep.json": lambda path: write_text(path, json_text(document(result))),
        "sweep.parquet": lambda path: write_parquet(table(result), path)}, folder)
