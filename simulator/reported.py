"""A finished run as a `Run` again: the numbers that its folder reports, for whoever writes about them.

Nothing is simulated: every number is the one in `summary.json`. There are no replicates and no single trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.finished_run import FinishedRun
from simulator.quantities import BREAK_EVEN_PRICE, CHANCES, COST
from simulator.records import Name, Record, Records, pack
from simulator.results import CHANGE, CHANGE_PER_DOLLAR, Run, Sample, Stopped, Watched
from simulator.run_documents import SUMMARY, RunFolderError, estimate_of

# Of numbers without a statistic, which stand in the summary without a unit.
_UNITS = {"probability_cheapest": "1", "probability_cheaper": "1", "expected_regret": COST.unit,
          **{result.name: result.unit for result in (*CHANCES, BREAK_EVEN_PRICE)}}
_GROUPS = ("parts", "dominance", CHANGE, CHANGE_PER_DOLLAR)


def reported_run(finished: FinishedRun) -> Run:
    """The run that a folder reports. Raises RunFolderError where the summary is not that of a run of its study."""
    scenarios = finished.summary["scenarios"]
    names: dict[tuple[Name, ...], tuple[Name, ...]] = {}
    try:
        whole = [record for scenario, found in scenarios.items() if scenario not in finished.what_ifs
                 for record in _records(scenario, found)]
        packed = {name: pack(name, _records(name, scenarios[name]), names) for name in finished.what_ifs}
        digests = dict(finished.manifest["what_ifs"]) if finished.what_ifs else {}
        run = Run(finished.study, Records(whole, packed), tuple(finished.summary["warnings"]), Sample({}, {}),
                  _stopped(finished.summary.get("until")), digests)
        for platform in finished.study.platforms:
            run.estimate(platform.name, COST.name, "p50")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(f"{SUMMARY} does not hold what a run of its study reports ({error}); copy all of the folder again"
                             ) from None
    return run


def _records(scenario: str, found: Mapping[str, Any]) -> Iterator[Record]:
    for kind in ("platform", "pair"):
        for owner, numbers in found[f"{kind}s"].items():
            for name, value in numbers.items():
                if name in _GROUPS:
                    for inside, entry in value.items():
                        yield from _of_quantity(scenario, kind, owner, name, inside, entry)
                elif isinstance(value, dict):
                    yield from _of_quantity(scenario, kind, owner, "", name, value)


def _of_quantity(scenario: str, kind: str, owner: str, group: str, quantity: str, entry: Mapping[str, Any]) -> Iterator[Record]:
    alone = estimate_of(entry)
    if alone is not None:
        yield Record(scenario, kind, owner, group, quantity, "", _UNITS[quantity], alone)
        return
    for statistic, value in entry.items():
        if statistic != "unit":
            yield Record(scenario, kind, owner, group, quantity, statistic, entry["unit"],
                         Estimate(**(value["violation"] if group == "dominance" else value)))


def _stopped(found: Mapping[str, Any] | None) -> Stopped | None:
    if found is None:
        return None
    worst = found["worst"]
    kind = next(kind for kind in ("platform", "pair") if kind in worst)
    hopeless = "relative_error" not in worst
    return Stopped(None if found["target"] == "ranking" else found["target"], found["reached"], Watched(
        kind, worst[kind], worst["statistic"], float("inf") if hopeless else worst["relative_error"], hopeless))
