"""Reading a platform's `frontier`, and the throughput that it gives at the platform's operating point."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from simulator.quantities import INPUT
from simulator.study.distributions import constant
from simulator.study.frontier import Frontier, OutsideFrontierError
from simulator.study.inputs import EVIDENCE_KEYS, read_evidence
from simulator.study.marginals import read_marginal
from simulator.study.model import Evidence, Input, OperatingPoint
from simulator.study.problems import Path, figure, path_text, shown
from simulator.study.reader import Reader

FRONTIER_KEYS = ("interactivity", "throughput", "spread")
_FEWEST_POINTS, _MOST_POINTS = 2, 1000
_WIDEST_SPREAD = 2.0  # P95 is then 27 times the median: a percentage, or no sd of a log


def read_frontier(reader: Reader, found: Any, path: Path) -> tuple[Frontier, Evidence] | None:
    """A frontier with its evidence; None where there is none, or, with problems noted, where it is wrong."""
    if found is None:
        return None
    before = reader.refusals
    values = reader.mapping(found, path, f"a mapping with {', '.join(FRONTIER_KEYS)}")
    evidence = read_evidence(reader, values, path)
    reader.known_keys(values, path, (*FRONTIER_KEYS, *EVIDENCE_KEYS), "key")
    for key, what in (("interactivity", "token/s/user, rising"), ("throughput", "token/s/GPU, falling"),
                      ("spread", "sd of the log of the throughput at an operating point")):
        if key not in values:
            reader.missing((*path, key), f"a frontier needs interactivity, throughput and spread ({key}: {what})")
    x = _points(reader, values, "interactivity", path)
    y = _points(reader, values, "throughput", path)
    spread = reader.number(values["spread"], (*path, "spread")) if "spread" in values else 0.0
    if spread is not None and not 0 <= spread <= _WIDEST_SPREAD:
        reader.refuse((*path, "spread"), f"found {figure(spread)}; expected an sd of the log, at least 0 and at most "
                      f"{_WIDEST_SPREAD:g} (0.15 is some 15 %)")
    if reader.refusals == before and len(x) != len(y):
        reader.refuse((*path, "throughput"), f"found {len(y)} throughputs for {len(x)} interactivities; expected one for each")
    if reader.refusals == before:
        _check_order(reader, x, y, path)
    if reader.refusals > before or spread is None:
        return None
    return Frontier(tuple(x), tuple(y), spread), evidence


def throughput_on(reader: Reader, frontier: Frontier, evidence: Evidence, point: OperatingPoint | None,
                  path: Path) -> Input | None:
    """The throughput of a platform that states none: lognormal about the frontier at its operating point.

    None, with a problem noted, where it has no interactivity, or one at which nothing was measured.
    """
    inside = (*path, "throughput")
    if point is None or point.interactivity is None:
        reader.missing(inside, "expected it, or an operating_point with the interactivity at which to read it off the frontier",
                       (*path, "operating_point"))
        return None
    try:
        median = frontier.throughput_at(point.interactivity)
    except OutsideFrontierError as error:
        reader.refuse((*path, "operating_point", "interactivity"), f"{error}; expected an interactivity inside the "
                      "frontier, or a throughput")
        return None
    marginal = constant(median) if frontier.spread == 0 else read_marginal(
        reader, throughput_distribution(median, frontier.spread), inside, INPUT["throughput"])
    if marginal is None:
        return None
    return Input(path_text(inside), INPUT["throughput"], marginal, evidence, reader.place((*path, "frontier")))


def throughput_distribution(median: float, spread: float) -> dict[str, Any] | float:
    """A throughput as a study writes it; a number where nothing is uncertain."""
    return {"distribution": "lognormal", "median": median, "sigma": spread} if spread else median


def _points(reader: Reader, values: Mapping[str, Any], key: str, path: Path) -> list[float]:
    """The numbers of one list; what is wrong with it is noted."""
    found, inside = values.get(key), (*path, key)
    if key not in values:
        return []
    if not isinstance(found, list) or not _FEWEST_POINTS <= len(found) <= _MOST_POINTS:
        reader.refuse(inside, f"found {shown(found)}; expected a list of {_FEWEST_POINTS} to {_MOST_POINTS:,} numbers")
        return []
    numbers = []
    for position, value in enumerate(found):
        number = reader.number(value, (*inside, position))
        if number is not None and number <= 0:
            reader.refuse((*inside, position), f"found {figure(number)}; expected above 0")
        numbers.append(number or 0.0)
    return numbers


def _check_order(reader: Reader, x: list[float], y: list[float], path: Path) -> None:
    """Points that no other one beats have rising interactivity and falling throughput."""
    for (a, b), (c, d) in zip(pairwise(x), pairwise(y), strict=True):
        if b <= a:
            reader.refuse((*path, "interactivity"), f"found {figure(b)} after {figure(a)}; expected rising interactivities")
            return
        if d >= c:
            reader.refuse((*path, "throughput"), f"found {figure(d)} at {figure(b)} token/s/user after {figure(c)} at "
                          f"{figure(a)}; expected a Pareto set, whose throughput falls: take out what others beat in both")
            return
