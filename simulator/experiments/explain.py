"""The trial behind a number: found, replayed, and laid open input by input and month by month."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.analysis.monthly_flows import Drawn, MonthlyFlows, monthly_flows
from simulator.engine.estimates import owner_name
from simulator.engine.layout import Layout, Row, has_part, layout
from simulator.engine.parameters import compile_study
from simulator.engine.ranking import first_trials, order_statistics, standing
from simulator.engine.replay import Replayed, replay
from simulator.engine.trials import Trials
from simulator.experiments.evidence import scenarios
from simulator.experiments.trial_inputs import DrawnInput, drawn_inputs, market_of
from simulator.finished_run import FinishedRun, read_run
from simulator.kernels.platform import COST_PER_MILLION, OUTPUT_ROWS
from simulator.quantities import COST, PARTS, RESULT
from simulator.results import PERCENTILES, Run
from simulator.study.model import Study
from simulator.study.problems import any_of, near_name, quoted

_BORNE_BY_OUTPUT = RESULT["cost_per_million_output_tokens"]


class ExplainError(ValueError):
    """A platform, quantity, scenario, percentile or trial that a run does not have."""


@dataclass(frozen=True)
class PlatformInTrial:
    """What one platform costs in a trial [USD per million tokens], and of what parts."""

    name: str
    label: str
    cost: float
    parts: dict[str, float]


@dataclass(frozen=True)
class TrialExplanation:
    """One trial.

    percentile  that was asked for [0..100]; of a trial asked for by number, its own, ties counted half
    replicate, trial  its number, both from 0
    value       of the quantity
    reported    the number that the summary has for the percentile; None where it has none
    inputs      what was drawn for the platforms of the quantity, the largest effect first
    platforms   all of the study, in its order
    flows       months by platform, of those of the quantity
    """

    percentile: float
    replicate: int
    trial: int
    value: float
    reported: float | None
    inputs: tuple[DrawnInput, ...]
    platforms: tuple[PlatformInTrial, ...]
    flows: dict[str, MonthlyFlows]

    @property
    def cheapest(self) -> tuple[str, ...]:
        """Names of the platforms that cost least in this trial."""
        least = min(platform.cost for platform in self.platforms)
        return tuple(platform.name for platform in self.platforms if platform.cost == least)


@dataclass(frozen=True)
class Explanation:
    """Trials of a run behind numbers of one quantity of one platform, or of one pair (`owner` is `later/earlier`).

    by_percentile  whether they were asked for by percentile, and not by number
    notes          what is to be said of the numbers: why they differ from the summary's
    """

    study: Study
    scenario: str
    owner: str
    quantity: str
    unit: str
    by_percentile: bool
    trials: tuple[TrialExplanation, ...]
    notes: tuple[str, ...]


def explain(run: Run | FinishedRun | str | os.PathLike[str], percentile: float | Sequence[float] = 95.0, *,
            trial: tuple[int, int] | None = None, platform: str | None = None, quantity: str = COST.name, scenario: str = "base",
            threads: int = 0, progress: Callable[[float], None] | None = None) -> Explanation:
    """Find the trials at percentiles of a run and replay them.

    run         a run, or its folder
    percentile  one or several, 0 to 100: the trial of the order statistic x_(⌈np⌉), of equal ones the first
    trial       (replicate, number), both from 0, instead of a percentile
    platform    by name, or a pair as `later/earlier` for what compares two; where it is left out, the one with the least median
                cost, or the first pair
    quantity    a result of which a run reports percentiles; `ratio` or `difference` of a pair
    progress    called with the share of the search that is done, 0..1
    Raises ExplainError; of a folder RunFolderError and StudyError.
    """
    run = read_run(run) if isinstance(run, (str, os.PathLike)) else run
    study = _study_of(run, scenario)
    rows = layout(study)
    row, factor, owner = _row_of(run, study, rows, quantity, platform, scenario)
    levels = [float(p) for p in (percentile if isinstance(percentile, Sequence) else [percentile])]
    _check(study, levels, trial)
    trials = Trials(compile_study(study, rows.wanted, rows.pairs), study.simulation, len(rows.rows), threads)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(done / ((1 if trial else 2) * trials.chunk_count), 1.0))

    # (percentile, replicate, number, reported) of each
    found: list[tuple[float, int, int, float | None]] = []
    if trial is not None:
        own = standing(trials, row, replay(trials, *trial).result(row), step)
        found.append((100 * own, *trial, None))
    else:
        values = order_statistics(trials, row, [level / 100 for level in levels], step)
        places = first_trials(trials, row, values, step)
        for level, value in zip(levels, values, strict=True):
            estimate = run.find(owner, quantity, f"p{level:g}", scenario)
            found.append((level, *places[value], estimate.value if estimate else None))
    explained = tuple(_explained(study, trials, rows.rows[row], row, factor, rows, *each) for each in found)
    unit = _BORNE_BY_OUTPUT.unit if quantity == _BORNE_BY_OUTPUT.name else rows.rows[row].unit
    notes = tuple(_notes(run, explained, trial is None))
    return Explanation(study, scenario, owner, quantity, unit, trial is None, explained, notes)


def _study_of(run: Run | FinishedRun, scenario: str) -> Study:
    known = scenarios(run.study)
    if scenario not in known:
        raise ExplainError(f"found the scenario '{quoted(scenario)}'; expected {any_of(tuple(known))}")
    return known[scenario]


def _row_of(run: Run | FinishedRun, study: Study, rows: Layout, quantity: str, platform: str | None,
            scenario: str) -> tuple[int, float, str]:
    """The row of results in which a quantity stands, the factor from there to it, and its owner's name."""
    known: dict[str, dict[str, tuple[int, float]]] = {}
    for position, row in enumerate(rows.rows):
        if row.ranked:
            owner = owner_name(study, rows, row)
            known.setdefault(row.quantity, {})[owner] = position, 1.0
            factor = study.platforms[row.owner].tokens_per_output_token if row.quantity == COST.name else None
            if factor:
                known.setdefault(_BORNE_BY_OUTPUT.name, {})[owner] = position, factor
    if quantity not in known:
        near = near_name(quantity, tuple(known))
        raise ExplainError(f"found the quantity '{quoted(quantity)}'; "
                           + (f"did you mean '{near}'?" if near else f"expected {any_of(tuple(known))}"))
    owners = known[quantity]
    if platform is None:
        platform = next((name for name in _by_median(run, study, scenario) if name in owners), next(iter(owners)))
    if platform not in owners:
        near = near_name(platform, tuple(owners))
        raise ExplainError(f"found no {quantity} of '{quoted(platform)}'; "
                           + (f"did you mean '{near}'?" if near else f"expected {any_of(tuple(owners))}"))
    return (*owners[platform], platform)


