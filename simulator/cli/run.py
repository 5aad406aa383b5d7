"""`tco run`: simulate studies; print the summary; write a run folder each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import (
    FAILED,
    WRONG_INPUT,
    AsJson,
    Overlays,
    Overrides,
    Quiet,
    Studies,
    Threads,
    WhatIfs,
    check_place,
    check_what_ifs,
    load_all,
    print_rich,
    progress,
    said_if_failed,
    say,
    warn,
    whole,
)

if TYPE_CHECKING:
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
    threads: Threads = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where run folders go.")] = Path("runs"),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Simulate studies; print the summary; write a run folder each."""
    settings = {"trials": trials, "seed": seed, "sampler": sampler}
    more = [f"simulation.{name}={value}" for name, value in settings.items() if value is not None]
    loaded, wrong = load_all(studies, overlays, [*(overrides or []), *more])
    if wrong:
        raise typer.Exit(WRONG_INPUT)
    check_what_ifs(loaded, what_ifs or [])
    check_place(out)
    documents = []
    for _, study in loaded:
        finished = _simulate(study, what_ifs or [], threads, quiet)
        folder = _save(finished, out)
        documents.append(finished.summary.document)
        if not quiet and not as_json:
            from simulator.reporting.terminal import summary

            print_rich(summary(finished))
        warn(finished.warnings, quiet)
        if not quiet:
            say(f"written to {folder}")
    if as_json:
        print(json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, allow_nan=False))


def _simulate(study: Study, what_ifs: list[str], threads: int, quiet: bool) -> Run:
    from simulator.experiments.what_ifs import run_with_what_ifs

    with said_if_failed(study.name), progress(study.name, quiet) as advance:
        return run_with_what_ifs(study, threads, advance, what_ifs=what_ifs)


def _save(finished: Run, out: Path) -> Path:
    from simulator.reporting.charts import save_ranges
    from simulator.run_folder import save

    try:
        return save(finished, out, {name: lambda path: save_ranges(finished, path) for name in ("ranges.svg", "ranges.png")})
    except OSError as error:
        say(f"the run folder cannot be written under {out}: {error.strerror or error}; choose another place with --out")
        raise typer.Exit(FAILED) from None
