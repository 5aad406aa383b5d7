"""Reading the inputs under `shared` and `markets`, and the platforms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.quantities import EXCLUSIVE, INPUT, NEEDS, RENT_DEFAULTS, REQUIRED, THROUGHPUT_FACTOR, WORDS
from simulator.study.families import constant
from simulator.study.frontier_reading import read_frontier, throughput_on
from simulator.study.inputs import EVIDENCE_KEYS, read_evidence, read_input
from simulator.study.model import Input, OperatingPoint, Platform, Process
from simulator.study.problems import Path, any_of, figure, nearest, path_text, quoted
from simulator.study.reader import Reader

# Names that can have a dimension of the sampler each (`engine.addresses` has the rooms).
MOST_PLATFORMS, MOST_NAMED, MOST_OWN_PROCESSES = 250, 3500, 34
PLATFORM_KEYS = ("label", "vendor", "ownership", "operating_point", "frontier", "peak_flops_basis", *EVIDENCE_KEYS)
OPERATING_POINT_KEYS = ("model", "precision", "interactivity", "input_tokens", "output_tokens", "token_basis", "note")
TOKEN_BASES = ("total", "output")
_USUAL_MARKET = "energy_price"  # what a market is the price of where it does not say
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_NAME_IN_WORDS = "letters, digits, '_' and '-', at most 60 and the first one a letter or digit"


@dataclass(frozen=True)
class Given:
    """What one mapping states: inputs and throughput factors by name (None where one is wrong, and reported), and words."""

    inputs: Mapping[str, Input | None] = field(default_factory=dict)
    factors: Mapping[str, Input | None] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What the whole study says: the prices that platforms may name, the kind of evidence used, the horizon [year]."""

    markets: Mapping[str, Input | None]
    evidence: str
    horizon: float


def read_markets(reader: Reader, found: Any, evidence: str) -> dict[str, Input | None]:
    """The named prices under `markets`: each an input with `of`, the name of the price that it is."""
    prices = [quantity.name for quantity in INPUT.values() if quantity.process]
    markets: dict[str, Input | None] = {}
    for name, value in reader.mapping({} if found is None else found, ("markets",), "a mapping of prices by name").items():
        path: Path = ("markets", name)
        if not _NAME.fullmatch(name):
            reader.refuse(path, f"found the name '{quoted(name)}'; expected {_NAME_IN_WORDS}")
        stated, of = value, _USUAL_MARKET
        if isinstance(value, dict) and "of" in value:
            of = reader.choice(value, "of", path, prices, of) or of
            stated = {key: inside for key, inside in value.items() if key != "of"}
        markets[name] = read_input(reader, stated, path, INPUT[of], evidence)
    return markets


def read_inputs(reader: Reader, found: Any, path: Path, more_keys: tuple[str, ...], context: Context) -> Given:
    """The inputs, factors and words of one mapping; `more_keys` are read elsewhere."""
    values = reader.mapping(found, path, "a mapping of inputs")
    inputs: dict[str, Input | None] = {}
    factors: dict[str, Input | None] = {}
    words: dict[str, str] = {}
    for key, value in values.items():
        inside = (*path, key)
        if key == "throughput_factors":
            for name, factor in reader.mapping(value, inside, "named factors, such as delivered_share: 0.85").items():
                if not _NAME.fullmatch(name):
                    reader.refuse((*inside, name), f"found the name '{quoted(name)}'; expected {_NAME_IN_WORDS}")
                factors[name] = read_input(reader, factor, (*inside, name), THROUGHPUT_FACTOR, context.evidence)
        elif key in INPUT:
            if isinstance(value, dict) and "market" in value:
                inputs[key] = _from_market(reader, value, inside, key, context.markets)
            else:
                inputs[key] = read_input(reader, value, inside, INPUT[key], context.evidence)
            if inputs[key] is None:
                reader.misread(inside)
        elif key in WORDS:
            words[key] = reader.choice(values, key, path, WORDS[key], WORDS[key][0]) or WORDS[key][0]
        elif key == "horizon":
            reader.refuse(inside, "found the horizon, which all platforms share; expected it under simulation")
        elif key not in more_keys:
            reader.unknown(inside, "input", (*INPUT, *WORDS, "throughput_factors", *more_keys),
                           "one of those that 'tco schema' lists")
    return Given(inputs, factors, words)


