"""Trials per second against careful NumPy and against C, on threads, and what a further platform costs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import simulator
from benchmarks import careful_numpy
from benchmarks.measuring import STUDY, Goal, Row, Section, Timing, in_turns, per_second
from benchmarks.reference import NotCompiledError, Reference
from simulator.engine.layout import layout
from simulator.engine.parameters import compile_study
from simulator.engine.trials import Trials
from simulator.study.model import Study

TRIALS = 1 << 20
_WHAT = "two platforms, every input uncertain, monthly price path"


def plain_study() -> dict[str, Any]:
    """The benchmark's study as its YAML gives it."""
    found: dict[str, Any] = YAML(typ="safe").load(STUDY.read_text())
    return found


def loaded(data: Mapping[str, Any], trials: int) -> Study:
    """A study from data that JSON can hold."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(json.dumps(data))
        return simulator.load(file, overrides=[f"simulation.trials={trials}"])


def simulated(study: Study, threads: int) -> None:
    """The trials of a study made once, and nothing done with them: the one place here that looks behind `simulator.run`."""
    rows = layout(study)
    compiled = compile_study(study, rows.wanted, rows.pairs)
    for _ in Trials(compiled, study.simulation, len(rows.rows), threads).each(lambda chunk, results: None):
        pass


def speed(rounds: int, numpy_trials: int) -> Section:
    """The speed of whole runs and of simulation alone. The NumPy run is linear in its trials: fewer of them do."""
    plain = plain_study()
    one_platform = {**plain, "platforms": {"a": plain["platforms"]["a"]}}
    study, single = loaded(plain, TRIALS), loaded(one_platform, TRIALS)
    actions: dict[str, Callable[[], object]] = {
        "numpy": lambda: careful_numpy.run(plain, numpy_trials),
        "tco 1": lambda: simulator.run(study, 1), "tco 2": lambda: simulator.run(study, 2),
        "simulated 1": lambda: simulated(study, 1), "simulated 2": lambda: simulated(study, 2),
        "single": lambda: simulator.run(single, 2)}
    simulator.run(loaded(plain, 4096))  # compiled from here on
    with tempfile.TemporaryDirectory() as folder:
        try:
            program, missing = Reference(plain, Path(folder)), ""
        except NotCompiledError as error:
            program, missing = None, str(error)
        if program:
            program.run(TRIALS, 2)  # its memory is touched from here on
            for threads in (1, 2):
                actions[f"C {threads}"] = partial(program.run, TRIALS, threads)
                actions[f"C simulated {threads}"] = partial(program.run, TRIALS, threads, statistics=False)
        times = in_turns(actions, rounds)
    return Section([*_against_numpy(times, numpy_trials), *_against_c(times, missing), *_scaling(times)], list(times.values()))


def _against_numpy(times: Mapping[str, Timing], numpy_trials: int) -> list[Row]:
    plain = times["numpy"].best / numpy_trials
    against = f"careful NumPy, one core, with statistics, {per_second(1, plain)}"

    def row(what: str, name: str, goal: Goal | None) -> Row:
        took = times[name].best / TRIALS
        return Row(what, per_second(1, took), against, plain / took, goal)

    return [row(f"{_WHAT}; tco, two threads, statistics with errors", "tco 2", Goal(20)),
            row("the same on one thread", "tco 1", None)]


def _against_c(times: Mapping[str, Timing], missing: str) -> list[Row]:
    if missing:
        return [Row("the same against C", "", f"not measured: {missing}")]
    found = []
    for what, name, other, goal in (
            ("two threads, tco with statistics and errors", "tco 2", "C 2", Goal(1)),
            ("one thread, tco with statistics and errors", "tco 1", "C 1", None),
            ("two threads, simulation alone", "simulated 2", "C simulated 2", None),
            ("one thread, simulation alone", "simulated 1", "C simulated 1", None)):
        alone = "simulation alone" if "simulated" in other else "with statistics"
        against = f"C, OpenMP, vectorised libm, as many threads, {alone}, {per_second(TRIALS, times[other].best)}"
        found.append(Row(what, per_second(TRIALS, times[name].best), against, times[other].best / times[name].best, goal))
    return found


def _scaling(times: Mapping[str, Timing]) -> list[Row]:
    one, two, single = (times[name].best for name in ("tco 1", "tco 2", "single"))
    return [Row("two threads ÷ one", "", "", one / two, Goal(1.85)),
            Row("two threads ÷ one, simulation alone", "", "", times["simulated 1"].best / times["simulated 2"].best),
            Row("adding a platform", f"{1e9 * (two - single) / TRIALS:,.0f} ns a trial",
                f"one platform alone, {1e9 * single / TRIALS:,.0f} ns", (two - single) / single, Goal(0.5, at_least=False))]
