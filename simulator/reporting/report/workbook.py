"""The board report as an Excel workbook: what a run reported and what was asked beside it, as numbers to go on with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from simulator.experiments.report_numbers import ReportNumbers
from simulator.reporting.report import workbook_analyses, workbook_inputs, workbook_results
from simulator.reporting.report.workbook_sheets import Book


def write_workbook(numbers: ReportNumbers, path: Path, title: str = "") -> None:
    """Write the workbook of a run: the same bytes for the same numbers.

    title  of the report; the name of the study where none is given
    A sheet that has nothing to say (pairs of one platform, what-ifs that were not run) is left out. Raises OSError where the file
    cannot be written.
    """
    run, found = numbers.run, numbers.sensitivity
    finished = _finished(numbers)
    named = title or run.study.name
    date = f"Run finished {finished:%Y-%m-%d %H:%M} UTC" if finished else ""
    correlated = run.study.correlations.inputs.members or run.study.correlations.shocks.members
    book = Book(path, named, finished)
    workbook_results.summary(book, numbers, named, date)
    sheets = ((workbook_results.costs_by_part, True), (workbook_results.percentiles, True),
              (workbook_results.pairs, len(run.study.platforms) > 1), (workbook_results.what_ifs, bool(run.what_ifs)),
              (workbook_analyses.exceedance, True), (workbook_analyses.sensitivities, True),
              (workbook_analyses.value_of_information, found.decision is not None),
              (workbook_analyses.break_even, found.break_even is not None), (workbook_analyses.through_time, True),
              (workbook_inputs.assumptions, True), (workbook_inputs.correlations, bool(correlated)),
              (workbook_inputs.trials, True), (workbook_inputs.provenance, True))
    for write, applies in sheets:
        if applies:
            write(book, numbers)
    book.finish()


def _finished(numbers: ReportNumbers) -> datetime | None:
    """When the run was finished, in UTC without saying so, as XlsxWriter wants it; None where its manifest does not say."""
    try:
        when = datetime.fromisoformat(str(numbers.finished.manifest.get("finished", "")))
    except ValueError:
        return None
    return when.astimezone(UTC).replace(tzinfo=None)
