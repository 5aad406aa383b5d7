"""The command `tco`. A command reads, calls one function, writes; each has a file of its own here."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from simulator.cli.batch import batch
from simulator.cli.check import check, schema
from simulator.cli.common import FAILED, INTERRUPTED, say
from simulator.cli.compare import compare
from simulator.cli.explain import explain
from simulator.cli.fit import fit
from simulator.cli.frontier import frontier
from simulator.cli.imports import imports
from simulator.cli.report import report
from simulator.cli.rerun import rerun
from simulator.cli.run import run
from simulator.cli.runs import runs
from simulator.cli.sensitivity import sensitivity
from simulator.cli.show import show
from simulator.cli.sweep import sweep
from simulator.cli.verify import verify

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]},
                  help="What an AI token really costs, and how sure one can be.")
for command in (run, batch, report, check, show, explain, sensitivity, sweep, frontier, runs, compare, verify, rerun, fit,
                schema):
    app.command()(command)
app.add_typer(imports, name="import")


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """What an AI token really costs, and how sure one can be."""
    if version:
        from simulator import __version__

        print(f"tco-simulator {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point: mistakes of the user give a message and a status, never a traceback."""
    try:
        app()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            say("interrupted; of what was under way nothing was written")
        raise
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
