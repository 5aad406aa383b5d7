"""The command `tco`. A command reads, calls one function, writes."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulator.results import Run
    from simulator.study import Study

# Exit statuses, as the interface promises them.
FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130
_PROGRESS_AFTER = 0.7  # seconds of silence before a bar appears

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]},
                  help="What an AI token really costs, and how sure one can be.")



def _whole(text: str) -> int:
    """A whole number, also as 1e6 or 1_000_000."""
    try:
        number = int(text) if text.lstrip("+-").replace("_", "").isdigit() else float(text)
        if number != int(number):
            raise ValueError
        return int(number)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"'{text}' is not a whole number") from None


Studies = Annotated[list[Path], typer.Argument(metavar="STUDY", help="Study files (YAML).")]
Overlays = Annotated[list[Path] | None, typer.Option(
    "-f", "--file", metavar="OVERLAY.yaml", help="File merged on top (repeatable).")]
Overrides = Annotated[list[str] | None, typer.Option(
    "--set", metavar="PATH=VALUE", help="Replace one value (repeatable), such as shared.utilization=0.5.")]


def main() -> None:
    """Entry point: mistakes of the user give a message and a status, never a traceback."""
    try:
        app()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            _say("interrupted; of the run under way nothing was written")
        raise
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """What an AI token really costs, and how sure one can be."""
    if version:
        from simulator import __version__

        print(f"tco-simulator {__version__}")
        raise typer.Exit


@app.command()
def run(
    studies: Studies,
    overrides: Overrides = None,
    overlays: Overlays = None,
    trials: Annotated[int | None, typer.Option(
        parser=_whole, metavar="N", help="Trials, over all replicates; 1e6 will do.")] = None,
    seed: Annotated[int | None, typer.Option(parser=_whole, metavar="N", help="Seed of the random numbers.")] = None,
    sampler: Annotated[str | None, typer.Option(metavar="S", help="sobol or random.")] = None,
    threads: Annotated[int, typer.Option(
        min=0, metavar="N", help="Worker threads; 0 for every core. Results do not depend on it.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where run folders go.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Simulate studies; print the summary; write a run folder each."""
    settings = {"trials": trials, "seed": seed, "sampler": sampler}
    more = [f"simulation.{name}={value}" for name, value in settings.items() if value is not None]
    loaded, wrong = _load_all(studies, overlays, [*(overrides or []), *more])
    if wrong:
        raise typer.Exit(WRONG_INPUT)
    _check_place(out)
    documents = []
    for _, study in loaded:
        finished = _simulate(study, threads, quiet)
        folder = _save(finished, out)
        documents.append(finished.summary.document)
        if not quiet and not as_json:
            _print_summary(finished)
        _warn(finished.warnings, quiet)
        if not quiet:
            _say(f"written to {folder}")
    if as_json:
        print(json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, allow_nan=False))


@app.command()
def check(studies: Studies, overrides: Overrides = None, overlays: Overlays = None,
          quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False) -> None:
    """Say everything that is wrong with studies; simulate nothing."""
    loaded, wrong = _load_all(studies, overlays, overrides)
    for file, study in loaded:
        _warn(study.warnings, quiet)
        if not quiet:
            uncertain = sum(not given.is_constant for given in study.inputs().values())
            platforms = f"{len(study.platforms)} platform{'s' * (len(study.platforms) != 1)}"
            print(f"{file}: right; {platforms}, {len(study.inputs())} inputs, {uncertain} of them uncertain")
    if wrong:
        raise typer.Exit(WRONG_INPUT)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study, for editors."""
    from simulator.study.json_schema import study_schema

    print(json.dumps(study_schema(), indent=1, ensure_ascii=False))


def _load_all(files: list[Path], overlays: list[Path] | None,
              overrides: list[str] | None) -> tuple[list[tuple[Path, Study]], bool]:
    """The studies that are right, with their files; and whether any is wrong, said on standard error."""
    from simulator.study import StudyError, load

    loaded, wrong = [], False
    for file in files:
        try:
            loaded.append((file, load(file, overlays or (), overrides or ())))
        except StudyError as error:
            wrong, count = True, len(error.problems)
            _say(f"{file}: {count} thing{'s' * (count != 1)} to put right")
            for problem in error.problems:
                _say(f"  {problem}")
    return loaded, wrong


def _simulate(study: Study, threads: int, quiet: bool) -> Run:
    from simulator.engine.run import RunError
    from simulator.engine.run import run as simulate

    try:
        with _progress(study.name, quiet) as progress:
            return simulate(study, threads, progress)
    except RunError as error:
        _say(f"{study.name}: the run failed: {error}")
        raise typer.Exit(FAILED) from None
    except MemoryError:
        _say(f"{study.name}: the run failed: out of memory")
        raise typer.Exit(FAILED) from None


def _save(finished: Run, out: Path) -> Path:
    from simulator.reporting.charts import save_ranges
    from simulator.run_folder import save

    try:
        return save(finished, out, {name: lambda path: save_ranges(finished, path) for name in ("ranges.svg", "ranges.png")})
    except OSError as error:
        _say(f"the run folder cannot be written under {out}: {error.strerror or error}; choose another place with --out")
        raise typer.Exit(FAILED) from None


def _check_place(out: Path) -> None:
    """Say before a long run, not after it, that its folder cannot be written."""
    nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        _say(f"the run folder cannot be written under {out}: {nearest} is {'read-only' if nearest.is_dir() else 'no folder'}; "
             "choose another place with --out")
        raise typer.Exit(FAILED)


def _print_summary(finished: Run) -> None:
    from rich.console import Console

    from simulator.reporting.terminal import print_summary

    # Where there is no terminal, lines are not broken.
    print_summary(finished, Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False))


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _warn(warnings: tuple[str, ...], quiet: bool) -> None:
    for warning in () if quiet else warnings:
        _say(f"note: {warning}")


@contextlib.contextmanager
def _progress(name: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar on standard error, on a terminal only, and only where the work takes a while."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
                   console=Console(stderr=True), transient=True)
    task = bar.add_task(name, total=1.0)
    started = time.monotonic()

    def advance(share: float) -> None:
        if not bar.live.is_started and time.monotonic() - started > _PROGRESS_AFTER:
            bar.start()
        bar.update(task, completed=share)

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()

