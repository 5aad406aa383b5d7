"""The public benchmark's points, where they lie beside the repository, and their frontier."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from scipy.interpolate import PchipInterpolator

BENCHMARK = Path(__file__).parents[2] / "shared" / "data" / "inferencex_dsr1_to_2026-03.csv"
needs_benchmark = pytest.mark.skipif(not BENCHMARK.is_file(), reason="the benchmark's points are not beside the repository")


def frontier(hardware, **wanted):
    """The upper-left Pareto set of (interactivity, total tokens per second and GPU) at 8192/1024, by rising interactivity."""
    with BENCHMARK.open(encoding="utf-8", newline="") as file:
        points = sorted((float(row["median_intvty"]), float(row["tput_per_gpu"])) for row in csv.DictReader(file)
                        if (row["hardware"], row["model"], row["isl"], row["osl"]) == (hardware, "dsr1", "8192", "1024")
                        and all(row[key] == value for key, value in wanted.items()))
    best: list[tuple[float, float]] = []
    for point in reversed(points):
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return best[::-1]


def interpolate(points, interactivity):
    """Throughput on a frontier, monotone in its logarithm; no extrapolation."""
    x, y = zip(*points, strict=True)
    assert x[0] <= interactivity <= x[-1]
    return math.exp(PchipInterpolator(x, [math.log(value) for value in y])(interactivity))
