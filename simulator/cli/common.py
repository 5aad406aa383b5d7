"""What commands share: options, exit statuses, messages, progress."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from simulator.experiments.cluster import Cluster
    from simulator.experiments.conditions import Condition, Finding
    from simulator.finished_run import FinishedRun
    from simulator.results import Run
    from simulator.study import Study, StudyError

# Exit statuses, as the interface promises them.
FAILED, WRONG_INPUT, DOES_NOT_HOLD, INTERRUPTED = 1, 2, 3, 130
_SUFFIXES = (".yaml", ".yml")
_PROGRESS_AFTER = 0.7  # seconds of silence before a bar appears

Studies = Annotated[list[Path], typer.Argument(metavar="STUDY", help="Study files (YAML).")]
Overlays = Annotated[list[Path] | None, typer.Option(
    "-f", "--file", metavar="OVERLAY.yaml", help="File merged on top (repeatable).")]
Overrides = Annotated[list[str] | None, typer.Option(
    "--set", metavar="PATH=VALUE", help="Replace one value (repeatable), such as shared.utilization=0.5.")]
WhatIfs = Annotated[list[str] | None, typer.Option(
    "--what-if", metavar="NAME", help="Run this what-if of the study too, beside it (repeatable); all for every one.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder written by 'tco run'.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where run folders go.")]
FailIf = Annotated[list[str] | None, typer.Option(
    "--fail-if", metavar="CONDITION", help="End with status 3 where this holds (repeatable), such as "
    "'platforms.b200.probability_cheapest < 0.6' or 'scenarios.costly_power.pairs.b200/h100.ratio.p95 > 1'.")]
Threads = Annotated[int, typer.Option(
    min=0, metavar="N", help="Worker threads; 0 for every core. Results do not depend on it.")]
Scheduler = Annotated[str | None, typer.Option(
    "--scheduler", metavar="ADDRESS", help="Work on a Dask scheduler, tcp://host:8786, or 'local': a process for each core.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def whole(text: str) -> int:
    """A whole number, also as 1e6 or 1_000_000."""
    try:
        number = int(text) if text.lstrip("+-").replace("_", "").isdigit() else float(text)
        if number != int(number):
            raise ValueError
        return int(number)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"'{text}' is not a whole number") from None


def say(message: str) -> None:
    """A line on standard error."""
    print(message, file=sys.stderr)


def warn(warnings: tuple[str, ...], quiet: bool) -> None:
    """Notes on standard error."""
    for warning in () if quiet else warnings:
        say(f"note: {warning}")


def yaml_files(folder: Path) -> list[Path]:
    """Every YAML file below a folder but hidden ones; where there is none, that is said on standard error."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in _SUFFIXES
                   and not any(part.startswith(".") for part in file.relative_to(folder).parts))
    if not files:
        say(f"{folder}: found no files that end in {' or '.join(_SUFFIXES)}")
    return files


def load_all(files: list[Path], overlays: list[Path] | None,
             overrides: list[str] | None) -> tuple[list[tuple[Path, Study]], bool]:
    """The studies that are right, with their files; and whether any is wrong, said on standard error."""
    from simulator.study import StudyError, load

    loaded, wrong = [], False
    for file in files:
        try:
            loaded.append((file, load(file, overlays or (), overrides or ())))
        except StudyError as error:
            wrong = True
            say_what_is_wrong(file, error)
    return loaded, wrong


def load_or_end(files: list[Path], overlays: list[Path] | None, overrides: list[str] | None,
                **simulation: object) -> list[tuple[Path, Study]]:
    """The studies, with their files; where any is wrong everything wrong with them is said, and the command ends.

    simulation  settings that options of their own give, by name; None where one is not given
    """
    more = [f"simulation.{name}={value}" for name, value in simulation.items() if value is not None]
    loaded, wrong = load_all(files, overlays, [*(overrides or ()), *more])
    if wrong:
        raise typer.Exit(WRONG_INPUT)
    return loaded


def check_what_ifs(studies: list[tuple[Path, Study]], asked: list[str]) -> None:
    """Say before the first run that a study has no what-if of a name that is asked for, or that `--set` does not fit it."""
    from simulator.study import StudyError
    from simulator.study.what_ifs import UnknownWhatIfError, names_of

    wrong = False
    for file, study in studies:
        try:
            names = names_of(study, asked)
            for name in names if study.document.layers else ():  # without layers, what-ifs were checked with their study
                study.with_what_if(name)
        except UnknownWhatIfError as error:
            wrong = True
            say(f"{file}: what_ifs: {error}")
        except StudyError as error:
            wrong = True
            say_what_is_wrong(file, error, f"not usable with the what-if {name}")
    if wrong:
        raise typer.Exit(WRONG_INPUT)


def say_what_is_wrong(file: Path, error: StudyError, what: str = "") -> None:
    """Everything that is to be put right in a study, on standard error; `what` is said of it, else how many things."""
    count = len(error.problems)
    say(f"{file}: {what or f'{count} thing' + 's' * (count != 1) + ' to put right'}")
    for problem in error.problems:
        say(f"  {problem}")


