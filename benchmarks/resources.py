"""Memory and time as trials and what-ifs grow, and start-up, each in processes of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, STUDY, Goal, Row, Section, Timing, duration, in_turns, last_line, process

# The system's record of this program: getrusage would tell the peak of the process that started it, where that was more.
PEAK = """
import json, re
from pathlib import Path
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
"""
# One run a process: what an earlier one left behind would count as its memory.
_RUN = PEAK + """
import sys, time
import simulator
file, trials = sys.argv[1:]
simulator.run(simulator.load(file, overrides=["simulation.trials=4096"]))
study = simulator.load(file, overrides=[f"simulation.trials={trials}"])
started = time.perf_counter()
run = simulator.run(study)
took = time.perf_counter() - started
run.summary.document
print(json.dumps({"peak": peak(), "seconds": took, "trials": study.simulation.trials}))
"""
_FEWEST, BASE = 100_000, 1_000_000  # trials: memory is compared with that at the former, cost with that at the latter
_ASKED = 100_000_000  # what the goals are stated at

# A whole `tco run` of every what-if of a study.
_WHAT_IFS = PEAK + """
import sys, time
from simulator.cli import main
started = time.perf_counter()
try:
    sys.argv[1:] = ["run", *sys.argv[1:], "--what-if", "all", "--quiet"]
    main()
except SystemExit as ended:
    assert not ended.code
