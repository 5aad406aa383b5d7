"""`tco runs`: the finished runs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.common import WRONG_INPUT, AsJson, Quiet, print_json, read_conditions, say


def runs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to look, also in the folders below.")] = Path("runs"),
    study: Annotated[str, typer.Option(metavar="NAME", help="Only runs of studies with this in their name.")] = "",
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Only runs finished then or later: 2026-11-25.")] = None,
    where: Annotated[list[str] | None, typer.Option(
        metavar="CONDITION", help="Only runs where it holds (repeatable): 'platforms.b200.probability_cheapest > 0.9'.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """List finished runs, newest first."""
    from simulator.experiments.run_list import MomentError, list_runs, moment

    conditions = read_conditions(where, "--where")
    try:
        found = list_runs(folder, study, moment(since) if since else None, conditions)
    except MomentError as error:
        say(f"--since: {error}")
        raise typer.Exit(WRONG_INPUT) from None
    except FileNotFoundError:
        say(f"{folder}: there is no such folder; expected one with run folders in it, such as that of 'tco run --out'")
        raise typer.Exit(WRONG_INPUT) from None
    if as_json:
        print_json([found.document()])
    elif not quiet and found.runs:
        from simulator.reporting.run_table import run_table

        print("\n".join(run_table(found)))
    for place, reason in () if quiet else found.unreadable:
        say(f"note: {place} is not listed: {reason}")
    for text in () if quiet else found.unknown:
        say(f"note: none of these runs has the number of --where '{text}'")
    if not found.runs and not quiet:
        say(f"no finished run in {folder}" + (" is what was asked for" if study or since or where else ""))
