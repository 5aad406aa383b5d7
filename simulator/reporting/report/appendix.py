"""The appendix: every assumption, what depends on what, errors, warnings, what is left out, provenance, glossary."""

from __future__ import annotations

from simulator import __version__
from simulator.analysis.published import compare_published
from simulator.experiments.report_numbers import ReportNumbers
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.finished_run import FinishedRun
from simulator.quantities import COST, RESULTS
from simulator.reporting.input_names import input_name
from simulator.reporting.listing import Line, lines_of, range_cells
from simulator.reporting.report.document import Page, Table
from simulator.reporting.report.drivers import MOST_DETAILED, driven, driver_table
from simulator.reporting.report.glossary import GLOSSARY, KNOWN_LIMITS
from simulator.reporting.report.sparks import spark
from simulator.reporting.sensitivity_wording import left_out_in_words
from simulator.reporting.terminal import by_median
from simulator.reporting.wording import (
    as_given,
    error_share,
    label_of,
    not_modelled,
    number,
    plural,
    sampler_in_words,
    why_stopped,
)
from simulator.results import Run
from simulator.study.model import Input, Study

_ERRORS_OF = ("mean", "sd", "p5", "p50", "p95", "cvar95")


def appendix_of(numbers: ReportNumbers) -> tuple[Page, ...]:
    """The sections of the appendix; one that has nothing to say is left out."""
    run = numbers.run
    made = (_assumptions(run.study), _other_drivers(numbers), _correlations(run.study), _other_results(run), _published(run),
            _errors(run), _warnings(run, numbers.finished), _left_out(run, numbers.sensitivity),
            _provenance(run, numbers.finished), _glossary())
    return tuple(page for page in made if page is not None)


def _assumptions(study: Study) -> Page:
    headings = ("Input", "", "P5", "P50", "P95", "Unit", "Given as", "Source", "Date", "Grade")
    tables = []
    for caption, belongs in (("Markets", "markets."), ("Shared by all platforms", "shared."), *(
            (platform.label, f"platforms.{platform.name}.") for platform in study.platforms)):
        given = {path: one for path, one in _inputs_of(study, belongs).items() if one.is_stated}
        lines = [(line, given[path]) for path, one in given.items() for line in lines_of(study, one, belongs)]
        if lines:
            tables.append(Table(caption, headings, tuple(_cells(study, line, one, belongs) for line, one in lines),
                                frozenset((2, 3, 4)), sparks=tuple(spark(line.marginal) for line, _ in lines)))
        notes = tuple((_name(study, path, belongs), one.evidence.note) for path, one in given.items() if one.evidence.note)
        if notes:
            tables.append(Table(f"{caption}: notes", ("Input", "Note"), notes))
    return Page("assumptions", "Appendix", "Every assumption", tables=tuple(tables), reading="Nine of ten values of an input lie "
                "between its P5 and its P95. Grades: primary, analyst, weak, judgement.")


def _inputs_of(study: Study, belongs: str) -> dict[str, Input]:
    return {path: given for path, given in study.inputs().items() if path.startswith(belongs)}


def _cells(study: Study, line: Line, given: Input, belongs: str) -> tuple[str, ...]:
    is_whole, name = line.path == given.path, _name(study, line.path, belongs)
    stated = ", ".join(filter(None, (line.what or "number", line.kind)))
    evidence = given.evidence
    return (name if is_whole else f"— {name}", "", *range_cells(line.marginal), "" if line.unit == "1" else line.unit, stated,
            *((evidence.source, evidence.date, evidence.grade) if is_whole else ("", "", "")))


def _name(study: Study, path: str, belongs: str) -> str:
    """The name of an input as it stands among those that belong together."""
    kind, _, owner = belongs.rstrip(".").partition(".")
    return input_name(study, path, owner if kind == "platforms" else "")


def _other_drivers(numbers: ReportNumbers) -> Page | None:
    """What drives the platforms that the page of drivers does not tell of."""
    run, asked = numbers.run, numbers.sensitivity
    tables = tuple(driver_table(asked, position, name, run.study.labels[name])
                   for name, position in driven(numbers)[MOST_DETAILED:])
    return Page("other-drivers", "Appendix", "What drives the other platforms", tables=tables) if tables else None


def _correlations(study: Study) -> Page | None:
    found = study.document.tree.get("correlations")
    if not found or not (study.correlations.inputs.members or study.correlations.shocks.members):
        return None
    degrees = study.correlations.degrees
    copula = f"a t copula with {as_given(degrees)} degrees of freedom" if degrees else "a Gaussian copula"
    rows = tuple((input_name(study, str(first)), input_name(study, str(second)), _rank(rank))
                 for first, second, rank in found["pairs"])
    return Page("correlations", "Appendix", "What goes together",
                reading=f"Rank correlations (Spearman) under {copula}. What is not listed is independent.",
                tables=(Table("Rank correlations", ("Input", "and", "Rank correlation"), rows, frozenset((2,))),))


