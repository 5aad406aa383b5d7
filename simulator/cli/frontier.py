"""`tco frontier`: cost per million tokens against interactivity, and where the ranking flips."""

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
)

if TYPE_CHECKING:
    from simulator.experiments.frontier import FrontierResult
    from simulator.study import Study


def frontier(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study (YAML) with a frontier on at least one platform.")],
    overrides: Overrides = None,
    overlays: Overlays = None,
    trials: Annotated[int | None, typer.Option(
        parser=whole, metavar="N", help="Trials at each interactivity; 1e5 will do.")] = None,
    threads: Threads = 0,
    out: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Folder for the chart and the numbers; runs/<study>/frontier-… where not given.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Cost per token against interactivity."""
    ((_, loaded),) = load_or_end([study], overlays, overrides, trials=trials)
    check_place(out or Path("runs"))
    found = _simulate(study, loaded, threads, quiet)
    folder = _save(found, out)
    if as_json:
        from simulator.experiments.frontier_document import document

        print_json([document(found)])
    elif not quiet:
        from simulator.reporting.frontier_terminal import frontier_summary

        print_rich(frontier_summary(found))
    warn(found.warnings, quiet)
    if not quiet:
        say(f"written to {folder}")


def _simulate(file: Path, study: Study, threads: int, quiet: bool) -> FrontierResult:
    from simulator.experiments.frontier import NoFrontierError, frontier_costs
    from simulator.study import StudyError

    try:
        with said_if_failed(study.name), progress(study.name, quiet) as advance:
            return frontier_costs(study, threads, advance)
    except NoFrontierError as error:
        say(f"{file}: platforms: {error}")
        raise typer.Exit(WRONG_INPUT) from None
    except StudyError as error:
        say_what_is_wrong(file, error, "not usable along the frontier")
        raise typer.Exit(WRONG_INPUT) from None


def _save(found: FrontierResult, out: Path | None) -> Path:
    from simulator.reporting.frontier_folder import save

    with said_if_nowhere(out):
        return save(found, out)