print(json.dumps({"peak": peak(), "seconds": time.perf_counter() - started}))
"""
_SHIPPED = ROOT / "configs" / "studies" / "hopper_vs_blackwell.yaml"
_TIME_ALLOWED = 60.0  # seconds, for 1000 what-ifs of two platforms at 4096 trials on two cores


def growth(largest: int, rounds: int) -> Section:
    """Peak memory and cost a trial, from few trials to the largest number; long runs are repeated less, or not at all."""
    counts = sorted({_FEWEST, BASE, min(largest, 10 * BASE), largest})
    repeats = {count: rounds if count <= BASE else max(1, rounds // 2) if count <= 10 * BASE else 1 for count in counts}
    found: dict[int, list[dict[str, Any]]] = {count: [] for count in counts}
    for turn in range(rounds):
        for count in counts:
            if turn < repeats[count]:
                found[count].append(last_line(process("-c", _RUN, str(STUDY), str(count))))
    times = {count: Timing(tuple(one["seconds"] for one in runs)) for count, runs in found.items()}
    each = {count: times[count].best / found[count][0]["trials"] for count in counts}
    peak = {count: max(one["peak"] for one in runs) for count, runs in found.items()}
    at_most = Goal(1.1, at_least=False)

    def row(what: str, count: int, base: int, amount: Callable[[int], str], ratio: float) -> Row:
        more = "; --largest 100_000_000 for the goal's" if count == largest < _ASKED else ""
        return Row(f"{what} at {count:,} trials{more}", amount(count), f"at {base:,}, {amount(base)}", ratio,
                   at_most if count == largest else None)

    memory = [row("peak memory", count, _FEWEST, lambda n: f"{peak[n]:,.0f} MiB", peak[count] / peak[_FEWEST])
              for count in counts if count > _FEWEST]
    cost = [row("cost per trial", count, BASE, lambda n: f"{1e9 * each[n]:,.0f} ns", each[count] / each[BASE])
            for count in counts if count > BASE]
    return Section([*memory, *cost], list(times.values()))


def what_ifs(count: int, rounds: int) -> Section:
    """Time and peak memory of `tco run --what-if all` of a study with as many what-ifs, all files written."""
    with tempfile.TemporaryDirectory() as folder:
        def found(number: int) -> dict[str, Any]:
            file = Path(folder) / f"{number}.yaml"
            values = [f"  w{k}: {{set: {{shared.utilization: {0.2 + 0.7 * k / number:.6f}}}}}" for k in range(number)]
            file.write_text("\n".join(["schema: 1", "study: What-ifs", f"extends: {_SHIPPED}", "simulation: {trials: 4096}",
                                       "what_ifs:", *values]) + "\n")
            return last_line(process("-c", _WHAT_IFS, str(file), "--out", str(Path(folder) / f"runs{number}")))

        found(1)  # compiled from here on
        one, many = ([found(number) for _ in range(rounds)] for number in (1, count))
    times = [Timing(tuple(each["seconds"] for each in runs)) for runs in (one, many)]
    peaks = [max(each["peak"] for each in runs) for runs in (one, many)]
    what = f"{count:,} what-ifs of two platforms at 4,096 trials"
    return Section([
        Row(f"{what}, a whole tco run, all files written", duration(times[1].best), f"{_TIME_ALLOWED:.0f} s",
            times[1].best / _TIME_ALLOWED, Goal(1, at_least=False)),
        Row(f"peak memory, {what}", f"{peaks[1]:,.0f} MiB", f"one what-if, {peaks[0]:,.0f} MiB", peaks[1] / peaks[0],
            Goal(1.1, at_least=False))], times)

# Everything of a report of a run, format by format.
_REPORT = PEAK + """
import sys, time
from pathlib import Path
from simulator.experiments.report_numbers import report_numbers
from simulator.finished_run import read_run
from simulator.reporting.report.make import Wanted, write_reports
run, out = sys.argv[1:]
started = time.perf_counter()
numbers = report_numbers(read_run(run), 0.2)
write_reports([numbers], Path(out), Wanted(("html",)))
page = time.perf_counter() - started
write_reports([numbers], Path(out), Wanted(("pdf", "xlsx")))
print(json.dumps({"peak": peak(), "page": page, "more": time.perf_counter() - started - page}))
"""
_PAGE_ALLOWED, _MORE_ALLOWED, _MEMORY_ALLOWED = 15.0, 10.0, 1536.0  # seconds, seconds, MiB
_REPORTED = ROOT / "configs" / "studies" / "api_margin.yaml"


def report(rounds: int) -> Section:
    """A report with all charts of three platforms and a million trials, sensitivities included."""
    with tempfile.TemporaryDirectory() as folder:
        process("-m", "simulator", "run", str(_REPORTED), "--trials", "1000000", "--out", folder, "--quiet")
        (run,) = (manifest.parent for manifest in Path(folder).rglob("manifest.json"))
        last_line(process("-c", _REPORT, str(run), str(Path(folder) / "out")))  # compiled from here on
        found = [last_line(process("-c", _REPORT, str(run), str(Path(folder) / "out"))) for _ in range(rounds)]
    page, more = (Timing(tuple(each[name] for each in found)) for name in ("page", "more"))
    peak = max(each["peak"] for each in found)
    what = "three platforms, 1,000,000 trials"
    at_most = Goal(1, at_least=False)
    return Section([
        Row(f"report.html with all charts and sensitivities, {what}", duration(page.best), f"{_PAGE_ALLOWED:.0f} s",
            page.best / _PAGE_ALLOWED, at_most),
        Row("PDF and Excel beside it", duration(more.best), f"{_MORE_ALLOWED:.0f} s", more.best / _MORE_ALLOWED, at_most),
        Row("peak memory of all that", f"{peak:,.0f} MiB", f"{_MEMORY_ALLOWED:,.0f} MiB", peak / _MEMORY_ALLOWED, at_most),
    ], [page, more])


def start_up(rounds: int) -> Section:
    """Whole processes: help, a small warm run, and the first run of all, compilation included."""
    def command(*arguments: str, **environment: str) -> Callable[[], object]:
        return lambda: process(*arguments, **environment)

    with tempfile.TemporaryDirectory() as folder:
        run = ("-m", "simulator", "run", str(STUDY), "--trials", "4096", "--out", folder, "--quiet")
        process(*run)  # bytecode and kernels are compiled from here on
        times = in_turns({"imports": command("-c", "import numpy, numba"), "help": command("-m", "simulator", "--help"),
                          "run": command(*run)}, rounds)
        first = in_turns({"first": command(*run, TCO_CACHE_DIR=str(Path(folder) / "kernels"))}, 1)["first"]
    base = times["imports"].best
    against = f"import numpy, numba, {duration(base)}"

    def row(what: str, timing: Timing, goal: Goal | None = None) -> Row:
        return Row(what, duration(timing.best), against, timing.best / base, goal)

    return Section([row("tco --help", times["help"], Goal(0.6, at_least=False)),
                    row("small warm tco run, 4,096 trials, all files written", times["run"], Goal(3, at_least=False)),
                    row("first run after install, compilation included", first)], list(times.values()))