@contextlib.contextmanager
def workers(address: str | None, threads: int, quiet: bool, checkpoints: Path | None = None) -> Iterator[Cluster | None]:
    """The workers of a scheduler, where one is named; what they did is said. What is wrong with them ends the command."""
    if address is None:
        yield None
        return
    from simulator.experiments.cluster import ClusterError, cluster

    try:
        with cluster(address, threads, checkpoints) as found:
            yield found
        if not quiet:
            from simulator.reporting.tally_wording import in_words

            for line in in_words(found.tally):
                say(line)
    except ClusterError as error:
        say(f"--scheduler {address}: {error}")
        raise typer.Exit(FAILED) from None


@contextlib.contextmanager
def said_if_failed(name: str) -> Iterator[None]:
    """A run that fails is said on standard error, and ends the command."""
    from simulator.engine.run import RunError

    try:
        yield
    except RunError as error:
        say(f"{name}: the run failed: {error}")
        raise typer.Exit(FAILED) from None
    except MemoryError as error:
        say(f"{name}: the run failed: out of memory" + (f": {error}" if str(error) else ""))
        raise typer.Exit(FAILED) from None


def print_rich(block: RenderableType, width: int = 160) -> None:
    """Print a table or a group of them; where there is no terminal, as wide as `width`."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else width, highlight=False, markup=False).print(block)


def print_json(documents: Sequence[Mapping[str, Any]]) -> None:
    """The one JSON document of `--json`: the only one, or of several studies or runs a list of them."""
    print(json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, allow_nan=False))


@contextlib.contextmanager
def progress(name: str, quiet: bool, on: Cluster | None = None) -> Iterator[Callable[[float], None] | None]:
    """A bar on standard error, on a terminal only, and only where the work takes a while; `on`: workers whose pace it shows."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
                   TextColumn("{task.fields[pace]}", markup=False), console=Console(stderr=True), transient=True)
    task = bar.add_task(name, total=1.0, pace="")
    started = time.monotonic()

    def pace() -> str:
        if on is None:
            return ""
        from simulator.reporting.tally_wording import in_passing

        return in_passing(on.tally, on.threads)

    def advance(share: float) -> None:
        if not bar.live.is_started and time.monotonic() - started > _PROGRESS_AFTER:
            bar.start()
        bar.update(task, completed=share, pace=pace())

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()


def check_place(out: Path) -> None:
    """Say before a long run, not after it, that its folder cannot be written."""
    nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        say(f"the run folder cannot be written under {out}: {nearest} is {'read-only' if nearest.is_dir() else 'no folder'}; "
            "choose another place with --out")
        raise typer.Exit(FAILED)


@contextlib.contextmanager
def said_if_unwritable(what: str) -> Iterator[None]:
    """End the command with a message where something, "the folder" at its place, cannot be written."""
    try:
        yield
    except OSError as error:
        say(f"{what}: {error.strerror or error}; choose another place with --out")
        raise typer.Exit(FAILED) from None


def said_if_nowhere(out: Path | None) -> contextlib.AbstractContextManager[None]:
    """End the command with a message where the folder of an analysis cannot be written."""
    return said_if_unwritable(f"the folder cannot be written at {out or 'runs'}")


def save_run(finished: Run, out: Path) -> Path:
    """Write a run's folder, with its chart; end the command where it cannot be written."""
    from simulator.reporting import run_files

    with said_if_unwritable(f"the run folder cannot be written under {out}"):
        return run_files.save_run(finished, out)


def read_runs(folders: list[Path]) -> list[FinishedRun]:
    """Finished runs, read back; what is wrong with any of them is said, and ends the command before anything is run."""
    from simulator.finished_run import RunFolderError, read_run
    from simulator.study import StudyError

    found, wrong = [], False
    for folder in folders:
        try:
            found.append(read_run(folder))
        except RunFolderError as error:
            wrong = True
            say(f"{folder}: {error}")
        except StudyError as error:
            wrong = True
            say_what_is_wrong(folder / "study.yaml", error, "is not as the run wrote it, and cannot be used")
    if wrong:
        raise typer.Exit(WRONG_INPUT)
    return found


def read_conditions(texts: list[str] | None, option: str = "--fail-if") -> list[Condition]:
    """The conditions of an option; ends the command where one is wrong."""
    if not texts:
        return []
    from simulator.experiments.conditions import ConditionError, condition

    found = []
    for text in texts:
        try:
            found.append(condition(text))
        except ConditionError as error:
            say(f"{option}: {error}")
    if len(found) < len(texts):
        raise typer.Exit(WRONG_INPUT)
    return found


def say_if_it_holds(name: str, finding: Finding) -> None:
    """A condition of --fail-if that holds, on standard error."""
    if finding.holds:
        from simulator.reporting.wording import short

        say(f"{name}: --fail-if {finding.condition}: it holds, with {short(finding.value, 6)}")


def say_not_found(missed: Iterable[str]) -> None:
    """Conditions of --fail-if that no run has the number for, on standard error."""
    for text in missed:
        say(f"--fail-if: no run has the number of {text}: it does not apply to any of these studies")
