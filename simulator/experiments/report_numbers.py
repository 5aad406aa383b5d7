"""All the numbers of a board report: those that a run reported, and what is asked of its study beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.engine.sample_of_trials import TrialSample, sample_of_trials
from simulator.experiments.exceedance import Exceedance, exceedance
from simulator.experiments.sensitivity.everything import Sensitivity, sensitivity
from simulator.experiments.through_time import ThroughTime, through_time
from simulator.finished_run import FinishedRun
from simulator.reported import reported_run
from simulator.results import Run
from simulator.study.model import Study
from simulator.study.sensitivity import SensitivityChoice

TRIALS_SHOWN = 1024  # single trials to look at
_MOST_COUNTED = 1 << 18  # trials of which it is counted how many cost more than a level
# About how long each takes, for the bar of progress alone.
_EFFORT = {"exceedance": 1.0, "through_time": 1.0, "sample": 0.2, "sensitivity": 8.0}


@dataclass(frozen=True)
class ReportNumbers:
    """What a report of one run is written from.

    run          as it was reported: no number of it is computed again
    sensitivity  all methods that apply, whatever the study names
    exceedance   how likely costs are above a level, and the `budget_line` [USD per million tokens] where there is one: of the
                 run's first trials, 262,144 at most
    sample       the first trials of each replicate, TRIALS_SHOWN in all at most
    """

    finished: FinishedRun
    run: Run
    sensitivity: Sensitivity
    exceedance: Exceedance
    through_time: ThroughTime
    sample: TrialSample
    budget_line: float | None = None


def report_numbers(finished: FinishedRun, budget_line: float | None = None, threads: int = 0,
                   progress: Callable[[float], None] | None = None) -> ReportNumbers:
    """Everything that a report of a finished run says.

    budget_line  a cost to compare with [USD per million tokens]
    progress     told the share that is done
    Raises RunFolderError where the run's numbers are not those of its study, RunError where a cost is not finite.
    """
    run, done = reported_run(finished), 0.0
    study, whole = run.study, sum(_EFFORT.values())

    def at(share: float) -> None:
        if progress:
            progress(min((done + share) / whole, 1.0))

    def told(step: str) -> Callable[[float], None]:
        return lambda share: at(share * _EFFORT[step])

    levels = () if budget_line is None else (budget_line,)
    above = exceedance(_with_fewer_trials(study), levels, threads=threads, progress=told("exceedance"))
    at(done := done + _EFFORT["exceedance"])
    years = through_time(study, threads=threads)
    at(done := done + _EFFORT["through_time"])
    sample = sample_of_trials(study, TRIALS_SHOWN, threads)
    at(done := done + _EFFORT["sample"])
    # A study may name a few methods for its own `tco sensitivity`; a report has them all.
    asked = sensitivity(replace(study, sensitivity=SensitivityChoice()), threads=threads, progress=told("sensitivity"))
    return ReportNumbers(finished, run, asked, above, years, sample, budget_line)


def _with_fewer_trials(study: Study) -> Study:
    """The study with the first trials of each replicate, half of them as often as it takes."""
    simulation = study.simulation
    while simulation.trials > _MOST_COUNTED and simulation.trials_per_replicate % 4 == 0:  # what stays even may come in pairs
        simulation = replace(simulation, trials=simulation.trials // 2)
    return replace(study, simulation=simulation)
