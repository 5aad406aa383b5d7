"""A study and its what-ifs on the same draws, and how far each moves the results of the base, with the error of the move.

Draws have addresses by path and seed, so a what-if sees the trials of the base; a difference is one of the world. Its error is
that of the difference itself, from replicates that hold the same trials, which is far below the two errors put together.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from simulator.analysis.intervals import change
from simulator.engine.run import RunError, is_large, run
from simulator.experiments.cluster import Cluster
from simulator.experiments.evidence import run_with_each_evidence
from simulator.experiments.until import StopRule
from simulator.quantities import COST, RATIO
from simulator.records import Name, OnDisk, Record, Records, pack
from simulator.results import CHANGE, CHANGE_PER_DOLLAR, Run
from simulator.study.model import Simulation, Study
from simulator.study.what_ifs import names_of

# Of what a change against the base is given, by quantity and statistic.
CHANGED = frozenset({*((COST.name, statistic) for statistic in ("mean", "p5", "p50", "p95", "cvar95")), (RATIO.name, "p50"),
                     ("probability_cheapest", ""), ("probability_cheaper", ""), ("expected_regret", "")})


def run_with_what_ifs(study: Study, threads: int = 0, progress: Callable[[float], None] | None = None, chunk_blocks: int = 0,
                      until: StopRule | str | float | None = None, what_ifs: str | Sequence[str] = (),
                      on: Cluster | None = None) -> Run:
    """Simulate a study and those of its what-ifs that are named (or "all"), a scenario each, all on the same draws.

    Each what-if's records have, in the group `change`, what it moves: cost (mean, P5, P50, P95, expected shortfall),
    probabilities and regret, with the error of the difference.

    until  a stop rule, which the base decides;  on  workers elsewhere
    Other arguments as of `engine.run.run`. Raises UnknownWhatIfError, StudyError, RunError, and StopRuleError as `run_until`.
    """
    names = names_of(study, what_ifs)
    count = 1 + len(names)

    def part_of(done: int) -> Callable[[float], None] | None:
        return (lambda share: progress((done + share) / count)) if progress else None

    base = run_with_each_evidence(study, threads, part_of(0), chunk_blocks, until, on)
    if not names:
        return base
    before = {_key(record): record for record in base.records if record.scenario == "base"}
    costs = {what_if.name: what_if.costs for what_if in study.what_ifs}
    warnings, digests = list(base.warnings), {}
    with _said_if_no_room():
        packed = OnDisk()
    names_of_records: dict[tuple[Name, ...], tuple[Name, ...]] = {}
    shared = study, base.study.simulation
    if on and not is_large(base.study):
        found = on.each(_alone, shared, names, lambda name: f"the what-if {name}", base.study.simulation.trials)
    else:
        found = ((name, _one(shared, name, threads, part_of(1 + position), chunk_blocks, on))
                 for position, name in enumerate(names))
    for position, (name, other) in enumerate(found):
        digests[name] = other.study.digest
        if progress:
            progress((2 + position) / count)
        own = pack(name, _records(costs[name], other, before), names_of_records)
        with _said_if_no_room():
            packed.add(own)
        warnings += [f"{name}: {warning}" for warning in other.warnings if warning not in base.warnings]
    return replace(base, records=Records(base.records, packed), warnings=tuple(warnings), what_ifs=digests)


@contextlib.contextmanager
def _said_if_no_room() -> Iterator[None]:
    """Raise RunError where the numbers of what-ifs cannot be kept."""
    try:
        yield
    except OSError as error:
        where = f" in {tempfile.tempdir}" if tempfile.tempdir else ""
        raise RunError(f"the numbers of what-ifs cannot be kept in a temporary file{where}: {error.strerror or error}; "
                       "TMPDIR may name another folder") from None


def _alone(shared: tuple[Study, Simulation], name: str) -> Run:
    """One what-if in one thread."""
    return _one(shared, name, 1).without_trials()


def _one(shared: tuple[Study, Simulation], name: str, threads: int, progress: Callable[[float], None] | None = None,
         chunk_blocks: int = 0, on: Cluster | None = None) -> Run:
    """One what-if, with as many trials as the base in the end had."""
    study, simulation = shared
    return run(study_with_what_if(study, simulation, name), threads, progress, chunk_blocks, elsewhere=on)


def study_with_what_if(study: Study, simulation: Simulation, name: str) -> Study:
    """A study as a what-if has it, simulated as the base is, but for the horizon, which a what-if may change."""
    changed = study.with_what_if(name)
    return replace(changed, simulation=replace(simulation, horizon=changed.simulation.horizon))


def _records(costs: Mapping[str, float], other: Run, before: dict[tuple[str, str, str, str], Record]) -> Iterator[Record]:
    """A what-if's own numbers, and the changes, also per dollar where it has a cost."""
    for record in other.records:
        yield record
        base = before.get(_key(record))
        if base is not None and not record.group and (record.quantity, record.statistic) in CHANGED:
            moved = change(base.estimate, record.estimate)
            yield replace(record, group=CHANGE, estimate=moved)
            cost = costs.get(record.owner)
            if cost and record.quantity == COST.name and record.statistic in ("mean", "cvar95"):
                yield replace(record, group=CHANGE_PER_DOLLAR, unit="1", estimate=moved.scaled(1 / cost))


def _key(record: Record) -> tuple[str, str, str, str]:
    return record.owner, record.group, record.quantity, record.statistic
