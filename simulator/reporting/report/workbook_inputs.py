"""Sheets of what a run was made from: assumptions, what goes together, single trials, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.engine.sample_of_trials import PRICE_MEANS
from simulator.experiments.report_numbers import ReportNumbers
from simulator.reporting.input_names import input_name, owner_of, unit_and_scale
from simulator.reporting.listing import Line, lines_of
from simulator.reporting.ranges import shortened
from simulator.reporting.report.workbook_cells import Cell, Shown
from simulator.reporting.report.workbook_results import USD
from simulator.reporting.report.workbook_sheets import Book
from simulator.reporting.wording import as_given
from simulator.run_folder import machine_type
from simulator.study.model import Input, Study
from simulator.study.processes import units_of

_SHARES = (0.05, 0.5, 0.95)
_LUCK = "standard deviations beyond what was to be expected"


def assumptions(book: Book, numbers: ReportNumbers) -> None:
    """Every input, with where its number comes from; of a process what is paid in the long run, and its parameters."""
    study, sheet = numbers.run.study, book.sheet("Assumptions")
    headings = ["Path", "Input", "Platform", "Unit (1: a share or a factor)", "Given as",
                *(f"P{100 * p:g} [unit]" for p in _SHARES), "Source", "Date", "Grade of the evidence", "Kind of evidence", "Note",
                "What it is"]
    rows = (_of_line(study, given, line) for given in study.inputs().values() for line in lines_of(study, given))
    last = sheet.table(0, 0, headings, rows)
    sheet.head(1, 2)
    sheet.filter(last, len(headings) - 1)


def _of_line(study: Study, given: Input, line: Line) -> list[Cell]:
    owner = owner_of(study, given.path)
    is_share = unit_and_scale(study, line.path)[1] != 1
    whole, evidence = line.path == given.path, given.evidence
    what = line.what or ("" if line.marginal.is_constant else line.marginal.family.replace("_", " "))
    words = what or ("number" if given.is_stated else "default")
    told = (evidence.source, evidence.date, evidence.grade, given.kind, evidence.note, given.quantity.meaning) if whole else ()
    return [line.path, input_name(study, line.path, owner.name if owner else ""), owner.label if owner else "shared", line.unit,
            words, *(Shown(line.marginal.quantile(p), is_share=is_share) for p in _SHARES), *told]


def correlations(book: Book, numbers: ReportNumbers) -> None:
    """Rank correlations that the study states."""
    study, sheet = numbers.run.study, book.sheet("Correlations")
    degrees = study.correlations.degrees
    copula = f"t copula, {as_given(degrees)} degrees of freedom" if degrees else "Gaussian copula"
    headings = ["Input", "Goes with", "Rank correlation [1]", "Copula", "Path of the one", "Path of the other"]
    last = sheet.table(0, 0, headings, (
        [input_name(study, one), input_name(study, other), Shown(float(rank)),
         "Gaussian copula of monthly shocks" if one in study.correlations.shocks.members else copula, one, other]
        for one, other, rank in study.document.tree["correlations"]["pairs"]))
    sheet.head(1, 2)
    sheet.filter(last, len(headings) - 1)


def trials(book: Book, numbers: ReportNumbers) -> None:
    """A sample of single trials: what each drew, and what it cost."""
    study, sample, sheet = numbers.run.study, numbers.sample, book.sheet("Trials")
    units = units_of(study.inputs())
    headings, columns = ["Trial", "Replicate"], []
    for factor, places in zip(sample.factors, sample.columns, strict=True):
        name, unit = shortened(input_name(study, factor.path)), units.get(factor.path, _LUCK)
        if factor.market >= 0:
            name += f", mean over {PRICE_MEANS[0][0]} months"
        is_share = factor.platform < 0 and unit_and_scale(study, factor.path)[1] != 1
        headings.append(f"{name} [{'%' if is_share and unit == '1' else unit}]")
        columns.append((sample.values[places[0]].tolist(), is_share))
    headings += [f"Cost of {shortened(platform.label)} [{USD}]" for platform in study.platforms]
    columns += [(costs.tolist(), False) for costs in sample.costs]
    replicates = sample.replicate.tolist()

    def rows() -> Iterator[list[Cell]]:
        for trial in range(sample.trials):
            yield [trial + 1, replicates[trial] + 1, *(Shown(values[trial], is_share=is_share) for values, is_share in columns)]

    last = sheet.table(0, 0, headings, rows())
    sheet.head(1, 2)
    sheet.spread(len(headings), repeated=2)
    sheet.filter(last, len(headings) - 1)


def provenance(book: Book, numbers: ReportNumbers) -> None:
    """With what the run was made, and how to make it again."""
    finished, study, sheet = numbers.finished, numbers.run.study, book.sheet("Provenance")
    simulation, manifest, folder = study.simulation, finished.manifest, finished.folder.resolve()
    rows: list[list[Cell]] = [
        ["Study", study.name], ["Digest of the study", study.digest], ["Kind of evidence throughout", study.evidence],
        ["Seed", str(simulation.seed)], ["Sampler", simulation.sampler + (", antithetic" if simulation.antithetic else "")],
        ["Trials", simulation.trials], ["Replicates", simulation.replicates], ["Horizon [years]", Shown(simulation.horizon)],
        ["Finished", str(manifest.get("finished", ""))], ["Machine", machine_type(manifest.get("machine"))],
        ["Run folder", f"{folder.parent.name}/{folder.name}"], ["To run it again", f"tco rerun {folder.name}"]]
    rows += [[f"Version of {name}", version] for name, version in finished.made_with.items()]
    rows += [[f"Digest of {name}", str(digest)] for name, digest in manifest["files"].items()]
    rows += [["Not as when it ran", change] for change in finished.changes()]
    sheet.table(0, 0, ["What", "Which"], (row for row in rows if row[1] != ""))
    sheet.head(1, 1)
