"""The closed form of four factors, a million trials with quantiles, against other packages, each in a process of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import simulator
from benchmarks.closed_form import PACKAGES
from benchmarks.measuring import ROOT, Goal, Row, Section, Timing, duration, last_line, process, seconds

TRIALS = 1_000_000  # of the packages; tco's are rounded up to a power of two
STUDY = ROOT / "benchmarks" / "closed_form" / "study.yaml"
_OWN = 3  # runs of tco a round, on as many threads as are compared
_THEIRS = 2  # runs of a package in a process: the first may find things not yet set up


def packages(python: str, rounds: int) -> Section:
    """Times of a run, all in turns; `python` is the interpreter in which other packages are looked for."""
    study = simulator.load(STUDY)
    run = simulator.run(study)  # compiled from here on
    wanted = run.estimate("a", "cost_per_million_tokens", "mean").value
    own: dict[int, list[float]] = {1: [], 2: []}
    theirs: dict[str, list[dict[str, Any]]] = {package: [] for package in PACKAGES}
    for _ in range(rounds):
        for _ in range(_OWN):
            for threads, took in own.items():
                took.append(seconds(partial(simulator.run, study, threads)))
        for package, printed in theirs.items():
            printed.append(_one(package, python, wanted))
    one, two = (Timing(tuple(took)) for took in own.values())
    what = "four-factor closed form, 1 M trials with quantiles"
    rows = [Row(f"{what}: tco, two threads, all results with errors", duration(two.best))]
    timings = {}
    for package, printed in theirs.items():
        if "missing" in printed[0]:
            rows.append(Row(f"… against {package}", "", "not installed"))
            continue
        version, trials = printed[0]["version"], printed[0]["trials"]
        timings[package] = Timing(tuple(took * TRIALS / trials for run_ in printed for took in run_["seconds"]))
        scaled = f", scaled up from {trials:,} trials" if trials < TRIALS else ""
        best = timings[package].best
        rows.append(Row(f"… against {package}", duration(two.best), f"{package} {version}, one core, {duration(best)}{scaled}",
                        best / two.best, Goal(1)))
    if timings:
        fastest = min(timings, key=lambda package: timings[package].best)
        best = timings[fastest].best
        rows.append(Row("… on one thread, against the fastest of these", duration(one.best), f"{fastest}, {duration(best)}",
                        best / one.best))
    return Section(rows, [one, two, *timings.values()])


def _one(package: str, python: str, wanted: float) -> dict[str, Any]:
    """What a process with one package tells. Raises RuntimeError where it does not find the mean."""
    found = last_line(process("-W", "ignore", "-m", "benchmarks.closed_form", package, str(TRIALS), str(_THEIRS), python=python))
    if "mean" in found and abs(found["mean"] / wanted - 1) > 0.02:
        raise RuntimeError(f"found a mean of {found['mean']:.4f} by {package}; expected {wanted:.4f}")
    return found
