"""A study run with the evidence that it chooses, and again with the other, where inputs have both a claim and a measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simulator.engine.run import run
from simulator.experiments.cluster import Cluster
from simulator.experiments.until import StopRule, run_until
from simulator.records import Records
from simulator.results import Run
from simulator.study.inputs import KINDS
from simulator.study.model import Study

# The scenario in which every input that has both kinds of evidence uses the one.
SCENARIOS = {"measured": "with_measurements", "claim": "with_claims"}


def run_with_each_evidence(study: Study, threads: int = 0, progress: Callable[[float], None] | None = None,
                           chunk_blocks: int = 0, until: StopRule | str | float | None = None,
                           on: Cluster | None = None) -> Run:
    """Simulate a study; where it has both kinds of evidence, also as it would be with one of them throughout.

    The scenarios are `base`, and of `with_measurements` and `with_claims` those that differ from it, all on the same draws.

    on     workers elsewhere, which look at the trials of large runs
    until  a stop rule, such as "0.1%" or "ranking", which the base decides; see `experiments.until`
    Other arguments and errors as of `engine.run.run`; StopRuleError where the rule cannot be kept.
    """
    others = other_evidence(study)
    count = 1 + len(others)

    def part_of(done: int) -> Callable[[float], None] | None:
        return (lambda share: progress((done + share) / count)) if progress else None

    base = (run_until(study, until, threads, part_of(0), chunk_blocks, on) if until is not None
            else run(study, threads, part_of(0), chunk_blocks, elsewhere=on))
    records, warnings = list(base.records), list(base.warnings)
    for position, kind in enumerate(others):
        scenario = SCENARIOS[kind]
        other = run(base.study.with_evidence(kind), threads, part_of(1 + position), chunk_blocks, elsewhere=on)
        records += [replace(record, scenario=scenario) for record in other.records]
        warnings += [f"{scenario}: {warning}" for warning in other.warnings if warning not in base.warnings]
    return replace(base, records=Records(records), warnings=tuple(warnings))


def scenarios(study: Study) -> dict[str, Study]:
    """The studies that `run_with_each_evidence` runs, by the scenario that each is reported as."""
    return {"base": study, **{SCENARIOS[kind]: study.with_evidence(kind) for kind in other_evidence(study)}}


def other_evidence(study: Study) -> list[str]:
    """The kinds of evidence of which a study that has both, but uses not only the one, would differ."""
    used = {given.kind for given in study.inputs().values()} - {""}
    return [kind for kind in KINDS if used and used != {kind}]
