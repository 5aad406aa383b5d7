"""`tco run`: simulate studies; print the summary; write a run folder each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.common import (
    DOES_NOT_HOLD,
    WRONG_INPUT,
    AsJson,
    FailIf,
    Out,
    Overlays,
    Overrides,
    Quiet,
    Scheduler,
    Studies,
    Threads,
    WhatIfs,
    check_place,
    check_what_ifs,
    load_or_end,
    print_json,
    print_rich,
    progress,
    read_conditions,
    said_if_failed,
    save_run,
    say,
    say_if_it_holds,
    say_not_found,
    warn,
    whole,
    workers,
)
from simulator.cli.samples import prepare_samples, write_samples

if TYPE_CHECKING:
    from simulator.experiments.cluster import Cluster
    from simulator.experiments.conditions import Condition
    from simulator.experiments.until import StopRule
    from simulator.results import Run
    from simulator.study import Study


def run(
    studies: Studies,
    overrides: Overrides = None,
    overlays: Overlays = None,
    what_ifs: WhatIfs = None,
    trials: Annotated[int | None, typer.Option(
        parser=whole, metavar="N", help="Trials, over all replicates; 1e6 will do.")] = None,
    seed: Annotated[int | None, typer.Option(parser=whole, metavar="N", help="Seed of the random numbers.")] = None,
    sampler: Annotated[str | None, typer.Option(metavar="S", help="sobol, latin_hypercube or random.")] = None,
    until: Annotated[str | None, typer.Option(
        metavar="RULE", help="Double the trials until relative errors are down to 0.1%, say, or the 'ranking' is sure.")] = None,
    until_statistics: Annotated[str | None, typer.Option(
        metavar="NAMES", help="Whose errors: p95,ratio.p50 or others; mean,p5,p50,p95 of the cost where not given.")] = None,
    most_trials: Annotated[int | None, typer.Option(
        parser=whole, metavar="N", help="Trials at which --until gives up; 1e8 where not given.")] = None,
    fail_if: FailIf = None,
    threads: Threads = 0,
    scheduler: Scheduler = None,
    out: Out = Path("runs"),
    samples: Annotated[str | None, typer.Option(
        metavar="PLACE", help="Write every trial too, as Parquet: to a new folder, or a URL such as s3://bucket/folder.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Simulate studies; print the summary; write a run folder each."""
    rule = _rule(until, until_statistics, most_trials)
    conditions = read_conditions(fail_if)
    loaded = load_or_end(studies, overlays, overrides, trials=trials, seed=seed, sampler=sampler)
    check_what_ifs(loaded, what_ifs or [])
    if rule:
        _check_rule(loaded, rule)
    _check_conditions(loaded, conditions, what_ifs or [])
    check_place(out)
    prepared = prepare_samples(samples, loaded, what_ifs or [], rule is None, quiet) if samples is not None else None
    documents = []
    with workers(scheduler, threads, quiet, out) as on:
        for file, study in loaded:
            finished = _simulate(file, study, what_ifs or [], threads, quiet, rule, on)
            folder = save_run(finished, out)
            if as_json or conditions:
                documents.append(finished.summary.document)
            if not quiet and not as_json:
                from simulator.reporting.terminal import summary

                print_rich(summary(finished))
            warn(finished.warnings, quiet)
            if not quiet:
                _say_why_stopped(finished)
                say(f"written to {folder}")
            if samples is not None:
                write_samples(samples, finished.study, what_ifs or [], prepared, threads, quiet, on)
    _write_index(out, quiet)
    if as_json:
        print_json(documents)
    _end_if_one_holds(loaded, documents, conditions)


def _rule(until: str | None, statistics: str | None, most_trials: int | None) -> StopRule | None:
    """The stop rule of the command line, or none; ends the command where it is wrong."""
    if until is None:
        for option, value in (("--until-statistics", statistics), ("--most-trials", most_trials)):
            if value is not None:
                say(f"{option} {value}: found it without --until; expected --until 0.1% or --until ranking beside it")
                raise typer.Exit(WRONG_INPUT)
        return None
    from simulator.experiments.until import MOST_TRIALS, StopRuleError, stop_rule

    try:
        return stop_rule(until, statistics or "", MOST_TRIALS if most_trials is None else most_trials)
    except StopRuleError as error:
        say(f"--until {until}: {error}")
        raise typer.Exit(WRONG_INPUT) from None


def _check_rule(loaded: list[tuple[Path, Study]], rule: StopRule) -> None:
    """End the command, before anything is run, where a study cannot keep the rule."""
    from simulator.experiments.until import check_rule

    for file, study in loaded:
        with _said_if_unfit(file):
            check_rule(study, rule)


@contextlib.contextmanager
def _said_if_unfit(file: Path) -> Iterator[None]:
    from simulator.experiments.until import StopRuleError

    try:
        yield
    except StopRuleError as error:
        say(f"{file}: --until: {error}")
        raise typer.Exit(WRONG_INPUT) from None


def _simulate(file: Path, study: Study, what_ifs: list[str], threads: int, quiet: bool, rule: StopRule | None,
              on: Cluster | None) -> Run:
    from simulator.experiments.what_ifs import run_with_what_ifs

    with _said_if_unfit(file), said_if_failed(study.name), progress(study.name, quiet, on) as advance:
        return run_with_what_ifs(study, threads, advance, until=rule, what_ifs=what_ifs, on=on)


def _say_why_stopped(finished: Run) -> None:
    if finished.stopped:
        from simulator.reporting.wording import why_stopped

        say(why_stopped(finished))


def _write_index(out: Path, quiet: bool) -> None:
    from simulator.run_index import write_index

    try:
        write_index(out)
    except OSError as error:
        warn((f"the index of runs cannot be written under {out}: {error.strerror or error}; the runs are whole",), quiet)


def _check_conditions(loaded: list[tuple[Path, Study]], conditions: list[Condition], what_ifs: list[str]) -> None:
    """End the command, before anything is run, where no study can have what a condition asks for."""
    if not conditions:
        return
    from simulator.experiments.conditions import ConditionError, check_conditions, outline_of
    from simulator.study.what_ifs import names_of

    try:
        check_conditions(conditions, [outline_of(study, names_of(study, what_ifs)) for _, study in loaded])
    except ConditionError as error:
        say(f"--fail-if: {error}")
        raise typer.Exit(WRONG_INPUT) from None


def _end_if_one_holds(loaded: list[tuple[Path, Study]], documents: list[dict[str, Any]], conditions: list[Condition]) -> None:
    """End with the status of a check that fails where a condition holds in any of the runs."""
    if not conditions:
        return
    from simulator.experiments.conditions import find_all

    found, missed = find_all(conditions, documents)
    for (file, _), findings in zip(loaded, found, strict=True):
        for finding in findings:
            say_if_it_holds(str(file), finding)
    say_not_found(missed)
    if missed:
        raise typer.Exit(WRONG_INPUT)
    if any(finding.holds for findings in found for finding in findings):
        raise typer.Exit(DOES_NOT_HOLD)
