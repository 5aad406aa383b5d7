"""Reading what-ifs: named changes of a study, which may extend one another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.quantities import Quantity
from simulator.study.document import ASKED_BESIDE, Setting, paths_inside
from simulator.study.inputs import read_input
from simulator.study.loading import parse_path
from simulator.study.model import Process, Study, WhatIf
from simulator.study.problems import Path, nearest, quoted, shown
from simulator.study.reader import Reader

WHAT_IF_KEYS = ("description", "extends", "set", "cost")
# Names that results and the command line give a meaning of their own.
RESERVED = ("base", "all", "with_claims", "with_measurements")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
NAME_IN_WORDS = "letters, digits, '_' and '-', at most 60 and the first one a letter or digit"
COST = Quantity("cost", "USD/million tokens", 0, 1e6, None, "what a what-if costs beyond what its inputs say")
ALL = "all"  # every what-if
# What stands at the top of a study and is the same in every what-if, so that all see the same trials.
FIXED = ("schema", "study", "description", "extends", *ASKED_BESIDE, "plan", "published", "as_of")


def read_what_ifs(reader: Reader, found: Any) -> tuple[WhatIf, ...]:
    """Every what-if of a study, in its order. Whether its paths and values are right shows when the study is read with them."""
    named = reader.mapping({} if found is None else found, ("what_ifs",), "a mapping of what-ifs by name")
    what_ifs = {}
    for name, value in named.items():
        path: Path = ("what_ifs", name)
        if not NAME.fullmatch(name):
            reader.refuse(path, f"found the name '{quoted(name)}'; expected {NAME_IN_WORDS}")
        elif name in RESERVED:
            reader.refuse(path, f"found the name '{name}', which has a meaning of its own; expected another one")
        what_ifs[name] = _read_one(reader, value, path)
    for name, what_if in what_ifs.items():
        _check_extends(reader, what_ifs, name, what_if)
    return tuple(what_ifs.values())


def settings_of(named: Mapping[str, WhatIf], name: str) -> tuple[Setting, ...]:
    """What one of the what-ifs sets: first what those set that it extends. Raises KeyError where there is none of that name."""
    found: tuple[Setting, ...] = ()
    seen: set[str] = set()
    while name and name not in seen:  # a circle was refused before
        seen.add(name)
        found = (*named[name].settings, *found)
        name = named[name].extends if named[name].extends in named else ""
    return found


class UnknownWhatIfError(ValueError):
    """A what-if that is asked for and is not in the study; the message says which there are."""


def names_of(study: Study, asked: str | Iterable[str]) -> list[str]:
    """The names of the what-ifs that are asked for: `all`, one, or several, each once. Raises UnknownWhatIfError."""
    there = [what_if.name for what_if in study.what_ifs]
    names = [asked] if isinstance(asked, str) else list(asked)
    for name in names:
        if name != ALL and name not in there:
            known = f"; its what-ifs are {', '.join(there)}" if there else "; it has none"
            raise UnknownWhatIfError(f"there is no what-if '{name}' in the study" + (nearest(name, [*there, ALL]) or known))
    return list(dict.fromkeys(there if ALL in names else names))


def read_settings(reader: Reader, found: Any, path: Path) -> tuple[Setting, ...]:
    """`{PATH: value}`: values to put at paths, each with its place."""
    settings = []
    for text, value in reader.mapping(found, path, "paths with values, such as 'shared.utilization: 0.3'").items():
        inside = (*path, text)
        if may_change(reader, inside, text) and not any(wrong[:len(inside)] == inside for wrong in reader.document.wrong):
            places = {part: reader.place((*inside, *part)) for part in paths_inside(value)}
            settings.append(Setting(text, value, places))
    return tuple(settings)


def may_change(reader: Reader, inside: Path, text: str) -> bool:
    """Whether a what-if or a sweep may change what is at a path, or a problem noted: all see the same trials."""
    way = parse_path(text)
    if way[0] == "simulation" and way[1:2] != ("horizon",):
        reader.refuse(inside, f"found {quoted(text)}, which is the same throughout, so that differences are not those of the "
                      "draws; expected an input, or simulation.horizon")
        return False
    if way[0] in FIXED:
        reader.refuse(inside, f"found {quoted(text)}, which is not a part of the world; expected an input, such as "
                      "shared.utilization")
        return False
    return True


def _read_one(reader: Reader, found: Any, path: Path) -> WhatIf:
    value = reader.mapping(found, path, f"a mapping with {', '.join(WHAT_IF_KEYS)}")
    reader.known_keys(value, path, WHAT_IF_KEYS, "key")
    if "set" not in value and "extends" not in value and not any(reader.is_misread((*path, key)) for key in ("set", "extends")):
        reader.missing((*path, "set"), "expected paths with values, such as 'set: {shared.utilization: 0.3}'")
    extends = value.get("extends", "")
    if not isinstance(extends, str) or ("extends" in value and not extends):
        reader.refuse((*path, "extends"), f"found {shown(extends)}; expected the name of another what-if")
        extends = ""
    costs = _read_costs(reader, value["cost"], (*path, "cost")) if "cost" in value else {}
    settings = read_settings(reader, value["set"], (*path, "set")) if "set" in value else ()
    return WhatIf(str(path[-1]), reader.text(value, "description", path), extends, settings, costs)


def _read_costs(reader: Reader, found: Any, path: Path) -> dict[str, float]:
    """What a what-if costs, by platform: one number for all of them, or one for each that pays."""
    platforms = reader.document.tree.get("platforms")
    names = list(platforms) if isinstance(platforms, dict) else []
    if not isinstance(found, dict) or "value" in found or "distribution" in found:
        amount = _read_cost(reader, found, path)
        return {} if amount is None else dict.fromkeys(names, amount)
    costs: dict[str, float] = {}
    for name, value in found.items():
        if name not in names and not reader.is_part:
            reader.unknown((*path, name), "platform", names)
        amount = _read_cost(reader, value, (*path, name))
        costs |= {} if amount is None else {name: amount}
    return costs


def _read_cost(reader: Reader, found: Any, path: Path) -> float | None:
    cost = read_input(reader, found, path, COST)
    if cost is None or isinstance(cost.value, Process):
        return None
    if not cost.is_constant:
        reader.refuse(path, "found a distribution; expected a number: the price that is asked")
        return None
    return cost.value.parameters[0]


def _check_extends(reader: Reader, what_ifs: Mapping[str, WhatIf], name: str, what_if: WhatIf) -> None:
    """Refuse what extends nothing that there is, or itself in the end."""
    if not what_if.extends:
        return
    path: Path = ("what_ifs", name, "extends")
    if what_if.extends not in what_ifs:
        reader.refuse(path, f"there is no what-if '{quoted(what_if.extends)}' in the study"
                      + nearest(what_if.extends, set(what_ifs) - {name}))
        return
    chain = [name]
    while what_ifs[chain[-1]].extends in what_ifs and chain[-1] not in chain[:-1]:
        chain.append(what_ifs[chain[-1]].extends)
    if chain[-1] == name and len(chain) > 1:
        reader.refuse(path, f"found a circle: {' → '.join(map(quoted, chain))}; expected what-ifs that do not extend themselves")
