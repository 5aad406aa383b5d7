"""Utilization from monitoring: what Prometheus answers to query_range (JSON, CSV), and the text of an exporter (DCGM)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.adapters.times import read_times
from simulator.study.problems import nearest, quoted
from simulator.study.tables import Array, DataError, Table, Texts, as_text, parse_json, read_bytes, some, table_of_records

# NVIDIA's names: some fields are in percent, those of profiling are shares.
PERCENT = ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL", "DCGM_FI_DEV_ENC_UTIL", "DCGM_FI_DEV_DEC_UTIL",
           "nvidia_gpu_duty_cycle", "utilization.gpu")
SHARE = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_PROF_SM_OCCUPANCY",
         "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_DRAM_ACTIVE")
NOT_SOLD = "how busy the chips are, not the share of capacity that is sold"
BUSY = ("it measures how busy the chips are (for GPU_UTIL: the time in which any kernel runs), which is not the share of serving "
        "capacity that is sold as tokens, the utilization of a study: divide by its value at full load")
PERIODS = {"hour": "datetime64[h]", "day": "datetime64[D]", "month": "datetime64[M]"}
_TIME, _VALUE = "timestamp", "value"
_LABELS = ("gpu", "uuid", "device", "instance", "hostname", "host", "node", "pod", "gpu_id", "gpu_index", "minor_number")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+([-+]?[0-9.eE+-]+|NaN|[-+]?Inf)(?:\s+(\d+))?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class UtilizationSeries:
    """Shares, float64[n], in the order of the file, and what was done to them."""

    column: str
    shares: Array
    notes: tuple[str, ...]


def is_telemetry(file: Path) -> bool:
    """Whether a file is an answer of Prometheus in JSON or the text of an exporter."""
    suffix = file.suffix.lower()
    if suffix not in (".json", ".txt", ".prom"):
        return False
    head = as_text(file, read_bytes(file))[:4000].lstrip()
    if suffix == ".json":
        return '"resultType"' in head
    first = next((line for line in head.splitlines() if line and not line.startswith("#")), "")
    return head.startswith(("# HELP", "# TYPE")) or bool(_SAMPLE.fullmatch(first.strip()) and "{" in first)


def read_telemetry(file: Path, metric: str | None) -> Table:
    """Samples as rows: labels, timestamp, and a column with the metric's name. Raises DataError.

    metric  which one; the only one where it is not given
    """
    text = as_text(file, read_bytes(file))
    records = _from_json(file, text) if file.suffix.lower() == ".json" else _from_exposition(file, text)
    names = sorted({record["__name__"] for record in records})
    name = quoted(str(file), 300)
    if not names:
        raise DataError(f"{name}: found no samples; expected some")
    if metric is None and len(names) > 1:
        known = [one for one in (*PERCENT, *SHARE) if one in names]
        raise DataError(f"{name}: found {len(names)} metrics; expected --column with one of them: {some(known or names)}")
    wanted = metric or names[0]
    if wanted not in names:
        there_is = nearest(wanted, names) or f"; there is {some(names)}"
        raise DataError(f"{name}: there is no metric '{quoted(wanted)}'{there_is}")
    chosen = [{**{key: value for key, value in record.items() if key not in ("__name__", _VALUE)}, wanted: record[_VALUE]}
              for record in records if record["__name__"] == wanted]
    return table_of_records(file, chosen)


def _from_json(file: Path, text: str) -> list[dict[str, Any]]:
    """Samples of a matrix or a vector, as the HTTP API of Prometheus has them."""
    found = parse_json(file, text)
    data = found.get("data", found) if isinstance(found, dict) else {}
    if isinstance(found, dict) and found.get("status") == "error":
        raise DataError(f"{quoted(str(file), 300)}: found an error that Prometheus answered: {quoted(str(found.get('error')))}")
    records = []
    try:
        for series in data["result"]:
            labels = {str(key): str(value) for key, value in series.get("metric", {}).items()}
            labels.setdefault("__name__", _VALUE)
            for at, value in series.get("values") or [series["value"]]:
                records.append({**labels, _TIME: json.dumps(at), _VALUE: str(value)})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{quoted(str(file), 300)}: found JSON of another form; expected what Prometheus answers to query_range: "
                        "'data: {resultType: matrix, result: […]}'") from None
    return records


def _from_exposition(file: Path, text: str) -> list[dict[str, Any]]:
    """Samples of the text format: NAME{labels} value [milliseconds]."""
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        if not plain or plain.startswith("#"):
            continue
        match = _SAMPLE.fullmatch(plain)
        if match is None:
            raise DataError(f"{quoted(str(file), 300)}:{number}: found '{quoted(plain)}'; expected "
                            "NAME{label=\"…\"} VALUE, or a comment")
        labels = dict(_LABEL.findall(match[2] or ""))
        stamp = {_TIME: match[4]} if match[4] else {}
        records.append({**labels, "__name__": match[1], **stamp, _VALUE: match[3]})
    return records


def looks_like_utilization(column: str) -> bool:
    """Whether a column's name says that it is one."""
    return column in (*PERCENT, *SHARE) or "util" in column.lower()


