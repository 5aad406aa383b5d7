"""Single trials to explore in a browser: inputs against costs, by Plotly, which travels within the file."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
from dataclasses import asdict
from pathlib import Path

from simulator.experiments.report_numbers import ReportNumbers
from simulator.reporting.input_names import input_name, unit_and_scale
from simulator.reporting.report.document import Explorer
from simulator.reporting.sensitivity_rows import drivers_of_platform
from simulator.reporting.wording import leaders

_INPUTS, _TRIALS, _DIGITS = 6, 600, 5
_SCRIPT = Path("package_data") / "plotly.min.js"


def explorer_of(numbers: ReportNumbers) -> Explorer | None:
    """The inputs that matter most to the platform that is cheapest most often, and what every platform costs, trial by trial."""
    study, sample = numbers.run.study, numbers.sample
    best = leaders(numbers.run)[0]
    position = [platform.name for platform in study.platforms].index(best)
    columns = {factor.path: places[0] for factor, places in zip(sample.factors, sample.columns, strict=True)}
    ranked = [row.input for row in drivers_of_platform(numbers.sensitivity, position).rows if row.input in columns]
    chosen = list(dict.fromkeys((*ranked, *columns)))[:_INPUTS]
    if not chosen:
        return None
    step = max(1, sample.trials // _TRIALS)
    names, values = [], []
    for path in chosen:
        unit, scale = unit_and_scale(study, path)
        names.append(f"{input_name(study, path)}{f' [{unit.strip()}]' if unit else ''}")
        values.append(tuple(_rounded(float(value) * scale) for value in sample.values[columns[path], ::step]))
    for label, costs in zip(study.labels.values(), sample.costs, strict=True):
        names.append(label)
        values.append(tuple(_rounded(float(cost)) for cost in costs[::step]))
    return Explorer(tuple(names), tuple(values), len(study.platforms), position)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def data_of(explorer: Explorer) -> str:
    """The data as JSON that may stand inside a script element."""
    text = json.dumps(asdict(explorer), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def plotly_packed() -> str:
    """Plotly's own script, gzipped and in base64: a third of its size, unpacked by the browser."""
    found = importlib.util.find_spec("plotly")
    assert found and found.submodule_search_locations
    script = Path(found.submodule_search_locations[0]) / _SCRIPT
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode("ascii")
