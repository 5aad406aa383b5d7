"""Reports of finished runs: made of their numbers, and written in the formats that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simulator.experiments.report_numbers import ReportNumbers
from simulator.locks import unfinished
from simulator.quantities import COST
from simulator.reporting.report.appendix import appendix_of
from simulator.reporting.report.document import Chart, Report, Table
from simulator.reporting.report.earnings import losses
from simulator.reporting.report.explorer import explorer_of
from simulator.reporting.report.figures import save_chart
from simulator.reporting.report.front import front_of
from simulator.reporting.report.html import html, write_pdf
from simulator.reporting.report.markdown import markdown
from simulator.reporting.report.pages import pages_of
from simulator.reporting.wording import chance, leaders, number, operating_points, ratio
from simulator.run_folder import sync, write_text

FORMATS = ("html", "pdf", "xlsx", "md", "svg", "png")
CHARTS = "charts"  # the folder of single charts


@dataclass(frozen=True)
class Wanted:
    """What is to be written: formats of FORMATS, a title in place of the study's name, a logo as a data: URL."""

    formats: tuple[str, ...] = ("html",)
    title: str = ""
    logo: str = ""


def report_of(numbers: ReportNumbers, title: str = "") -> Report:
    """The report of one run."""
    return Report(front_of(numbers, title), pages_of(numbers), appendix_of(numbers), explorer_of(numbers))


def overview_of(all_numbers: Sequence[ReportNumbers]) -> Table:
    """A line for each study: who is cheapest, how surely, and at what cost."""
    rows = []
    for numbers in all_numbers:
        run = numbers.run
        best, second, is_clear = leaders(run)
        labels = run.study.labels
        cost = {p: number(run.estimate(best, COST.name, p)) for p in ("p5", "p50", "p95")}
        times = ratio(run, second, best) if second else None
        rows.append((run.study.name, labels[best] if is_clear else f"no clear winner: {labels[best]}",
                     chance(run, run.estimate(best, "probability_cheapest")) if second else "", cost["p50"],
                     f"{cost['p5']} to {cost['p95']}", labels[second] if second else "", f"{number(times[1])}×" if times else "",
                     chance(run, losses(run)[best]) if best in losses(run) else "",
                     operating_points(run).removeprefix("Operating point: ").rstrip(".")))
    return Table("One line for each study; cost in USD per million tokens. Other operating points are not to be compared.", (
        "Study", "Cheapest", "Cheapest in", "P50", "P5 to P95", "Next", "Next costs", "Loses money in", "Operating point"),
        tuple(rows), frozenset((2, 3, 4, 6, 7)))


def write_reports(all_numbers: Sequence[ReportNumbers], folder: Path, wanted: Wanted,
                  progress: Callable[[float], None] | None = None) -> list[Path]:
    """Write report.html and whatever else is wanted into a folder, each file whole or not at all; returns their paths.

    Of several runs, one report that begins with an overview, and a workbook for each. The same runs give the same bytes. Raises
    OSError, and NoPdfError where PDF is wanted and cannot be made.
    """
    reports = [report_of(numbers, wanted.title if len(all_numbers) == 1 else "") for numbers in all_numbers]
    several = len(reports) > 1
    overview = overview_of(all_numbers) if several else None
    title = wanted.title or ("Overview" if several else reports[0].front.title)
    files: dict[str, Callable[[Path], None]] = {}
    drawn: dict[int, str] = {}
    if "html" in wanted.formats:
        files["report.html"] = lambda path: write_text(path, html(reports, title, overview, wanted.logo, drawn=drawn))
    if "md" in wanted.formats:
        files["report.md"] = lambda path: write_text(path, markdown(reports, title, overview, CHARTS))
    if "pdf" in wanted.formats:
        files["report.pdf"] = lambda path: write_pdf(html(
            reports, title, overview, wanted.logo, explore=False, drawn=drawn), path)
    if "xlsx" in wanted.formats:
        for position, numbers in enumerate(all_numbers):
            name = f"report-{position + 1}.xlsx" if several else "report.xlsx"
            files[name] = partial(_write_workbook, numbers, "" if several else wanted.title)
    for kind in ("svg", "png"):
        if kind in wanted.formats or (kind == "svg" and "md" in wanted.formats):
            for position, report in enumerate(reports):
                for chart, claim in _charts(report):
                    name = f"{CHARTS}/{f'{position + 1}-' if several else ''}{chart.name}.{kind}"
                    files[name] = partial(save_chart, chart, claim)
    return _write_all(files, folder, progress)


def _write_workbook(numbers: ReportNumbers, title: str, path: Path) -> None:
    from simulator.reporting.report.workbook import write_workbook

    write_workbook(numbers, path, title)


def _charts(report: Report) -> list[tuple[Chart, str]]:
    """Every chart with the claim of its page."""
    return [*((chart, report.front.title) for chart in report.front.charts),
            *((chart, page.title) for page in report.pages for chart in page.charts)]


def _write_all(files: dict[str, Callable[[Path], None]], folder: Path, progress: Callable[[float], None] | None) -> list[Path]:
    with unfinished(folder) as temporary:
        (temporary / CHARTS).mkdir()
        for done, (name, write) in enumerate(files.items()):
            write(temporary / name)
            sync(temporary / name)
            if progress:
                progress((1 + done) / len(files))
        if any(name.startswith(CHARTS) for name in files):
            (folder / CHARTS).mkdir(exist_ok=True)
        for name in files:
            (temporary / name).replace(folder / name)
        (temporary / CHARTS).rmdir()
        temporary.rmdir()
    sync(folder)
    return [folder / name for name in files]
