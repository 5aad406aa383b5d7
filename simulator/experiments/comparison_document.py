"""A comparison of two runs as one JSON document."""

from __future__ import annotations

from typing import Any

from simulator.analysis.intervals import Estimate
from simulator.experiments.attribution import Attribution, Part
from simulator.experiments.compare import Comparison
from simulator.finished_run import FinishedRun
from simulator.quantities import COST
from simulator.study.differences import EVIDENCE, OTHER, SETTING, WORLD, Change
from simulator.study.families import Marginal
from simulator.study.inputs import EVIDENCE_KEYS
from simulator.study.model import Study
from simulator.study.schema import SCHEMA

_SHARES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}


def document(found: Comparison) -> dict[str, Any]:
    """As `--json` prints it; what does not apply is absent."""
    differ = found.differences
    return {
        "schema": SCHEMA, "first": _run(found.first), "second": _run(found.second), "same_draws": found.same_draws,
        "versions": {name: {"first": then, "second": now} for name, then, now in found.versions},
        "platforms": {"common": list(differ.common), "only_first": list(differ.removed), "only_second": list(differ.added)},
        "settings": [_change(change) for change in differ.of_kind(SETTING)],
        "inputs": [_input(found, change) for change in differ.of_kind(WORLD)],
        "evidence": [{"path": change.name, "first": _evidence(change.old), "second": _evidence(change.new)}
                     for change in differ.of_kind(EVIDENCE)],
        "other": [_change(change) for change in differ.of_kind(OTHER)],
        "results": _results(found),
        "ranking": {"first": list(found.rankings[0]), "second": list(found.rankings[1])},
        **({"attribution": _attribution(found.attribution)} if found.attribution else {}),
        "notes": list(found.notes)}


def _run(run: FinishedRun) -> dict[str, Any]:
    kept = {key: run.manifest[key] for key in ("finished", "digest", "trials", "replicates", "sampler", "seed")
            if key in run.manifest}
    return {"folder": str(run.folder), "study": run.study.name, **kept}


def _change(change: Change) -> dict[str, Any]:
    return {"path": change.name, **({} if change.old is None else {"first": change.old}),
            **({} if change.new is None else {"second": change.new})}


def _input(found: Comparison, change: Change) -> dict[str, Any]:
    """An input as written, and its range in the canonical unit."""
    sides = {"first": (found.first.study, change.old), "second": (found.second.study, change.new)}
    given = [study.inputs().get(change.name) for study, _ in sides.values()]
    unit = next((each.quantity.unit for each in given if each), None)
    stated = {side: {"given": value, **_range(study, change.name)} for side, (study, value) in sides.items() if value is not None}
    return {"path": change.name, **({} if unit is None else {"unit": unit}), **stated}


def _range(study: Study, path: str) -> dict[str, float]:
    found = study.inputs().get(path)
    if found is None or not isinstance(found.value, Marginal):
        return {}
    value = found.value
    return {name: value.quantile(share) for name, share in _SHARES.items()}


def _evidence(value: Any) -> dict[str, Any]:
    """What an input says of itself; of one with both kinds of evidence, of each."""
    if not isinstance(value, dict):
        return {}
    kinds = {kind: _evidence(value[kind]) for kind in ("measured", "claim") if kind in value}
    return {**{key: value[key] for key in EVIDENCE_KEYS if key in value}, **kinds}


def _results(found: Comparison) -> dict[str, Any]:
    results: dict[str, Any] = {"platforms": {}, "pairs": {}}
    for each in found.results:
        owner = results["pairs" if "/" in each.owner else "platforms"].setdefault(each.owner, {})
        number = {"first": each.old.as_dict(), "second": each.new.as_dict(), "change": each.change.as_dict(),
                  "paired": each.is_paired, "within_error": each.is_within_error}
        if each.statistic:
            owner.setdefault(each.quantity, {})[each.statistic] = number
        else:
            owner[each.quantity] = number
    return results


def _attribution(found: Attribution) -> dict[str, Any]:
    return {"method": found.method, "trials": found.trials, "quantity": COST.name, "unit": COST.unit,
            "whole": _by_platform(found.whole), "parts": [_part(part) for part in found.parts]}


def _part(part: Part) -> dict[str, Any]:
    return {"paths": [change.name for change in part.changes], "effect": _by_platform(part.effect),
            "first_in": _by_platform(part.first_in), "last_in": _by_platform(part.last_in)}


def _by_platform(found: dict[tuple[str, str], Estimate]) -> dict[str, dict[str, dict[str, float]]]:
    platforms: dict[str, dict[str, dict[str, float]]] = {}
    for (name, statistic), estimate in found.items():
        platforms.setdefault(name, {})[statistic] = estimate.as_dict()
    return platforms
