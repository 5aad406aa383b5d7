"""Results of `vllm bench serve --save-result` to a throughput at an operating point.

Source: vLLM, vllm/benchmarks/serve.py. One result is one point: total tokens per second over the GPUs that served them, at the
interactivity 1000 / median_tpot_ms. A file may hold one result, a list of them, or one to a line (`--append-result`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from simulator.adapters.measurements import BenchmarkError, Measurement, in_words, read_benchmark_text
from simulator.adapters.operating_point import Imported, period, read_off
from simulator.study.frontier import OutsideFrontierError
from simulator.study.problems import figure, quoted, shown

_NUMBERS = ("total_token_throughput", "median_tpot_ms", "total_input_tokens", "total_output_tokens", "completed")
_SETTINGS = ("model_id", "max_concurrency", "request_rate", "num_prompts", "backend", "endpoint_type", "tokenizer_id")
_LENGTHS_APART = 0.05  # sampled lengths vary a little from run to run


def import_vllm(files: Sequence[Path], gpus: int, hardware: str, interactivity: float | None = None,
                model: str | None = None, precision: str = "") -> Imported:
    """The throughput on the frontier of some results, all of one model and workload.

    gpus           GPUs that served each run
    interactivity  token/s/user; may be left out where there is one result, which is then taken where it was measured
    Raises BenchmarkError with everything that is wrong with the files, or with what is asked of them.
    """
    problems: list[str] = []
    measurements: list[Measurement] = []
    models: dict[str, str] = {}
    for file in files:
        try:
            for place, result in _results(file):
                found = _measurement(place, result, gpus, hardware, precision, problems)
                if found:
                    measurements.append(found)
                    models.setdefault(str(result["model_id"]), place)
        except BenchmarkError as error:
            problems += error.messages
    if len(models) > 1:
        each = ", ".join(f"{quoted(name)} ({place})" for name, place in models.items())
        problems.append(f"found different models: {each}; expected results of one model")
    problems += _different_lengths(measurements)
    if problems:
        raise BenchmarkError(problems)
    if interactivity is None:
        speeds = sorted({m.interactivity for m in measurements})
        if len(speeds) > 1:
            raise BenchmarkError(["--interactivity is missing: the results were measured at "
                                  f"{', '.join(f'{speed:.4g}' for speed in speeds)} token/s/user; expected one to read off"])
        interactivity = speeds[0]
    named = model or next(iter(models))
    lengths = _mean_lengths(measurements)
    same = [replace(m, lengths=lengths) for m in measurements]
    source = (f"vllm bench serve, {named}, input {lengths[0]}, output {lengths[1]}, {gpus} × {hardware}{period(same)} "
              f"({', '.join(file.name for file in files)})")
    try:
        return read_off(same, same, interactivity, named, source, "")
    except OutsideFrontierError as error:
        raise BenchmarkError([f"--interactivity: {error}"]) from None


def _results(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The results in a file, each with its place."""
    text = read_benchmark_text(file)
    try:
        found = json.loads(text)
        results = found if isinstance(found, list) else [found]
        places = [f"{file}: result {k}" if len(results) > 1 else str(file) for k in range(1, len(results) + 1)]
    except json.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        try:
            results, places = [json.loads(line) for _, line in lines], [f"{file}:{number}" for number, _ in lines]
        except json.JSONDecodeError:
            raise BenchmarkError([f"{file}:{error.lineno}: not valid JSON: {error.msg}; expected what 'vllm bench serve "
                                  "--save-result' writes"]) from None
    except RecursionError:
        raise BenchmarkError([f"{file}: not valid JSON: nested too deep"]) from None
    if not results:
        raise BenchmarkError([f"{file}: found an empty list; expected a result of 'vllm bench serve'"])
    for place, result in zip(places, results, strict=True):
        if not isinstance(result, dict):
            raise BenchmarkError([f"{place}: found {shown(result)}; expected a result of 'vllm bench serve'"])
        yield place, result


def _measurement(place: str, result: dict[str, Any], gpus: int, hardware: str, precision: str,
                 problems: list[str]) -> Measurement | None:
    before = len(problems)
    numbers = {name: _positive(place, name, result, problems) for name in _NUMBERS}
    if not isinstance(result.get("model_id"), str) or not result["model_id"]:
        problems.append(f"{place}: model_id: is missing; expected the model's name")
    measured = _date(place, result.get("date"), problems)
    if len(problems) > before:
        return None
    lengths = (max(1, round(numbers["total_input_tokens"] / numbers["completed"])),
               max(1, round(numbers["total_output_tokens"] / numbers["completed"])))
    concurrency = result.get("max_concurrency")
    key = tuple(f"{name}={result[name]}" for name in _SETTINGS if name in result)
    return Measurement(1000 / numbers["median_tpot_ms"], numbers["total_token_throughput"] / gpus, key, hardware, lengths,
                       precision, measured, in_words(f"concurrency {concurrency}" if concurrency else "", measured))


def _positive(place: str, name: str, result: dict[str, Any], problems: list[str]) -> float:
    """A number above 0; 1, with a problem noted, where it is none."""
    if name not in result:
        problems.append(f"{place}: {name}: is missing; expected what 'vllm bench serve --save-result' writes")
        return 1.0
    found = result[name]
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found) or found <= 0:
        problems.append(f"{place}: {name}: found {shown(found)}; expected a number above 0")
        return 1.0
    return float(found)


def _date(place: str, found: Any, problems: list[str]) -> date | None:
    """The day of a run, which vLLM writes as 20260325-141500."""
    if found in (None, ""):
        return None
    for form in ("%Y%m%d-%H%M%S", "%Y-%m-%d"):
        try:
            return datetime.strptime(str(found), form).date()
        except ValueError:
            continue
    problems.append(f"{place}: date: found {shown(found)}; expected a date such as 20260325-141500")
    return None


def _different_lengths(measurements: list[Measurement]) -> list[str]:
    """What is wrong where results are of different work."""
    problems = []
    for position, name in enumerate(("input", "output")):
        found = [m.lengths[position] for m in measurements]
        if found and max(found) > min(found) * (1 + _LENGTHS_APART):
            problems.append(f"found different work: from {figure(min(found))} to {figure(max(found))} {name} tokens per request; "
                            "expected results of one workload")
    return problems


def _mean_lengths(measurements: list[Measurement]) -> tuple[int, int]:
    count = len(measurements)
    return round(sum(m.lengths[0] for m in measurements) / count), round(sum(m.lengths[1] for m in measurements) / count)