def _from_market(reader: Reader, value: Mapping[str, Any], path: Path, key: str,
                 markets: Mapping[str, Input | None]) -> Input | None:
    """`{market: NAME}`: the price of that name under `markets`."""
    before = reader.refusals
    reader.known_keys(value, path, ("market", "note"), "key")
    name = reader.text(value, "market", path)
    if name not in markets:
        there = f"; its markets are {', '.join(map(quoted, markets))}" if markets else "; it has no 'markets'"
        reader.refuse((*path, "market"), f"there is no market '{quoted(name)}' in the study{nearest(name, markets) or there}")
        return None
    market = markets[name]
    if market is not None and market.quantity.name != key:
        reader.refuse((*path, "market"), f"found the market {quoted(name)}, which is a price 'of: {market.quantity.name}'; "
                      f"expected one 'of: {key}'")
    return market if reader.refusals == before else None


def read_platforms(reader: Reader, tree: Mapping[str, Any], shared: Given, context: Context) -> list[Platform]:
    """Every platform, with the inputs that it shares."""
    if tree.get("platforms") in (None, {}):
        reader.missing(("platforms",), "expected at least one platform", ("extends",))
        return []
    platforms = []
    for name, found in reader.mapping(tree["platforms"], ("platforms",), "a mapping of platforms by name").items():
        path: Path = ("platforms", name)
        if not _NAME.fullmatch(name):
            reader.refuse(path, f"found the name '{quoted(name)}'; expected {_NAME_IN_WORDS} (its label may be anything)")
        values = reader.mapping(found, path, "a platform: ownership, throughput, …")
        if values:
            platforms.append(_read_platform(reader, values, name, path, shared, context))
        elif isinstance(found, dict):
            reader.refuse(path, "found an empty mapping; expected a platform: ownership, throughput, …")
            reader.misread(path)
    _check_names(reader, platforms)
    return platforms


def _check_names(reader: Reader, platforms: list[Platform]) -> None:
    """Labels tell platforms apart, and there are no more names than the sampler has dimensions for."""
    labels: dict[str, str] = {}
    for platform in platforms:
        other = labels.setdefault(platform.label, platform.name)
        if other != platform.name:
            reader.refuse(("platforms", platform.name, "label"),
                          f"found the label '{quoted(platform.label)}', which {other} has too; expected one of its own")
    own = {given.path for platform in platforms for given in platform.all_inputs()}
    processes = {given.path for platform in platforms for given in platform.inputs.values()
                 if isinstance(given.value, Process) and not given.path.startswith("shared.")}
    named = {path for path in own if "throughput_factors" in path}
    for count, most, what in (
            (len(platforms), MOST_PLATFORMS, "platforms"),
            (len(named) + 10 * len(processes), MOST_NAMED, "throughput factors and parameters of processes"),
            (len(processes), MOST_OWN_PROCESSES, "processes of markets and of single platforms (shared ones are not counted)")):
        if count > most:
            reader.refuse(("platforms",), f"found {count:,} {what}; expected at most {most:,}")