def _rank(rank: object) -> str:
    return f"{'+' if rank >= 0 else ''}{as_given(rank)}" if isinstance(rank, int | float) else str(rank)


def _other_results(run: Run) -> Page | None:
    names, labels = by_median(run), run.study.labels
    rows = []
    for result in RESULTS[1:]:
        for name in names:
            low, middle, high = (run.find(name, result.name, p) for p in ("p5", "p50", "p95"))
            if low and middle:
                unit = "" if result.unit == "1" else f", {result.unit}"
                rows.append((f"{result.label}{unit}", labels[name], number(low), number(middle),
                             number(high) if high else "never"))
    if not rows:
        return None
    return Page("other-results", "Appendix", "Other results",
                tables=(Table("By platform", ("Result", "Platform", "P5", "P50", "P95"), tuple(rows), frozenset((2, 3, 4))),))


def _published(run: Run) -> Page | None:
    labels = run.study.labels
    rows = tuple((label_of(compared.figure.quantity) + ("" if compared.figure.is_ratio else f", {compared.unit}"),
                  " ÷ ".join(labels[name] for name in compared.figure.of.split("/")), as_given(compared.figure.value),
                  number(compared.computed), "; ".join(filter(None, (compared.figure.source, compared.figure.note))))
                 for compared in compare_published(run.study, run.records.of("base")))
    if not rows:
        return None
    headings = ("Figure", "Of", "Published", "Computed", "Source and note")
    return Page("published", "Appendix", "Published figures, and computed here",
                reading="Computed: medians; a ratio is the first ÷ the second.",
                tables=(Table("Published and computed", headings, rows, frozenset((2, 3))),))


def _errors(run: Run) -> Page:
    simulation, labels = run.study.simulation, run.study.labels
    rows = tuple((labels[name], *(_relative(run, name, statistic) for statistic in _ERRORS_OF)) for name in by_median(run))
    says = (f"{simulation.trials:,} trials in {simulation.replicates} replicates, {sampler_in_words(simulation)}, seed "
            f"{simulation.seed}. More trials would shrink these errors; they would not shrink the ranges, which are the world's. "
            "No number is printed with digits that its error blurs; costs by year are told to two digits.")
    return Page("errors", "Appendix", "How far the numbers can be trusted: errors of the simulation", reading=says,
                text=tuple(filter(None, (why_stopped(run),))),
                tables=(Table("Standard error ÷ value, of the cost of a million tokens", ("Platform", *(
                    {"mean": "Mean", "sd": "Standard deviation", "cvar95": "Mean of the dearest 5 %"}.get(s, s.upper())
                    for s in _ERRORS_OF)), rows, frozenset(range(1, 1 + len(_ERRORS_OF)))),))


def _relative(run: Run, name: str, statistic: str) -> str:
    found = run.find(name, COST.name, statistic)
    if found is None:
        return ""
    return "exact" if found.standard_error == 0 or found.value == 0 else error_share(abs(found.standard_error / found.value))


def _warnings(run: Run, finished: FinishedRun) -> Page | None:
    found = (*run.warnings, *finished.changes())
    if not found:
        return None
    return Page("warnings", "Appendix", f"{plural(len(found), 'thing')} to know before relying on it", text=found)


def _left_out(run: Run, asked: Sensitivity) -> Page:
    return Page("limits", "Appendix", "What is not modelled, and known limits",
                text=tuple(filter(None, (not_modelled(run), *KNOWN_LIMITS, *asked.notes, *left_out_in_words(asked)))))


def _provenance(run: Run, finished: FinishedRun) -> Page:
    manifest, simulation = finished.manifest, run.study.simulation
    versions = ", ".join(f"{name} {version}" for name, version in finished.made_with.items())
    facts = (("Study", f"{run.study.name}, digest {run.study.digest}"), ("Finished", str(manifest["finished"])),
             ("Trials, seed, sampler", f"{simulation.trials:,}, {simulation.seed}, {simulation.sampler}"),
             ("Made with", versions), ("Report by", f"tco {__version__}"),
             *((("What-ifs", ", ".join(run.what_ifs)),) if run.what_ifs else ()),
             ("Run it again", f"tco rerun {finished.folder.name}, or tco run study.yaml in a copy of that folder"),
             ("Check it", f"tco verify {finished.folder.name}"))
    return Page("provenance", "Appendix", "Where it comes from, and how to run it again",
                tables=(Table("Provenance", ("What", "Value"), facts),))


def _glossary() -> Page:
    return Page("glossary", "Appendix", "Glossary", tables=(Table("Words", ("Word", "Meaning"), GLOSSARY),))
