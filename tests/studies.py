"""Small studies for tests, as data."""

from __future__ import annotations

import copy
import json
from typing import Any

BOUGHT: dict[str, Any] = {
    "ownership": "buy", "gpu_lifetime": {"distribution": "triangular", "low": 3, "mode": 5, "high": 7},
    "throughput": {"distribution": "lognormal", "p5": 4700, "p95": 6700},
    "throughput_factors": {"delivered_share": {"distribution": "pert", "low": 0.6, "mode": 0.85, "high": 1}},
    "capex": {"distribution": "pert", "low": 47000, "mode": 54000, "high": 64000}, "power": 2.1, "pue": 1.2}
RENTED: dict[str, Any] = {
    "ownership": "rent", "throughput": {"distribution": "uniform", "low": 3000, "high": 6000}, "rental_price": 2.0}
PROCESS: dict[str, Any] = {"process": "mean_reverting", "unit": "USD/MWh", "median": 41, "delivery": 36, "reversion_rate": 2.5,
                           "volatility": 1.05, "hedged_share": 0.5}


def study(**changes: Any) -> dict[str, Any]:
    """Two platforms, `a` bought and `b` rented, with a price process and five uncertain inputs."""
    base = {"schema": 1, "study": "test", "simulation": {"trials": 4096, "horizon": 10},
            "shared": {"utilization": {"distribution": "beta", "p5": 0.45, "p95": 0.82}, "discount_rate": 0.08,
                       "energy_price": PROCESS},
            "platforms": {"a": BOUGHT, "b": RENTED}}
    return copy.deepcopy({**base, **changes})


def certain() -> dict[str, Any]:
    """Two rented platforms, of which `b` costs half, and nothing uncertain."""
    rented = {"ownership": "rent", "throughput": 900}
    return {"schema": 1, "study": "sure", "shared": {"utilization": 0.5},
            "platforms": {"a": {**rented, "rental_price": 2}, "b": {**rented, "rental_price": 1}}}


def write(path: Any, data: Any) -> Any:
    """Write a study; JSON is YAML."""
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def notes_but_of_evidence(study: Any) -> list[str]:
    """What is noted of a study, but for the grade and the age of its evidence, which the calendar changes."""
    return [note for note in study.warnings if not note.startswith(("weak evidence", "evidence over twelve months"))]