def utilization(table: Table, column: str, unit: str | None, average: str | None, time: str | None) -> UtilizationSeries:
    """A column of utilization as shares between 0 and 1. Raises DataError.

    unit     "%" or "1"; by the metric's name, or by values above 1, where not given
    average  "hour", "day" or "month": means over so long, for each series by itself
    time     column of the times, for the means
    """
    values = table.numbers(column)
    known = ~np.isnan(values)
    notes = [f"{int(np.sum(~known)):,} missing values are left out"] if not known.all() else []
    if not known.any():
        raise DataError(f"{table.name}: the column '{quoted(column)}' holds no number; expected some")
    percent = unit == "%" or (unit is None and (column in PERCENT or (column not in SHARE and float(np.nanmax(values)) > 1)))
    limit = 100 if percent else 1
    wrong = np.flatnonzero(known & ((values < 0) | (values > limit)))
    if len(wrong):
        raise DataError(f"{table.place(int(wrong[0]))}: {quoted(column)}: found {values[wrong[0]]:g}; expected a utilization "
                        f"from 0 to {limit}{' %' if percent else ': --unit % where it is in percent'}")
    if percent and unit is None and column not in PERCENT:
        notes.append("values above 1 were taken for percent (say so with --unit %)")
    shares = values / limit
    series, labels = _series(table, column, time)
    if len(labels) > 1:
        notes.append(f"{len(labels)} series are pooled ({some(labels, 4)}): choose one with --where")
    if average:
        shares, series = _averaged(table, shares, series, average, time)
        notes.append(f"means over each {average} of each series")
    return UtilizationSeries(column, shares[~np.isnan(shares)], tuple(notes))


def _series(table: Table, column: str, time: str | None) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[str]]:
    """Which series each row belongs to, and their names: by the labels that differ, one of which may tell them all."""
    others = [name for name in table.names if name not in (column, time or _time_column(table)) and table.names.count(name) == 1]
    texts = {name: table.texts(name) for name in others}
    telling = {name: values for name, values in texts.items() if _is_label(name, values) and len(set(values.tolist())) > 1}
    if not telling:
        return np.zeros(len(table), dtype=np.int64), [""]
    joined = np.array(["|".join(parts) for parts in zip(*telling.values(), strict=True)])
    labels, numbers = np.unique(joined, return_inverse=True)
    short = next((name for name in telling if len(set(telling[name].tolist())) == len(labels)), None)
    named = [f"{short}={value}" for value in sorted(set(telling[short].tolist()))] if short else [str(label) for label in labels]
    return numbers.astype(np.int64), named


def _is_label(name: str, values: Texts) -> bool:
    """Whether a column names something, such as gpu=0, and does not measure it."""
    return name.lower() in _LABELS or not re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?|", str(values[0]))


def _time_column(table: Table) -> str | None:
    return next((name for name in table.names if name.lower() in (_TIME, "time", "datetime", "date")), None)


def _averaged(table: Table, shares: Array, series: np.ndarray[Any, np.dtype[np.int64]], period: str,
              time: str | None) -> tuple[Array, np.ndarray[Any, np.dtype[np.int64]]]:
    column = time or _time_column(table)
    if column is None:
        raise DataError(f"{table.name}: found no times for --average; expected --time with their column")
    at = read_times(table, column)
    number = at.start.astype("datetime64[s]").astype(PERIODS[period]).astype(np.int64)
    keys, group = np.unique(np.stack([series[at.kept], number], -1), axis=0, return_inverse=True)
    group = group.reshape(-1)
    values = shares[at.kept]
    known = ~np.isnan(values)
    counts = np.bincount(group[known], minlength=len(keys))
    means = np.bincount(group[known], values[known], len(keys)) / np.maximum(counts, 1)
    means[counts == 0] = np.nan
    return means, keys[:, 0]


