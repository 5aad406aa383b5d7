"""Conditions on results, such as `platforms.b200.probability_cheapest < 0.6`: a gate for whoever runs studies unattended."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from simulator.quantities import BREAK_EVEN_PRICE, CHANCES, DIFFERENCE, PARTS, RATIO, RESULT
from simulator.results import CHANGE, CHANGE_PER_DOLLAR, PERCENTILES
from simulator.study.loading import parse_path
from simulator.study.model import Study
from simulator.study.problems import any_of, nearest, quoted

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt}
_FORM = re.compile(r"\s*([^<>=!\s]+)\s*(<=|>=|==|!=|<|>)\s*([^<>=!\s]+)\s*")
_EXAMPLE = "expected PATH < NUMBER, such as platforms.b200.probability_cheapest < 0.6, with < <= > >= == or !="
_KINDS = ("platforms", "pairs")
_OF_PLATFORM = {*RESULT, BREAK_EVEN_PRICE.name, "probability_cheapest", "expected_regret", "parts", CHANGE, CHANGE_PER_DOLLAR}
_OF_PAIR = {RATIO.name, DIFFERENCE.name, "probability_cheaper", "dominance", CHANGE}
_GROUPS = {"parts": {*PARTS}, CHANGE: _OF_PLATFORM | _OF_PAIR, CHANGE_PER_DOLLAR: _OF_PLATFORM}
_STATISTICS = {"mean", "sd", "cvar95", *(f"p{100 * p:g}" for p in PERCENTILES)}
_WITHOUT_STATISTICS = {"probability_cheapest", "probability_cheaper", "expected_regret", BREAK_EVEN_PRICE.name,
                       *(chance.name for chance in CHANCES)}
_MOST_LISTED = 12  # names, in a message
_OF_ESTIMATE = {"value", "standard_error", "low", "high"}


class ConditionError(ValueError):
    """A condition that says nothing; the message says what is wrong with it."""


@dataclass(frozen=True)
class Condition:
    """A number of a summary, compared with another. `path` begins with `scenarios`, a scenario, and `platforms` or `pairs`."""

    text: str
    path: tuple[str, ...]
    comparison: str
    number: float

    def holds(self, value: float) -> bool:
        return _OPERATORS[self.comparison](value, self.number)


@dataclass(frozen=True)
class Outline:
    """The names that a summary will have."""

    scenarios: tuple[str, ...]
    platforms: tuple[str, ...]
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What a condition found in a run: the value, and whether the condition holds."""

    condition: str
    value: float
    holds: bool

    def as_dict(self) -> dict[str, Any]:
        return {"condition": self.condition, "value": self.value, "holds": self.holds}


def condition(text: str) -> Condition:
    """Read a condition. Raises ConditionError."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ConditionError(f"found '{quoted(text)}'; {_EXAMPLE}")
    way, comparison, number = found.groups()
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConditionError(f"found '{quoted(number)}' after {comparison}; expected a number")
    path = parse_path(way)
    if path[0] not in ("scenarios", *_KINDS):
        raise ConditionError(f"found '{quoted(path[0])}' at the start of {quoted(way)}; expected platforms, pairs or scenarios"
                             + nearest(path[0], ("scenarios", *_KINDS)))
    path = path if path[0] == "scenarios" else ("scenarios", "base", *path)
    if len(path) < 5 or "" in path:
        raise ConditionError(f"found {quoted(way)}; expected the whole path of a number, such as "
                             "platforms.b200.probability_cheapest or pairs.b200/h100.ratio.p50")
    return Condition(" ".join((way, comparison, number)), path, comparison, value)


def check_conditions(conditions: Iterable[Condition], outlines: Sequence[Outline]) -> None:
    """Refuse, before anything is run, a condition that no summary of these outlines can have. Raises ConditionError."""
    every = Outline(*(tuple(dict.fromkeys(name for outline in outlines for name in getattr(outline, part.name)))
                      for part in fields(Outline)))
    for wanted in conditions:
        reasons = [_why_not(wanted, outline) for outline in outlines]
        if all(reasons):
            # A misspelt name may be near one that only some of the studies have.
            raise ConditionError(_why_not(wanted, every) or reasons[0])


def find(wanted: Condition, summary: Mapping[str, Any]) -> Finding | None:
    """What a condition finds in a summary document; None where that does not have the number."""
    found: Any = summary
    for key in wanted.path:
        found = found.get(key) if isinstance(found, dict) else None
    found = found.get("value") if isinstance(found, dict) else found
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return Finding(wanted.text, float(found), wanted.holds(found))


def find_all(conditions: Sequence[Condition],
             summaries: Iterable[Mapping[str, Any]]) -> tuple[list[tuple[Finding, ...]], tuple[str, ...]]:
    """What the conditions find in each summary; and those, as they were written, that find their number in none."""
    found = [tuple(finding for wanted in conditions if (finding := find(wanted, summary))) for summary in summaries]
    seen = {finding.condition for findings in found for finding in findings}
    return found, tuple(wanted.text for wanted in conditions if wanted.text not in seen)


def _why_not(wanted: Condition, outline: Outline) -> str:
    """What is wrong with the path of a condition; empty where nothing is known to be."""
    _, scenario, kind, owner, quantity, *rest = wanted.path
    steps: list[tuple[str, str, Collection[str]]] = [
        ("scenario", scenario, outline.scenarios), ("part of a scenario", kind, _KINDS),
        ("pair" if kind == "pairs" else "platform", owner, outline.pairs if kind == "pairs" else outline.platforms),
        ("quantity", quantity, _OF_PAIR if kind == "pairs" else _OF_PLATFORM)]
    if quantity in _GROUPS:
        quantity = rest.pop(0) if rest else ""
        steps.append(("quantity", quantity, _GROUPS[wanted.path[4]]))
    if quantity != "dominance":  # of that the summary itself says what is there
        has_statistics = quantity not in _WITHOUT_STATISTICS
        steps += [("statistic", rest[0] if rest else "", _STATISTICS if has_statistics else _OF_ESTIMATE)] \
            if rest or has_statistics else []
        steps += [("part of an estimate", rest[1], _OF_ESTIMATE)] if rest[1:] and has_statistics else []
    for what, name, known in steps:
        if name not in known:
            listed = sorted(known) if len(known) <= _MOST_LISTED else []
            there = f"; expected {any_of(listed)}" if listed else ""
            found = f"there is no {what} '{quoted(name)}'" if name else f"the path ends before its {what}"
            return f"{wanted.text}: {found}{(nearest(name, known) if name else '') or there}"
    return ""


def outline_of(study: Study, what_ifs: Iterable[str]) -> Outline:
    """The outline of the summary of a study that is run with these what-ifs, by name."""
    from simulator.experiments.evidence import SCENARIOS, other_evidence

    return Outline(("base", *(SCENARIOS[kind] for kind in other_evidence(study)), *what_ifs),
                   tuple(platform.name for platform in study.platforms), tuple(map(study.pair_name, study.pairs)))
