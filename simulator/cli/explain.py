"""`tco explain`: the trial behind a number, input by input and month by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import (
    WRONG_INPUT,
    AsJson,
    Quiet,
    RunFolder,
    Threads,
    print_json,
    print_rich,
    progress,
    read_runs,
    said_if_failed,
    say,
    warn,
)

if TYPE_CHECKING:
    from simulator.experiments.explain import Explanation
    from simulator.finished_run import FinishedRun


def explain(
    run: RunFolder,
    percentile: Annotated[list[float] | None, typer.Option(
        metavar="P", help="Percentile of the number, 0 to 100 (repeatable); 95 where nothing is said.")] = None,
    platform: Annotated[str | None, typer.Option(
        metavar="NAME", help="Platform, or a pair as NAME/NAME; the cheapest median where not given.")] = None,
    quantity: Annotated[str, typer.Option(
        metavar="Q", help="A result with percentiles: net_present_value, ratio, difference …")] = "cost_per_million_tokens",
    scenario: Annotated[str, typer.Option(metavar="S", help="A scenario of the run's summary.")] = "base",
    trial: Annotated[int | None, typer.Option(metavar="N", help="A trial by number, from 0, instead of a percentile.")] = None,
    replicate: Annotated[int | None, typer.Option(metavar="R", help="The replicate of --trial, from 0.")] = None,
    months: Annotated[bool, typer.Option("--months", help="Print flows by month, not by year.")] = False,
    threads: Threads = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show the trial behind a number: inputs, costs, months."""
    if trial is not None and percentile:
        say("found both --percentile and --trial; expected one of them")
        raise typer.Exit(WRONG_INPUT)
    if (trial is None) != (replicate is None):
        say(f"found {'--trial' if replicate is None else '--replicate'} alone; expected --trial N and --replicate R together")
        raise typer.Exit(WRONG_INPUT)
    place = (replicate, trial) if trial is not None and replicate is not None else None
    (finished,) = read_runs([run])
    found = _explain(finished, percentile or [95.0], place, platform, quantity, scenario, threads, quiet)
    if as_json:
        from simulator.experiments.explanation_document import document

        print_json([document(found)])
    elif not quiet:
        from simulator.reporting.explanation import explanation_summary

        print_rich(explanation_summary(found, months))
    warn(found.notes, quiet)


def _explain(run: FinishedRun, percentile: list[float], trial: tuple[int, int] | None, platform: str | None, quantity: str,
             scenario: str, threads: int, quiet: bool) -> Explanation:
    from simulator.experiments.explain import ExplainError, explain

    try:
        with said_if_failed(str(run.folder)), progress(run.folder.name, quiet) as advance:
            return explain(run, percentile, trial=trial, platform=platform, quantity=quantity, scenario=scenario,
                           threads=threads, progress=advance)
    except ExplainError as error:
        say(f"{run.folder}: {error}")
        raise typer.Exit(WRONG_INPUT) from None
