"""InferenceX (once InferenceMAX) results to a throughput at an operating point.

Source: https://github.com/SemiAnalysisAI/InferenceX, CSV exports or the JSON artefacts of its runs, one row a configuration and
concurrency. Of the throughputs only `tput_per_gpu` is used: in disaggregated rows `output_tput_per_gpu` counts the decode GPUs
and `input_tput_per_gpu` the prefill GPUs only, and `num_prefill_gpu`, `num_decode_gpu` are no reliable count to undo that with.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from simulator.adapters.measurements import BenchmarkError, Measurement, in_words, read_benchmark_text
from simulator.adapters.operating_point import Imported, listed_values, period, read_off
from simulator.study.frontier import OutsideFrontierError
from simulator.study.problems import any_of, near_name, quoted, shown

REQUIRED = ("hardware", "model", "isl", "osl", "tput_per_gpu", "median_intvty")
# What artefacts call otherwise than the export does.
_ALSO_CALLED = {"hw": "hardware", "spec_decoding": "spec_method"}
# Two rows that agree in these are the same measurement made again.
_CONFIGURATION = ("hardware", "framework", "model", "precision", "spec_method", "disagg", "is_multinode", "isl", "osl", "conc",
                  "num_prefill_gpu", "num_decode_gpu", "tp", "ep", "dp_attention", "prefill_tp", "prefill_ep",
                  "prefill_dp_attention", "prefill_num_workers", "decode_tp", "decode_ep", "decode_dp_attention",
                  "decode_num_workers")
# How the benchmark abbreviates models, and the names by which operating points know them.
_MODELS = {"dsr1": "DeepSeek-R1", "deepseekr1": "DeepSeek-R1", "gptoss": "gpt-oss-120b"}


@dataclass(frozen=True)
class Row:
    """A row that was read: its place, its columns as text and what it measured."""

    place: str
    columns: Mapping[str, str]
    measurement: Measurement


@dataclass(frozen=True)
class Selection:
    """Which rows of a file make the frontier; what is None is not asked for.

    input_tokens, output_tokens  nominal lengths per request
    as_of                        rows of later dates are left out, as if the file ended there
    """

    hardware: str
    model: str
    input_tokens: int
    output_tokens: int
    precision: str | None = None
    as_of: date | None = None
    framework: str | None = None
    spec_method: str | None = None
    disagg: bool | None = None


def import_inferencex(file: Path, selection: Selection, interactivity: float) -> Imported:
    """The throughput of the selected rows' frontier at an interactivity [token/s/user].

    Raises BenchmarkError with everything that is wrong with the file, or with what is asked of it.
    """
    rows = read_rows(file)
    known = _until(rows, selection.as_of, file)
    chosen = select(known, selection, file)
    measurements = [row.measurement for row in chosen]
    hardware, model = chosen[0].columns["hardware"], model_name(chosen[0].columns["model"])
    source = (f"SemiAnalysis InferenceX, {model}, input {selection.input_tokens}, output {selection.output_tokens}, "
              f"{hardware.upper()}{period(measurements)} ({file.name})")
    history = [row.measurement for row in known if model_name(row.columns["model"]) == model]
    try:
        return read_off(measurements, history, interactivity, model, source, _in_common(chosen))
    except OutsideFrontierError as error:
        raise BenchmarkError([f"{file}: --interactivity: {hardware}, {model}, {selection.input_tokens}/"
                              f"{selection.output_tokens}: {error}"]) from None


def read_rows(file: Path) -> list[Row]:
    """Every row of a CSV file or a JSON list. Raises BenchmarkError with all that is wrong."""
    text = read_benchmark_text(file)
    json_text = text.lstrip()[:1] in ("[", "{")
    found = list(_json_rows(text, file) if json_text else _csv_rows(text, file))
    if not found:
        raise BenchmarkError([f"{file}: found no rows; expected at least one"])
    absent = [name for name in REQUIRED if all(name not in columns for _, columns in found)]
    if absent:
        have = ", ".join(quoted(str(name)) for name in list(found[0][1])[:30])
        raise BenchmarkError([f"{file}: found no column {any_of(absent)}; expected a file of InferenceX with "
                              f"{', '.join(REQUIRED)} (it has {have})"])
    problems: list[str] = []
    rows = [row for place, columns in found if (row := _row(place, columns, problems))]
    if problems:
        raise BenchmarkError(problems)
    return rows


def _csv_rows(text: str, file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [_ALSO_CALLED.get(name.strip(), name.strip()) for name in next(reader)]
        for cells in reader:
            if not cells:
                continue
            place = f"{file}:{reader.line_num}"
            if len(cells) != len(header):
                raise BenchmarkError([f"{place}: found {len(cells)} columns; expected {len(header)}, as in the first line"])
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BenchmarkError([f"{file}:{reader.line_num}: not valid CSV: {error}"]) from None


def _json_rows(text: str, file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise BenchmarkError([f"{file}:{error.lineno}: not valid JSON: {error.msg}"]) from None
    except RecursionError:
        raise BenchmarkError([f"{file}: not valid JSON: nested too deep"]) from None
    for number, item in enumerate(found if isinstance(found, list) else [found], 1):
        place = f"{file}: row {number}"
        if not isinstance(item, dict):
            raise BenchmarkError([f"{place}: found {shown(item)}; expected a mapping of columns"])
        yield place, {_ALSO_CALLED.get(str(name), str(name)): value for name, value in item.items()}


def _row(place: str, columns: Mapping[str, Any], problems: list[str]) -> Row | None:
    """A row with its numbers read; None, with problems noted, where one is wrong."""
    before = len(problems)
    texts = {name: "" if value is None else str(value).strip() for name, value in columns.items()}
    throughput, interactivity, isl, osl = (
        _positive(place, name, columns.get(name), problems) for name in ("tput_per_gpu", "median_intvty", "isl", "osl"))
    for name, number in (("isl", isl), ("osl", osl)):
        if number is not None and number != int(number):
            problems.append(f"{place}: {name}: found {number:g}; expected a whole number of tokens")
    problems += [f"{place}: {name}: is missing" for name in ("hardware", "model") if not texts.get(name)]
    measured = _date(place, texts.get("date", ""), problems)
    if len(problems) > before or throughput is None or interactivity is None or isl is None or osl is None:
        return None
    lengths = int(isl), int(osl)
    disaggregated = "disaggregated" if texts.get("disagg", "").lower() == "true" else ""
    spec = texts.get("spec_method", "")
    settings = (texts.get("framework", ""), texts.get("precision", ""), spec if spec != "none" else "", disaggregated)
    key = tuple(f"{name}={texts[name].lower()}" for name in _CONFIGURATION if name in texts)
    return Row(place, texts, Measurement(interactivity, throughput, key, texts["hardware"], lengths, texts.get("precision", ""),
                                         measured, in_words(*settings, measured)))


def _positive(place: str, name: str, found: Any, problems: list[str]) -> float | None:
    try:
        number = math.nan if isinstance(found, bool) or found is None else float(found)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if math.isfinite(number) and number > 0:
        return number
    problems.append(f"{place}: {name}: found {shown(found) if found != '' else 'nothing'}; expected a number above 0")
    return None


def _date(place: str, text: str, problems: list[str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        problems.append(f"{place}: date: found '{quoted(text)}'; expected a date such as 2026-03-25")
        return None


def _until(rows: list[Row], as_of: date | None, file: Path) -> list[Row]:
    """Rows that were known at a date."""
    if as_of is None:
        return rows
    undated = [row for row in rows if row.measurement.measured is None]
    if undated:
        raise BenchmarkError([f"{undated[0].place}: --as-of: found a row without a date; expected a date on every row"])
    known = [row for row in rows if row.measurement.measured and row.measurement.measured <= as_of]
    if not known:
        first = min(row.measurement.measured for row in rows if row.measurement.measured)
        raise BenchmarkError([f"{file}: --as-of: found no rows until {as_of}; the first is of {first}"])
    return known


def select(rows: Sequence[Row], wanted: Selection, file: Path) -> list[Row]:
    """The rows that are asked for. Raises BenchmarkError with the values that there are, where there are none."""
    chosen = list(rows)
    lengths = f"{wanted.input_tokens}/{wanted.output_tokens}"
    filters = [("hardware", wanted.hardware, "--hardware"), ("model", wanted.model, "--model"),
               ("lengths", lengths, "--input-tokens/--output-tokens"), ("precision", wanted.precision, "--precision"),
               ("framework", wanted.framework, "--framework"), ("spec_method", wanted.spec_method, "--spec-method"),
               ("disagg", None if wanted.disagg is None else str(wanted.disagg), "--disagg")]
    before: list[str] = []
    for name, value, option in filters:
        if value is None:
            continue
        alike = _alike(name, value)
        kept = [row for row in chosen if _alike(name, _value(row, name)) == alike]
        if not kept:
            values = [quoted(_value(row, name)) for row in chosen]
            near = near_name(value, values) if name != "lengths" else None
            among = f" among {', '.join(before)}" if before else ""
            raise BenchmarkError([f"{file}: {option}: found no rows with {name} '{quoted(value)}'{among}; expected "
                                  f"{listed_values(values)}" + (f"; did you mean '{near}'?" if near else "")])
        chosen = kept
        before.append(_value(kept[0], name))
    return chosen


def model_name(text: str) -> str:
    """A model as operating points call it: `dsr1` and `deepseek-ai/DeepSeek-R1-0528` are DeepSeek-R1."""
    plain = _plain(text.rsplit("/", 1)[-1])
    return next((name for start, name in _MODELS.items() if plain.startswith(start)), text)


def _value(row: Row, name: str) -> str:
    return "{}/{}".format(*row.measurement.lengths) if name == "lengths" else row.columns.get(name, "")


def _alike(name: str, value: str) -> str:
    return _plain(model_name(value) if name == "model" else value)


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum() or c == "/")


def _in_common(rows: Sequence[Row]) -> str:
    """What the rows are, in words: frameworks, precisions, speculative decoding and disaggregation."""
    parts = []
    for name in ("framework", "precision", "spec_method"):
        values = sorted({row.columns.get(name, "") for row in rows} - {""})
        if values:
            parts.append(f"{name.replace('_', ' ')} {', '.join(values)}")
    kinds = {row.columns.get("disagg", "").lower() for row in rows} - {""}
    if len(kinds) == 2:
        parts.append("disaggregated and not")
    return "; ".join(parts)
