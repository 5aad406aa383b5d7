"""Speed, precision, other packages, sensitivities, memory, what-ifs, clusters, reports, start-up: `python -m benchmarks` from the
repository's root prints one table.

Machines are noisy, so what counts are ratios within a run: what is compared is run in turns, and the best of several counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmarks.measuring import HEAD, ROOT, Section
from benchmarks.resources import BASE

_PAGE = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_VERSIONS = ("numpy", "scipy", "numba")
_PARTS = ("speed", "precision", "packages", "sensitivity", "memory", "what-ifs", "scale", "report", "start-up")


def machine() -> str:
    """Where and when this is measured, and what else the machine is doing."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
        flags = next((line for line in lines if line.startswith("flags")), "")
        model += ", AVX-512" if " avx512f" in flags else ", AVX2" if " avx2" in flags else ""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _VERSIONS)
    return (f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores ({model}), load average before {os.getloadavg()[0]:.1f}, "
            f"Python {platform.python_version()}, {versions}")


def line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def written(text: str, page: str) -> str:
    """A page with a text between its marks. Raises ValueError where there are none."""
    begin, end = page.find(_BEGIN), page.find(_END)
    if begin < 0 or end < begin:
        raise ValueError(f"found no marks {_BEGIN} … {_END} in {_PAGE.name}; expected them around what was measured last")
    return page[:begin + len(_BEGIN)] + "\n" + text + "\n" + page[end:]


def sections(chosen: argparse.Namespace) -> dict[str, Callable[[], Section]]:
    """What is measured, by name; imported when it is."""
    quick, rounds = chosen.quick, 2 if chosen.quick else 5

    def speed() -> Section:
        from benchmarks import speed

        return speed.speed(rounds=rounds, numpy_trials=1 << 17 if quick else 1 << 19)

    def precision() -> Section:
        from benchmarks import precision, speed

        return precision.precision(speed.plain_study(), 1 << 17 if quick else 1 << 20, seeds=2 if quick else 5, rounds=rounds)

    def packages() -> Section:
        from benchmarks import packages

        return packages.packages(chosen.packages, rounds=2 if quick else 3)

    def sensitivity() -> Section:
        from benchmarks import sensitivity

        return sensitivity.sensitivity(rounds=rounds)

    def memory() -> Section:
        from benchmarks import resources

        return resources.growth(chosen.largest, rounds=rounds)

    def what_ifs() -> Section:
        from benchmarks import resources

        return resources.what_ifs(1000, rounds=1 if quick else 2)

    def scale() -> Section:
        from benchmarks import scale

        return scale.scale(1 << 25, rounds=1 if quick else 2, workers=(100, 1000))

    def report() -> Section:
        from benchmarks import resources

        return resources.report(rounds=1 if quick else 3)

    def start_up() -> Section:
        from benchmarks import resources

        return resources.start_up(rounds=3 if quick else 5)

    return dict(zip(_PARTS, (speed, precision, packages, sensitivity, memory, what_ifs, scale, report, start_up), strict=True))


def measure(chosen: argparse.Namespace) -> str:
    """The table, printed row by row; returns it with where and when."""
    lines = [f"Measured on {machine()}:\n", line(HEAD), line(["---"] * len(HEAD))]
    print("\n".join(lines), flush=True)
    spreads = []
    for name, section in sections(chosen).items():
        if not chosen.only or name in chosen.only:
            found = section()
            spreads += [timing.spread for timing in found.timings if len(timing.seconds) > 1]
            rows = [line(row.cells()) for row in found.rows]
            print("\n".join(rows), flush=True)
            lines += rows
    repeated = (f"of {len(spreads)} timings the median lies {statistics.median(spreads):.1%} above the best in the middle case "
                f"and {max(spreads):.0%} in the worst" if spreads else "nothing was timed more than once")
    noise = f"\nNoise: {repeated}; load average after {os.getloadavg()[0]:.1f}."
    print(noise)
    return "\n".join([*lines, noise])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a few minutes")
    parser.add_argument("--largest", type=int, default=10_000_000, metavar="TRIALS",
                        help="memory and cost per trial up to so many trials; 100_000_000 for the goals', which takes minutes")
    parser.add_argument("--only", choices=_PARTS, action="append", metavar="PART", help=f"{', '.join(_PARTS)}; may be repeated")
    parser.add_argument("--packages", default=sys.executable, metavar="PYTHON", help="interpreter that has the other packages")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    chosen = parser.parse_args()
    if chosen.write and chosen.only:
        parser.error("found --write with --only; expected the whole table to be written")
    if chosen.largest <= BASE:
        parser.error(f"found --largest {chosen.largest}; expected more than {BASE:,} trials, which it is compared with")
    if not shutil.which(chosen.packages):
        parser.error(f"found no interpreter {chosen.packages} (--packages); expected a Python that has the other packages")
    if chosen.write:
        written("", _PAGE.read_text(encoding="utf-8"))  # a page without marks is told before minutes of measuring
    text = measure(chosen)
    if chosen.write:
        _PAGE.write_text(written(text, _PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
