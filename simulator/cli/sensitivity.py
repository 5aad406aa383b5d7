"""`tco sensitivity`: what drives the costs of a study, where its ranking flips, and what it is worth to know."""

from __future__ import annotations

from collections.abc import Iterator
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
    Studies,
    Threads,
    check_place,
    load_or_end,
    print_json,
    print_rich,
    progress,
    said_if_failed,
    said_if_nowhere,
    say,
    warn,
    workers,
)

if TYPE_CHECKING:
    from simulator.experiments.sensitivity.everything import Sensitivity
    from simulator.study import Study


def sensitivity(
    studies: Studies,
    methods: Annotated[str | None, typer.Option(
        metavar="A,B", help="tornado, spider, conditional, rank_correlation, sobol, shapley, value_of_information, break_even, "
                            "crossover, reverse_stress, robustness; all that apply where not given.")] = None,
    map_of: Annotated[str | None, typer.Option(
        "--map", metavar="X,Y", help="Paths of two inputs, for the crossover map; else those that matter most.")] = None,
    overrides: Overrides = None,
    overlays: Overlays = None,
    threads: Threads = 0,
    scheduler: Scheduler = None,
    out: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Folder for charts and numbers (of several studies, for a folder each); "
                            "runs/<study>/sensitivity-… where not given.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What drives costs, where the ranking flips, and what it is worth to know."""
    names, inputs = _methods(methods), _map(map_of)
    loaded = load_or_end(studies, overlays, overrides)
    check_place(out or Path("runs"))
    from simulator.experiments.sensitivity.everything import sensitivity_alone
    from simulator.reporting.sensitivity_wording import left_out_in_words

    documents = []
    with workers(scheduler, threads, quiet) as on:
        every = [study for _, study in loaded]
        answers = on.each(sensitivity_alone, (names, inputs), every, lambda study: study.name) if on else None
        for file, study in loaded:
            found = _answer(file, study, names, inputs, threads, quiet, answers)
            folder = _save(found, out, len(loaded) > 1)
            if as_json:
                from simulator.reporting.sensitivity_document import document

                documents.append(document(found))
            elif not quiet:
                from simulator.reporting.sensitivity_terminal import sensitivity_summary

                print_rich(sensitivity_summary(found))
            warn((*study.warnings, *found.notes, *left_out_in_words(found)), quiet)
            if not quiet:
                say(f"written to {folder}")
    if as_json:
        print_json(documents)


def _methods(text: str | None) -> tuple[str, ...]:
    """The methods of the command line; ends the command where one is none."""
    from simulator.study.sensitivity import METHODS, unknown_method

    names = tuple(name.strip().replace("-", "_") for name in text.split(",")) if text is not None else ()
    for name in names:
        if wrong := unknown_method(name):
            say(f"--methods {text}: {wrong}" if name else f"--methods {text}: found no name; expected {', '.join(METHODS)}")
            raise typer.Exit(WRONG_INPUT)
    return names


def _map(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    paths = [path.strip() for path in text.split(",")]
    if len(paths) != 2 or not all(paths):
        say(f"--map {text}: found {len(paths)} path{'s' * (len(paths) != 1)}; expected two with ',' between, such as "
            "shared.utilization,shared.energy_price.median")
        raise typer.Exit(WRONG_INPUT)
    return paths[0], paths[1]


def _answer(file: Path, study: Study, methods: tuple[str, ...], map_of: tuple[str, str] | None, threads: int,
            quiet: bool, answers: Iterator[tuple[Study, Sensitivity]] | None) -> Sensitivity:
    """What is asked of a study, here or as the next answer from elsewhere; ends the command where it cannot be answered."""
    from simulator.experiments.sensitivity.applicability import MapError
    from simulator.experiments.sensitivity.everything import sensitivity
    from simulator.experiments.sensitivity.players import NotApplicable

    try:
        with said_if_failed(study.name), progress(study.name, quiet) as advance:
            return next(answers)[1] if answers else sensitivity(study, methods, threads, advance, map_of)
    except NotApplicable as error:
        say(f"{file}: {error}")
    except MapError as error:
        say(f"{file}: --map: {error}")
    raise typer.Exit(WRONG_INPUT)


def _save(found: Sensitivity, out: Path | None, one_of_several: bool) -> Path:
    from simulator.reporting.sensitivity_folder import save
    from simulator.study.reading import as_path

    with said_if_nowhere(out):
        return save(found, out / as_path(found.study.name, "study") if out and one_of_several else out)
