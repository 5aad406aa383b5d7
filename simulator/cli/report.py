"""`tco report`: the document for the board, of finished runs."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import (
    FAILED,
    WRONG_INPUT,
    Quiet,
    Threads,
    check_place,
    progress,
    read_runs,
    said_if_failed,
    said_if_unwritable,
    say,
)

if TYPE_CHECKING:
    from simulator.experiments.report_numbers import ReportNumbers
    from simulator.finished_run import FinishedRun

_LARGEST_LOGO = 1_000_000  # bytes
_LOGOS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"<svg": "image/svg+xml",
          b"<?xml": "image/svg+xml"}
_SHARE_OF_NUMBERS = 0.6  # of the work, for the bar of progress alone


def report(
    folders: Annotated[list[Path], typer.Argument(
        metavar="RUN", help="Run folders written by 'tco run', or a folder of them: the latest run of each study.")],
    formats: Annotated[str, typer.Option(metavar="A,B", help="html, pdf, xlsx, md, svg, png.")] = "html",
    budget_line: Annotated[str | None, typer.Option(
        metavar="USD", help="A cost per million tokens to compare with: how likely is it to be exceeded?")] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="In place of the study's name.")] = "",
    logo: Annotated[Path | None, typer.Option(metavar="FILE", help="PNG, JPEG, GIF or SVG for the top of the report.")] = None,
    out: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Folder for the report; that of the run where not given.")] = None,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Write the report for the board: pages with charts, tables and the words that the numbers support."""
    kinds, budget, picture = _formats(formats), _budget(budget_line), _logo(logo)
    runs = read_runs([run for folder in folders for run in _runs_in(folder)])
    place = out or (folders[0] if len(folders) == 1 else Path("reports"))
    check_place(place)
    from simulator.reporting.report.html import NoPdfError, check_pdf
    from simulator.reporting.report.make import Wanted, write_reports

    try:
        if "pdf" in kinds:
            check_pdf()
        name = title or runs[0].study.name
        with progress(name, quiet) as advance:
            numbers = [_numbers(run, budget, threads, _part(advance, k / len(runs), 1 / len(runs), _SHARE_OF_NUMBERS))
                       for k, run in enumerate(runs)]
            with said_if_unwritable(f"the report cannot be written at {place}"):
                written = write_reports(numbers, place, Wanted(kinds, title, picture), (
                    lambda share: advance(_SHARE_OF_NUMBERS + (1 - _SHARE_OF_NUMBERS) * share)) if advance else None)
    except NoPdfError as error:
        say(f"--formats {formats}: {error}")
        raise typer.Exit(FAILED) from None
    if not quiet:
        for run in runs:
            for change in run.changes():
                say(f"note: {run.folder}: {change}")
        charts = [file for file in written if file.parent != place]
        for file in written:
            if file not in charts:
                say(f"written: {file}")
        if charts:
            say(f"written: {len(charts)} charts in {charts[0].parent}")


def _part(advance: Callable[[float], None] | None, begin: float, length: float, of: float) -> Callable[[float], None] | None:
    return (lambda share: advance(of * (begin + length * share))) if advance else None


def _numbers(run: FinishedRun, budget: float | None, threads: int, advance: Callable[[float], None] | None) -> ReportNumbers:
    from simulator.experiments.report_numbers import report_numbers
    from simulator.finished_run import RunFolderError

    with said_if_failed(run.study.name):
        try:
            return report_numbers(run, budget, threads, advance)
        except RunFolderError as error:
            say(f"{run.folder}: {error}")
            raise typer.Exit(WRONG_INPUT) from None


def _runs_in(folder: Path) -> list[Path]:
    """The folder itself where it is a run, or is none at all; else the latest run of each folder of runs in it."""
    from simulator.locks import UNFINISHED
    from simulator.run_documents import MANIFEST

    if not folder.is_dir() or (folder / MANIFEST).is_file():
        return [folder]
    found: dict[Path, Path] = {}
    for manifest in sorted(folder.rglob(MANIFEST), key=lambda file: file.parent.name):
        if not any(part.startswith(UNFINISHED) for part in manifest.parts):
            found[manifest.parent.parent] = manifest.parent
    return [found[study] for study in sorted(found)] or [folder]


def _formats(text: str) -> tuple[str, ...]:
    """The formats of the command line; ends the command where one is none."""
    from simulator.reporting.report.make import FORMATS
    from simulator.study.problems import nearest

    names = [name.strip().lower() for name in text.split(",")]
    for name in names:
        if name not in FORMATS:
            say(f"--formats {text}: found {f'the format {name}' if name else 'no name'}; expected some of {', '.join(FORMATS)}"
                + nearest(name, FORMATS))
            raise typer.Exit(WRONG_INPUT)
    return tuple(dict.fromkeys(names))


def _budget(text: str | None) -> float | None:
    """The budget line; ends the command where it is no amount."""
    if text is None:
        return None
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        say(f"--budget-line {text}: expected an amount of USD per million tokens above 0, such as 0.5")
        raise typer.Exit(WRONG_INPUT)
    return amount


def _logo(file: Path | None) -> str:
    """A picture as a data: URL, which needs no file beside the report; ends the command where it is none."""
    if file is None:
        return ""
    try:
        data = file.read_bytes()
    except OSError as error:
        say(f"--logo {file}: cannot be read: {error.strerror or error}")
        raise typer.Exit(WRONG_INPUT) from None
    kind = next((kind for start, kind in _LOGOS.items() if data.lstrip()[:16].startswith(start)), "")
    if not kind or len(data) > _LARGEST_LOGO:
        what = f"{len(data):,} bytes" if kind else "no picture of these kinds"
        say(f"--logo {file}: found {what}; expected a PNG, JPEG, GIF or SVG file of at most {_LARGEST_LOGO:,} bytes")
        raise typer.Exit(WRONG_INPUT)
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
