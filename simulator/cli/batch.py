"""`tco batch`: many studies; goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import (
    DOES_NOT_HOLD,
    FAILED,
    WRONG_INPUT,
    AsJson,
    FailIf,
    Overlays,
    Overrides,
    Quiet,
    Scheduler,
    Threads,
    WhatIfs,
    check_place,
    print_json,
    print_rich,
    progress,
    read_conditions,
    say,
    say_if_it_holds,
    say_not_found,
    warn,
    whole,
    workers,
    yaml_files,
)

if TYPE_CHECKING:
    from simulator.experiments.batch import Batch
    from simulator.experiments.batch_tasks import Given
    from simulator.experiments.cluster import Cluster
    from simulator.experiments.conditions import Condition


def batch(
    studies: Annotated[list[Path], typer.Argument(
        metavar="FOLDER|STUDY", help="Study files (YAML), or folders with studies and the files that they extend.")],
    overrides: Overrides = None,
    overlays: Overlays = None,
    what_ifs: WhatIfs = None,
    trials: Annotated[int | None, typer.Option(
        parser=whole, metavar="N", help="Trials of every study, over all replicates.")] = None,
    fail_if: FailIf = None,
    threads: Threads = 0,
    scheduler: Scheduler = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where run folders go.")] = Path("runs"),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run many studies side by side; go on where it was stopped.

    What has been run before, the same study by the same program, is skipped. One bad study stops no other.

    Exit status: 1 where a run failed; else 2 where a study is wrong; else 3 where a condition of --fail-if holds; else 0.
    """
    from simulator.experiments.batch_tasks import Given
    from simulator.reporting.run_files import save_run

    conditions = read_conditions(fail_if)
    files = _files(studies)
    check_place(out)
    more = [f"simulation.trials={trials}"] if trials is not None else []
    given = Given(out, save_run, tuple(overlays or ()), (*(overrides or ()), *more), tuple(what_ifs or ()))
    with workers(scheduler, threads, quiet, out) as on:
        found = _run(files, given, threads, conditions, quiet, on)
    if as_json:
        print_json([_document(found, out)])
    elif not quiet:
        from simulator.reporting.batch_terminal import batch_summary

        print_rich(batch_summary(found))
    warn(found.notes, quiet)
    _end(found, out)


def _files(given: list[Path]) -> list[tuple[Path, bool]]:
    """Every file once, and whether it may be a part that others extend; in folders those of finished runs are passed over."""
    found: dict[Path, tuple[Path, bool]] = {}
    for place in given:
        for file in yaml_files(place) if place.is_dir() else [place]:
            if not place.is_dir() or not (file.parent / "manifest.json").exists():
                found.setdefault(file.resolve(), (file, place.is_dir()))
    if not found:
        raise typer.Exit(WRONG_INPUT)
    return list(found.values())


def _run(files: list[tuple[Path, bool]], given: Given, threads: int, conditions: list[Condition], quiet: bool,
         on: Cluster | None) -> Batch:
    from simulator.experiments.batch import run_batch
    from simulator.experiments.conditions import ConditionError
    from simulator.locks import BusyError

    done, count = 0, len(files)

    def report(now: int, of: int) -> None:
        nonlocal done, count
        done, count = now, of

    try:
        with progress(f"{len(files)} files", quiet, on) as advance:
            return run_batch(files, given, threads, conditions, advance, report, on)
    except ConditionError as error:
        say(f"--fail-if: {error}")
        raise typer.Exit(WRONG_INPUT) from None
    except BusyError as error:
        say(f"another batch writes to {given.runs} ({error}); wait for it, or choose another place with --out")
        raise typer.Exit(FAILED) from None
    except OSError as error:
        say(f"the run folders cannot be written under {given.runs}: {error.strerror or error}; choose another place with --out")
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        say(f"{done} of {count} studies are done; the same command goes on from there")
        raise


def _document(found: Batch, out: Path) -> dict[str, object]:
    from simulator.experiments.batch import STATUSES

    return {"schema": 1, "runs": str(out), "counts": {status: found.count(status) for status in STATUSES},
            "outcomes": [outcome.as_dict() for outcome in found.outcomes], "warnings": list(found.notes)}


def _end(found: Batch, out: Path) -> None:
    """Say what is wrong, on standard error, and end the command with the status of the worst of it."""
    from simulator.experiments.batch import FAILED as RUN_FAILED
    from simulator.experiments.batch import LEFT, WRONG

    for outcome in found.outcomes:
        if outcome.status == WRONG:
            say(f"{outcome.file}: not run:")
            for problem in outcome.why:
                say(f"  {problem}")
        elif outcome.status == RUN_FAILED:
            say(f"{outcome.study or outcome.file}: the run failed: {'; '.join(outcome.why)}")
    for outcome, finding in found.held:
        say_if_it_holds(str(outcome.file), finding)
    say_not_found(found.not_found)
    if found.count(LEFT):
        say(f"{found.count(LEFT)} studies were not begun: nothing more can be written under {out}; make room, and the same "
            "command goes on from there")
    if found.count(RUN_FAILED):
        raise typer.Exit(FAILED)
    if found.count(WRONG) or found.not_found:
        raise typer.Exit(WRONG_INPUT)
    if found.held:
        raise typer.Exit(DOES_NOT_HOLD)
