"""Which questions of sensitivity a study asks by itself: `sensitivity: {methods: [tornado, shapley]}`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulator.quantities import COST
from simulator.study.problems import Path, any_of, nearest, quoted, shown
from simulator.study.reader import Reader

# In the order in which they are told.
METHODS = ("tornado", "spider", "conditional", "rank_correlation", "sobol", "shapley", "value_of_information", "break_even",
           "crossover", "reverse_stress", "robustness")
TARGETS = (COST.name,)
_KEYS = ("methods", "target")
_PATH: Path = ("sensitivity",)


@dataclass(frozen=True)
class SensitivityChoice:
    """The methods that a study asks for, none where it leaves them open; and of what."""

    methods: tuple[str, ...] = ()
    target: str = TARGETS[0]


def read_sensitivity(reader: Reader, found: Any) -> SensitivityChoice:
    """The mapping under `sensitivity`; problems are noted where it is wrong."""
    if found is None and "sensitivity" not in reader.document.tree:
        return SensitivityChoice()
    stated = reader.mapping(found, _PATH, "{methods: [tornado, shapley]}")
    reader.known_keys(stated, _PATH, _KEYS, "key")
    target = reader.choice(stated, "target", _PATH, TARGETS, TARGETS[0]) or TARGETS[0]
    methods = stated.get("methods", [])
    if "methods" in stated and (not isinstance(methods, list) or not methods):
        reader.refuse((*_PATH, "methods"), f"found {shown(methods)}; expected a list of methods, such as [tornado, shapley]; "
                      "leave it out for all")
        return SensitivityChoice((), target)
    for position, wrong in enumerate(methods):
        if message := unknown_method(wrong):
            reader.refuse((*_PATH, "methods", position), message)
    return SensitivityChoice(tuple(dict.fromkeys(method for method in methods if not unknown_method(method))), target)


def unknown_method(name: object) -> str:
    """What is wrong with the name of a method, or nothing."""
    if isinstance(name, str) and name in METHODS:
        return ""
    what = f"the method '{quoted(name)}'" if isinstance(name, str) else shown(name)
    return f"found {what}; expected {any_of(METHODS)}{nearest(name, METHODS)}"


def in_order(methods: Iterable[str]) -> tuple[str, ...]:
    """Methods, each once, in the order in which they are told."""
    chosen = set(methods)
    return tuple(method for method in METHODS if method in chosen)