def _by_median(run: Run | FinishedRun, study: Study, scenario: str) -> list[str]:
    """Names of the platforms in the order of the run's summary, cheapest median first."""
    costs = {platform.name: run.find(platform.name, COST.name, "p50", scenario) for platform in study.platforms}
    known = {name: estimate.value for name, estimate in costs.items() if estimate}
    return sorted(known, key=known.__getitem__)


def _check(study: Study, levels: Sequence[float], trial: tuple[int, int] | None) -> None:
    simulation = study.simulation
    if trial is not None:
        replicate, number = trial
        if not 0 <= replicate < simulation.replicates:
            raise ExplainError(f"found replicate {replicate}; this run has {simulation.replicates}: expected 0 to "
                               f"{simulation.replicates - 1}")
        if not 0 <= number < simulation.trials_per_replicate:
            raise ExplainError(f"found trial {number}; each replicate of this run has {simulation.trials_per_replicate}: "
                               f"expected 0 to {simulation.trials_per_replicate - 1}")
        return
    for level in levels:
        if not 0 <= level <= 100:
            raise ExplainError(f"found the percentile {level:g}; expected one from 0 (the least) to 100 (the most)")


def _explained(study: Study, trials: Trials, given: Row, row: int, factor: float, rows: Layout, percentile: float,
               replicate: int, number: int, reported: float | None) -> TrialExplanation:
    trial = replay(trials, replicate, number)
    chosen = (given.owner,) if given.kind == "output" else rows.pairs[given.owner]
    return TrialExplanation(
        percentile, replicate, number, trial.result(row) * factor, reported,
        drawn_inputs(study, trials, trial, row, factor, chosen),
        tuple(_platform(study, trial, position) for position in range(len(study.platforms))),
        {study.platforms[position].name: flows_of(study, trial, position) for position in chosen})


def _platform(study: Study, trial: Replayed, position: int) -> PlatformInTrial:
    platform = study.platforms[position]
    parts = {part: trial.output(position, OUTPUT_ROWS.index(part)) for part in PARTS if has_part(platform, part)}
    return PlatformInTrial(platform.name, platform.label, trial.output(position, COST_PER_MILLION), parts)


def flows_of(study: Study, trial: Replayed, position: int) -> MonthlyFlows:
    """The months of one platform in a trial."""
    prices = {name: trial.prices(market) for name, market in market_of(trial.compiled.plan, position).items()}
    drawn = Drawn(trial.inputs(position), trial.throughput_factor(position), prices, trial.failed(position))
    return monthly_flows(study.platforms[position], drawn, study.simulation.horizon)


def _notes(run: Run | FinishedRun, explained: Sequence[TrialExplanation], by_percentile: bool) -> list[str]:
    """Why a replayed number is not the one that was reported, or has none beside it."""
    changes = run.changes() if isinstance(run, FinishedRun) else []
    why = "; ".join(changes) or "the machines may differ"
    notes = [f"the summary has {each.reported!r} for P{each.percentile:g}, and this replay gives {each.value!r}: {why}"
             for each in explained if each.reported not in (None, each.value)]
    notes += [f"the summary leaves P{each.percentile:g} out, and its warnings say why" for each in explained
              if by_percentile and each.reported is None and each.percentile / 100 in PERCENTILES]
    altered = run.altered if isinstance(run, FinishedRun) else ()
    return notes or [f"{name} is not as the run wrote it, but the number is" for name in altered]
