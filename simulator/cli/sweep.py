"""`tco sweep`: a study at every value of one input, or of several together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import (
    WRONG_INPUT,
    AsJson,
    Overlays,
    Overrides,
    Quiet,
    Scheduler,
    Threads,
    check_place,
    load_or_end,
    print_json,
    print_rich,
    progress,
    said_if_failed,
    said_if_nowhere,
    say,
    say_what_is_wrong,
    warn,
    whole,
    workers,
)

if TYPE_CHECKING:
    from simulator.experiments.cluster import Cluster
    from simulator.experiments.sweep import SweepResult
    from simulator.study import Study
    from simulator.study.model import Sweep


def sweep(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study (YAML).")],
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A sweep that the study has.")] = None,
    over: Annotated[list[str] | None, typer.Option(
        metavar="PATH=FROM:TO:POINTS[:log][:UNIT]", help="Sweep over this in place of a named one (repeatable: a grid); values "
        "may be listed instead: PATH=0.2,0.4,0.8.")] = None,
    overrides: Overrides = None,
    overlays: Overlays = None,
    trials: Annotated[int | None, typer.Option(parser=whole, metavar="N", help="Trials at each point; 4096 will do.")] = None,
    seed: Annotated[int | None, typer.Option(parser=whole, metavar="N", help="Seed of the random numbers.")] = None,
    threads: Threads = 0,
    scheduler: Scheduler = None,
    out: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Folder for the chart and the numbers; runs/<study>/sweep-… where not given.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Cost and ranking over ranges of inputs."""
    ((_, loaded),) = load_or_end([study], overlays, overrides, trials=trials, seed=seed)
    chosen = _choose(study, loaded, name, over or [])
    check_place(out or Path("runs"))
    with workers(scheduler, threads, quiet) as on:
        found = _simulate(study, loaded, chosen, threads, quiet, on)
    folder = _save(found, out)
    if as_json:
        from simulator.experiments.sweep_document import document

        print_json([document(found)])
    elif not quiet:
        from simulator.reporting.sweep_terminal import sweep_summary

        print_rich(sweep_summary(found))
    warn(found.warnings, quiet)
    if not quiet:
        say(f"written to {folder}")


def _choose(file: Path, study: Study, name: str | None, over: list[str]) -> Sweep:
    """The sweep that is asked for, by name or as the command line describes it."""
    from simulator.study import StudyError
    from simulator.study.problems import nearest
    from simulator.study.sweeps import ad_hoc_sweep

    there = {sweep.name: sweep for sweep in study.sweeps}
    listed = f"the study's sweeps are {', '.join(there)}" if there else "the study has none"
    if bool(over) == bool(name):
        say(f"{file}: found {'both' if over else 'neither'} the name of a sweep {'and' if over else 'nor'} --over; expected one "
            f"of them: {listed}")
        raise typer.Exit(WRONG_INPUT)
    if over:
        try:
            return ad_hoc_sweep(study.document, over)
        except StudyError as error:
            say_what_is_wrong(file, error)
            raise typer.Exit(WRONG_INPUT) from None
    if name not in there:
        say(f"{file}: sweeps: there is no sweep '{name}' in the study{nearest(name, there) or f'; {listed}'}")
        raise typer.Exit(WRONG_INPUT)
    return there[str(name)]


def _simulate(file: Path, study: Study, chosen: Sweep, threads: int, quiet: bool, on: Cluster | None) -> SweepResult:
    from simulator.experiments.sweep import run_sweep
    from simulator.study import StudyError

    try:
        with said_if_failed(study.name), progress(study.name, quiet, on) as advance:
            return run_sweep(study, chosen, threads, advance, on)
    except StudyError as error:
        say_what_is_wrong(file, error, "not usable at a point of the sweep")
        raise typer.Exit(WRONG_INPUT) from None


def _save(found: SweepResult, out: Path | None) -> Path:
    from simulator.reporting.sweep_folder import save

    with said_if_nowhere(out):
        return save(found, out)
