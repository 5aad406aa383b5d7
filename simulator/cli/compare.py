"""`tco compare`: what changed between two runs, and what explains it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.common import AsJson, Quiet, Threads, print_json, print_rich, progress, read_runs, said_if_failed, warn


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder written by 'tco run'.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="The one to compare it with.")],
    no_rerun: Annotated[bool, typer.Option(
        "--no-rerun", help="Run nothing: errors of changes are put together from both runs, and nothing is explained.")] = False,
    threads: Threads = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what changed between two runs: inputs, results, ranking."""
    one, other = read_runs([first, second])
    from simulator.experiments.compare import compare

    with said_if_failed(f"{first}, {second}"), progress(one.study.name, quiet) as advance:
        found = compare(one, other, not no_rerun, threads, advance)
    if as_json:
        from simulator.experiments.comparison_document import document

        print_json([document(found)])
    elif not quiet:
        from simulator.reporting.comparison import comparison

        print_rich(comparison(found))
    warn(found.notes, quiet)
