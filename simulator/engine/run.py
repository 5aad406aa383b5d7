"""Study to results: simulate, gather, and put an error to every number."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator
from typing import Any, Protocol

import numpy as np

from simulator.analysis.published import compare_published
from simulator.engine.estimates import dominance, estimates, wanted_quantiles
from simulator.engine.exceedances import Exceedances
from simulator.engine.first_pass import FirstPass, Seen
from simulator.engine.layout import Layout, layout
from simulator.engine.parameters import Compiled, compile_study
from simulator.engine.passes import Answer, Finding, in_threads
from simulator.engine.selection_in_memory import Keeping
from simulator.engine.selection_in_one_pass import OnePass
from simulator.engine.trial_columns import values_at
from simulator.engine.trials import Chunk, Trials
from simulator.kernels.platform import NEVER
from simulator.kernels.trajectories import BLOCK
from simulator.quantities import COST
from simulator.records import Records
from simulator.results import Run, Sample
from simulator.study.model import Study

Array = np.ndarray[Any, np.dtype[np.float64]]
_SAMPLE = 4096
_FEW_TRIALS, _FEW_BYTES = 1 << 17, 64 << 20  # up to which results are all kept and sorted


class Elsewhere(Protocol):
    """Looks at trials in other processes or on other machines."""

    def first_pass(self, trials: Trials, first: FirstPass) -> Generator[tuple[Chunk, Seen], None, None]:
        """Each chunk, of whatever size, with what is seen of it, in their order; whoever asks adds it to `first`."""
        ...

    def every_chunk(self, trials: Trials, finding: Finding[Answer]) -> Generator[tuple[Chunk, Answer], None, None]:
        """A further pass."""
        ...


class RunError(RuntimeError):
    """A run of a study that is right in itself, and that failed: it gave a result that is not a number, say."""


def run(study: Study, threads: int = 0, progress: Callable[[float], None] | None = None, chunk_blocks: int = 0,
        costs_alone: bool = False, elsewhere: Elsewhere | None = None) -> Run:
    """Simulate a study.

    threads       worker threads, all available cores where 0; results do not depend on it
    progress      called with the share of the expected work that is done, 0..1
    chunk_blocks  blocks of trials to a unit of work; results do not depend on it
    costs_alone   only the cost of a million tokens and how the platforms compare in it, and no sample of trials: for many runs
    elsewhere     looks at the trials of a run that is large
    Raises RunError where a trial's result is not finite.
    """
    rows = layout(study, costs_alone)
    compiled = compile_study(study, rows.wanted, rows.pairs)
    small = not is_large(study) and study.simulation.trials * rows.ranked * 8 <= _FEW_BYTES
    elsewhere = elsewhere if is_large(study) else None
    trials = Trials(compiled, study.simulation, len(rows.rows), threads, chunk_blocks)
    sampled = Sample({}, {}) if costs_alone else _sample(trials, rows)
    # Where to centre sums: affects no result but the last digits of sums. What is not finite is reported
    # with its trial by the first pass.
    pilot = np.nan_to_num(trials.pilot(), nan=1.0, posinf=1.0, neginf=1.0)
    wanted, replicates, each = wanted_quantiles(study, rows), study.simulation.replicates, study.simulation.trials_per_replicate
    ranking = Keeping(wanted, rows.ranked, replicates, each) if small else OnePass(wanted, replicates, each)
    costs = [rows.find("output", owner, COST.name) for owner in range(len(study.platforms))] if rows.pairs else []
    exceedances = Exceedances(costs, pilot, replicates, each) if costs else None
    with np.errstate(over="ignore"):  # what is too large is reported with the trial or the statistic that shows it
        centres = pilot.mean(axis=1)
    first = FirstPass(centres, replicates, ranking, exceedances)

    def step(_: Chunk) -> None:
        if progress:
            progress(first.added / study.simulation.trials)  # a further pass is rare

    _first_pass(trials, first, lambda chunk, seen: RunError(_not_finite(trials, rows, compiled, chunk, seen)), step,
                elsewhere)
    selected = first.ranking.select(trials, step, elsewhere.every_chunk if elsewhere else in_threads)
    exceedances = first.exceedances
    records, warnings = estimates(study, rows, first.moments(each), selected)
    records += dominance(study, rows, exceedances) if exceedances else []
    wrong = next((record for record in records if not all(map(math.isfinite, record.estimate.as_dict().values()))), None)
    if wrong:
        raise RunError(f"the {wrong.statistic or 'value'} of {wrong.quantity} of {wrong.owner} is too large to compute with: an "
                       "input is far from anything real")
    if costs_alone:
        return Run(study, Records(records), (*study.warnings, *warnings), sampled)
    found = {compared.figure for compared in compare_published(study, records)}
    warnings += [f"the published {figure.quantity} of {figure.of} is not shown: this study does not give it"
                 for figure in study.published if figure not in found]
    return Run(study, Records(records), (*study.warnings, *warnings), sampled)


def is_large(study: Study) -> bool:
    """Whether a study has too many trials for all results to be kept, and enough to be simulated in several places."""
    return study.simulation.trials > _FEW_TRIALS


def _first_pass(trials: Trials, first: FirstPass, wrong: Callable[[Chunk, Seen], RunError], step: Callable[[Chunk], None],
                elsewhere: Elsewhere | None) -> None:
    """Every chunk added, in their order."""
    passing = (elsewhere.first_pass(trials, first) if elsewhere
               else trials.each(lambda chunk, results: first.look().of(chunk, results)))
    with contextlib.closing(passing):
        for chunk, seen in passing:
            if seen.wrong >= 0:
                raise wrong(chunk, seen)
            first.add(chunk, seen)
            step(chunk)


def _not_finite(trials: Trials, rows: Layout, compiled: Compiled, chunk: Chunk, seen: Seen) -> str:
    bad, values = seen.wrong, seen.results
    assert values is not None
    row = rows.rows[int(np.argmax(~np.isfinite(values)))]
    first = (chunk.first + bad) // BLOCK * BLOCK
    drawn = trials.block(chunk.replicate, first).values[:, chunk.first + bad - first]
    given = ", ".join(f"{path} = {value:.6g}" for path, value in zip(compiled.rows, drawn, strict=True) if path)
    return (f"{row.quantity} is {values[int(np.argmax(~np.isfinite(values)))]} in trial {chunk.first + bad} of replicate "
            f"{chunk.replicate}; its inputs: {given}")


def _sample(trials: Trials, rows: Layout) -> Sample:
    """The first trials of the first replicate, with their inputs, for whoever wants to look at single futures."""
    count = min(_SAMPLE, trials.simulation.trials_per_replicate)
    paths = {path: row for row, path in enumerate(trials.compiled.rows) if path}
    values = values_at(trials, list(paths.values()), rows.wanted, Chunk(0, 0, count))
    named, results = dict(zip(paths, values, strict=False)), values[len(paths):]
    given = [row for row in rows.rows if row.kind in ("output", "part", "chance", "present_cost", "present_tokens")]
    named_results = {(row.owner, row.quantity): values for row, values in zip(given, results, strict=True)
                     if row.kind in ("output", "part")}
    for (_, quantity), values in named_results.items():
        if quantity == "payback":
            values[values >= NEVER] = np.nan
    return Sample(named, named_results)
