"""Speed, memory and start-up, in one run and one table: `python -m benchmarks` from the repository's root.

Machines are noisy, so what counts are ratios within a run; each figure is the best of several.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "benchmarks" / "study.yaml"
sys.path.insert(0, str(ROOT / "tests" / "reference"))


def best_of(times: int, action: Callable[[], object]) -> float:
    """The shortest of several wall-clock times [s]."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        found.append(time.perf_counter() - started)
    return min(found)


def measured_in_new_process(code: str) -> dict[str, float]:
    """Run code in a process of its own; it prints one JSON object."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def speed() -> list[tuple[str, str, str]]:
    """Trials per second against plain NumPy, and two threads against one."""
    import numpy
    from numpy_model import simulate
    from ruamel.yaml import YAML

    import simulator

    plain = YAML(typ="safe").load(STUDY.read_text())
    numpy_trials, trials = 50_000, 1 << 20
    reference = best_of(3, lambda: simulate(plain, numpy_trials, numpy.random.default_rng(1))) / numpy_trials
    study = simulator.load(STUDY, overrides=[f"simulation.trials={trials}"])
    small = simulator.load(STUDY, overrides=["simulation.trials=2048"])
    simulator.run(small)  # compiled from here on
    one, two = (best_of(3, lambda threads=threads: simulator.run(study, threads)) / trials for threads in (1, 2))
    single = study_of_one_platform(simulator, trials)
    alone = best_of(3, lambda: simulator.run(single, 2)) / trials
    return [
        ("plain NumPy, whole arrays of trials × months, one core", f"{1 / reference:,.0f} trials/s", "1×"),
        ("tco, one thread (statistics with errors included)", f"{1 / one:,.0f} trials/s", f"{reference / one:.1f}×"),
        ("tco, two threads", f"{1 / two:,.0f} trials/s", f"{reference / two:.1f}×"),
        ("two threads ÷ one", "", f"{one / two:.2f}×"),
        ("adding a platform ÷ one platform alone", "", f"{(two - alone) / alone:.2f}×"),
    ]


def study_of_one_platform(simulator: object, trials: int) -> object:
    from ruamel.yaml import YAML

    data = YAML(typ="safe").load(STUDY.read_text())
    del data["platforms"]["b"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "one.yaml"
        file.write_text(json.dumps(data))
        return simulator.load(file, overrides=[f"simulation.trials={trials}"])  # type: ignore[attr-defined]


def memory(largest: int) -> list[tuple[str, str, str]]:
    """Peak memory of the summary at few and at many trials."""
    code = """
import json, resource, simulator
study = simulator.load({study!r}, overrides=["simulation.trials={trials}"])
simulator.run(study).summary
print(json.dumps({{"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""
    counts = (100_000, 1_000_000, largest)
    peaks = [measured_in_new_process(code.format(study=str(STUDY), trials=trials))["peak"] for trials in counts]
    return [(f"peak memory at {trials:,} trials", f"{peak:,.0f} MiB", f"{peak / peaks[0]:.2f}×")
            for trials, peak in zip(counts, peaks, strict=True)]


def start_up() -> list[tuple[str, str, str]]:
    """Whole processes: help, a small warm run, and the first run of all, compilation included."""
    def command(*arguments: str, **environment: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], capture_output=True, check=True, cwd=ROOT,
                                      env={**os.environ, **environment})

    with tempfile.TemporaryDirectory() as folder:
        run = ("-m", "simulator", "run", str(STUDY), "--trials", "4096", "--out", folder, "--quiet")
        base = best_of(5, command("-c", "import numpy, numba"))
        help_, warm = best_of(5, command("-m", "simulator", "--help")), best_of(5, command(*run))
        first = best_of(1, command(*run, TCO_CACHE_DIR=str(Path(folder) / "cache")))
    return [("import numpy, numba", f"{base:.2f} s", "1×"), ("tco --help", f"{help_:.2f} s", f"{help_ / base:.2f}×"),
            ("small warm tco run, all files written", f"{warm:.2f} s", f"{warm / base:.2f}×"),
            ("first run after install, compilation included", f"{first:.1f} s", f"{first / base:.0f}×")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=10_000_000, help="trials of the memory benchmark")
    parser.add_argument("--only", choices=["speed", "memory", "start-up"])
    chosen = parser.parse_args()
    parts = {"speed": speed, "memory": lambda: memory(chosen.largest), "start-up": start_up}
    cores = len(os.sched_getaffinity(0))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {cores} cores, Python {platform.python_version()}\n")
    print("| what | measured | ratio |\n|---|---|---|")
    for name, part in parts.items():
        if chosen.only in (None, name):
            for row in part():
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
