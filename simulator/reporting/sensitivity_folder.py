"""Sensitivities on disk: charts, numbers and study, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.netcdf import write_netcdf
from simulator.reporting.crossover_chart import save_map
from simulator.reporting.sensitivity_charts import save_shares, save_spider, save_tornado
from simulator.reporting.sensitivity_document import document
from simulator.reporting.sensitivity_rows import drivers_of_platform
from simulator.reporting.sensitivity_table import contents, table
from simulator.run_folder import json_text, save_findings, write_parquet, write_text


def save(found: Sensitivity, folder: Path | None) -> Path:
    """Write into a folder, `runs/<study>/sensitivity-<time>-<digest>` where none is given, and return it. Raises OSError."""
    return save_findings(found.study, "sensitivity", {
        **{f"{name}.{kind}": write for name, write in _charts(found).items() for kind in ("svg", "png")},
        "sensitivity.json": lambda path: write_text(path, json_text(document(found))),
        "sensitivity.parquet": lambda path: write_parquet(table(found), path),
        "sensitivity.nc": lambda path: write_netcdf(contents(found), path)}, folder)


def _charts(found: Sensitivity) -> dict[str, Callable[[Path], None]]:
    """The charts for which there are numbers, by name, each with a function that writes it to a path."""
    charts: dict[str, Callable[[Path], None]] = {}
    for position, platform in enumerate(found.study.platforms):
        if found.tornado(position):
            charts[f"tornado-{platform.name}"] = partial(save_tornado, found, position)
        if any(row.variance for row in drivers_of_platform(found, position).rows):
            charts[f"shapley-{platform.name}"] = partial(save_shares, found, position)
    if "spider" in found.methods and found.one_at_a_time and found.one_at_a_time.lines:
        charts[f"spider-{found.study.platforms[0].name}"] = partial(save_spider, found, 0)
    return charts | ({"crossover": partial(save_map, found)} if found.crossover else {})
