"""A study and its what-ifs on the same draws, and how far each moves the results of the base, with the error of the move.

Draws have addresses by path and seed, so a what-if sees the trials of the base; a difference is one of the world. Its error is
that of the difference itself, from replicates that hold the same trials, which is far below the two errors put together.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from simulator.analysis.intervals import change
from simulator.engine.run import RunError, is_large, run
from simulator.experiments.cluster import Cluster
from simulator.experiments.evidence import run_with_each_evidence
from simulator.experiments.until import StopRule
from simulator.quantities import COST, RATIO
from simulator.records import Name, OnDisk, Packed, Record, Records, pack
from simulator.results import CHANGE, CHANGE_PER_DOLLAR, Run
from simulator.study.model import Simulation, Study
from simulator.study.what_ifs import names_of

_Key = tuple[str, str, str, str]
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
    asked = _Asked(study, base.study.simulation, {_key(record): record for record in base.records if _is_compared(record)},
                   {what_if.name: what_if.costs for what_if in study.what_ifs})
    warnings, digests = list(base.warnings), {}
    with _said_if_no_room():
        packed = OnDisk()
    names_of_records: dict[tuple[Name, ...], tuple[Name, ...]] = {}
    if on and not is_large(base.study):
        found = on.each(_alone, asked, names, lambda name: f"the what-if {name}", base.study.simulation.trials)
    else:
        found = ((name, _one(asked, name, threads, part_of(1 + position), chunk_blocks, on))
                 for position, name in enumerate(names))
    for position, (name, other) in enumerate(found):
        digests[name] = other.digest
        if progress:
            progress((2 + position) / count)
        with _said_if_no_room():
            packed.add(replace(other.records, names=names_of_records.setdefault(other.records.names, other.records.names)))
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


@dataclass(frozen=True)
class _Asked:
    """What every what-if is simulated with, and compared with: numbers of the base, and what each what-if costs, by its name."""

    study: Study
    simulation: Simulation
    before: Mapping[_Key, Record]
    costs: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class _Found:
    """What one what-if comes to: little, since it may come from elsewhere."""

    digest: str
    warnings: tuple[str, ...]
    records: Packed


def _alone(asked: _Asked, name: str) -> _Found:
    """One what-if in one thread."""
    return _one(asked, name, 1)


def _one(asked: _Asked, name: str, threads: int, progress: Callable[[float], None] | None = None, chunk_blocks: int = 0,
         on: Cluster | None = None) -> _Found:
    """One what-if, with as many trials as the base in the end had."""
    changed = study_with_what_if(asked.study, asked.simulation, name)
    found = run(changed, threads, progress, chunk_blocks, elsewhere=on)
    return _Found(changed.digest, found.warnings, pack(name, _records(asked.costs[name], found, asked.before), {}))


def study_with_what_if(study: Study, simulation: Simulation, name: str) -> Study:
    """A study as a what-if has it, simulated as the base is, but for the horizon, which a what-if may change."""
    changed = study.with_what_if(name)
    return replace(changed, simulation=replace(simulation, horizon=changed.simulation.horizon))


def _records(costs: Mapping[str, float], other: Run, before: Mapping[_Key, Record]) -> Iterator[Record]:
    """A what-if's own numbers, and the changes, also per dollar where it has a cost."""
    for record in other.records:
        yield record
        base = before.get(_key(record))
        if base is not None:
            moved = change(base.estimate, record.estimate)
            yield replace(record, group=CHANGE, estimate=moved)
            cost = costs.get(record.owner)
            if cost and record.quantity == COST.name and record.statistic in ("mean", "cvar95"):
                yield replace(record, group=CHANGE_PER_DOLLAR, unit="1", estimate=moved.scaled(1 / cost))


def _is_compared(record: Record) -> bool:
    return record.scenario == "base" and not record.group and (record.quantity, record.statistic) in CHANGED


def _key(record: Record) -> _Key:
    return record.owner, record.group, record.quantity, record.statistic
