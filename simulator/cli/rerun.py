"""`tco rerun`: a finished run once more, kept as a folder of its own."""

from __future__ import annotations

from pathlib import Path

import typer

from simulator.cli.common import (
    DOES_NOT_HOLD,
    AsJson,
    Out,
    Quiet,
    RunFolder,
    Threads,
    check_place,
    print_json,
    read_runs,
    save_run,
    say,
)
from simulator.cli.verify import print_verdict, verified


def rerun(run: RunFolder, threads: Threads = 0, out: Out = Path("runs"), as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Run a finished run again, keep the new one, and say how they compare."""
    (finished,) = read_runs([run])
    check_place(out)
    found = verified(finished, threads, quiet)
    folder = save_run(found.run, out)
    print_verdict(found, quiet or as_json)
    if as_json:
        print_json([{**found.document(), "rerun": str(folder)}])
    if not quiet:
        say(f"written to {folder}")
    if not found.holds:
        raise typer.Exit(DOES_NOT_HOLD)