def _read_platform(reader: Reader, values: Mapping[str, Any], name: str, path: Path, shared: Given, context: Context) -> Platform:
    read_evidence(reader, values, path)
    own = read_inputs(reader, values, path, PLATFORM_KEYS, context)
    ownership = reader.choice(values, "ownership", path, ("buy", "rent")) or ""
    point = _read_operating_point(reader, values.get("operating_point"), (*path, "operating_point"))
    if values.get("operating_point") is not None and point is None:
        reader.misread((*path, "operating_point"))
    measured = read_frontier(reader, values.get("frontier"), (*path, "frontier"))
    if "frontier" in values and "throughput" not in {**shared.inputs, **own.inputs}:
        read_off = throughput_on(reader, *measured, point, path) if measured else None
        own = replace(own, inputs={**own.inputs, "throughput": read_off})
    usable = ("any", ownership) if ownership else ("any", "buy", "rent")
    for key in own.inputs:
        if INPUT[key].ownership not in usable:
            reader.refuse((*path, key), f"found an input of platforms with 'ownership: {INPUT[key].ownership}', but this one has "
                          f"'ownership: {ownership}'; expected it left out, or the other ownership")
    if "inflation" in own.inputs:
        reader.refuse((*path, "inflation"), "found the inflation of one platform; expected it under shared: all platforms are "
                      "paid in the same money")
    given = {key: value for key, value in {**shared.inputs, **own.inputs}.items() if INPUT[key].ownership in usable}
    inputs = {key: value for key, value in given.items() if value is not None}
    _check_needs(reader, given, own.inputs, ownership, path)
    if ownership == "rent":
        for key, value in RENT_DEFAULTS.items():
            if key not in given:
                default = context.horizon if key == "gpu_lifetime" and "contract_term" in given else value
                inputs[key] = Input(path_text((*path, key)), INPUT[key], constant(default))
    factors = {**shared.factors, **own.factors}
    words = {key: options[0] for key, options in WORDS.items()} | dict(shared.words) | dict(own.words)
    if "tax_rate" in given and ownership == "buy" and not {**shared.words, **own.words}.get("depreciation"):
        reader.missing((*path, "depreciation"), f"tax_rate needs it, here or under shared: {any_of(WORDS['depreciation'])}",
                       ("shared", "depreciation"))
    platform = Platform(
        name, reader.text(values, "label", path, name), reader.text(values, "vendor", path), ownership, point, inputs,
        tuple(factor for _, factor in sorted(factors.items()) if factor is not None),
        reader.text(values, "peak_flops_basis", path), words["depreciation"], words["attrition"],
        measured[0] if measured else None)
    priced_apart = {"input_token_price", "output_token_price"} <= set(given)
    if priced_apart and platform.token_mix is None and not reader.is_misread((*path, "operating_point")):
        reader.missing((*path, "operating_point"), "separate prices of input and output tokens need its input_tokens, "
                       "output_tokens and token_basis", ("extends",))
    return platform


def _check_needs(reader: Reader, given: Mapping[str, Input | None], own: Mapping[str, Input | None], ownership: str,
                 path: Path) -> None:
    """What a platform needs and does not have, and what it has twice."""
    for key in REQUIRED.get(ownership, ()):
        if key not in given:
            unit = "" if INPUT[key].unit == "1" else f" [{INPUT[key].unit}]"
            reader.missing((*path, key), f"a platform with 'ownership: {ownership}' needs it, here or under shared "
                           f"({INPUT[key].meaning}{unit})", ("shared", key))
    for key, needed in NEEDS.items():
        if key in given and needed not in given:
            reader.missing((*path, needed), f"{key} needs it", ("shared", needed))
    for key, others in EXCLUSIVE.items():
        both = [other for other in others if other in given]
        if key in given and both:
            reader.refuse((*path, key) if key in own else ("shared", key),
                          f"found {key} beside {both[0]}; expected one price of all tokens, or one for each kind")
    for key, value in given.items():
        if value is not None and value.is_nominal and "inflation" not in given:
            reader.missing(("shared", "inflation"), f"{key} is stated with 'basis: nominal'", ("extends",))


def _read_operating_point(reader: Reader, found: Any, path: Path) -> OperatingPoint | None:
    if found is None:
        return None
    before = reader.refusals
    values = reader.mapping(found, path, f"a mapping with {', '.join(OPERATING_POINT_KEYS)}")
    reader.known_keys(values, path, OPERATING_POINT_KEYS, "key")
    interactivity = reader.number(values["interactivity"], (*path, "interactivity")) if "interactivity" in values else None
    if interactivity is not None and interactivity <= 0:
        reader.refuse((*path, "interactivity"), f"found {figure(interactivity)}; expected above 0 token/s/user")
    lengths = {key: reader.integer(values, key, path, 1, 10**9, 1) for key in ("input_tokens", "output_tokens") if key in values}
    basis = reader.choice(values, "token_basis", path, TOKEN_BASES, "") if "token_basis" in values else ""
    point = OperatingPoint(reader.text(values, "model", path), reader.text(values, "precision", path), interactivity,
                           lengths.get("input_tokens"), lengths.get("output_tokens"), basis or "")
    return point if reader.refusals == before else None  # half an operating point would seem to differ from another one
