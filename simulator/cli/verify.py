"""`tco verify`: does a finished run come out again?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import DOES_NOT_HOLD, AsJson, Quiet, Threads, print_json, progress, read_runs, said_if_failed

if TYPE_CHECKING:
    from simulator.experiments.verify import Verification
    from simulator.finished_run import FinishedRun


def verify(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders written by 'tco run'.")],
    threads: Threads = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run finished runs again from their folders, and compare."""
    found = []
    for finished in read_runs(runs):
        found.append(verified(finished, threads, quiet))
        print_verdict(found[-1], quiet or as_json)
    if as_json:
        print_json([each.document() for each in found])
    if not all(each.holds for each in found):
        raise typer.Exit(DOES_NOT_HOLD)


def verified(finished: FinishedRun, threads: int, quiet: bool) -> Verification:
    """A finished run, run again and compared."""
    from simulator.experiments.verify import verify

    name = str(finished.folder)
    with said_if_failed(name), progress(finished.study.name, quiet) as advance:
        return verify(finished, threads, advance)


def print_verdict(found: Verification, quiet: bool) -> None:
    """The sentences on standard output."""
    if not quiet:
        from simulator.reporting.verification import verdict

        print("\n".join(verdict(found)))
