"""How many tokens a study is to serve, and for how long: what a decision is worth in all, and not per million tokens."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.quantities import Quantity
from simulator.study.families import Marginal
from simulator.study.problems import Path
from simulator.study.reader import Reader

if TYPE_CHECKING:
    from simulator.study.model import Platform

QUANTITIES = {
    "tokens_per_year": Quantity("tokens_per_year", "token/year", 0, math.inf, None, "tokens served in a year", above_low=True),
    "years": Quantity("years", "year", 0, 100, None, "for how long", above_low=True)}
_PATH: Path = ("plan",)


@dataclass(frozen=True)
class TokenPlan:
    """Tokens to serve: tokens_per_year [token/year], in each of `years` [year]."""

    tokens_per_year: float
    years: float


def read_plan(reader: Reader, found: Any, platforms: Iterable[Platform]) -> TokenPlan | None:
    """The mapping under `plan`; None where there is none, or with problems noted where it is wrong."""
    from simulator.study.inputs import read_input

    if found is None and "plan" not in reader.document.tree:
        return None
    before = reader.refusals
    stated = reader.mapping(found, _PATH, "{tokens_per_year, years}")
    if reader.refusals > before:
        return None
    reader.known_keys(stated, _PATH, tuple(QUANTITIES), "key")
    values = {}
    for key, quantity in QUANTITIES.items():
        if key not in stated:
            reader.missing((*_PATH, key), "a plan has tokens_per_year and years")
            continue
        given = read_input(reader, stated[key], (*_PATH, key), quantity)
        if given is None:
            continue
        if not given.is_constant or not isinstance(given.value, Marginal):
            reader.refuse((*_PATH, key), f"found a distribution; expected a number [{quantity.unit}]: a plan is what is decided")
            continue
        values[key] = given.value.parameters[0]
    rates = {platform.inputs["discount_rate"].path for platform in platforms
             if "discount_rate" in platform.inputs and platform.inputs["discount_rate"].is_stated}
    if len(rates) > 1:
        reader.refuse(_PATH, f"found a plan and several discount rates ({', '.join(sorted(rates))}); expected one under shared, "
                      "since a plan is one decision with one kind of money")
    return TokenPlan(**values) if reader.refusals == before else None
