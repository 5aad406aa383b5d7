"""What differs between two studies, and the studies between them: one with some of the changes that lead to the other."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from simulator.quantities import INPUT
from simulator.study.document import ASKED_BESIDE, Document
from simulator.study.inputs import EVIDENCE_KEYS
from simulator.study.loading import parse_path
from simulator.study.model import Study
from simulator.study.problems import Path, path_text

WORLD, EVIDENCE, SETTING, OTHER = "world", "evidence", "setting", "other"
# What cost per token does not depend on: words, what else could be asked, and what results are set beside.
_NO_EFFECT = frozenset({"schema", "study", "description", "as_of", "published", "plan", "compare_across_operating_points",
                        *ASKED_BESIDE})
_WORDS_OF_PLATFORM = frozenset({"label", "vendor", "peak_flops_basis", *EVIDENCE_KEYS})
_SETTINGS = ("trials", "replicates", "sampler", "seed", "antithetic")
# Mappings of which each entry is a change of its own.
_OF_ENTRIES = frozenset({"simulation", "shared", "markets", "what_ifs", "sweeps"})
_CORRELATIONS: Path = ("correlations",)
_ANYTHING = None  # an end of the tree: whatever is named inside it is there
_ASKED_APART = ("published", "plan", *ASKED_BESIDE)


@dataclass(frozen=True)
class Change:
    """One entry of a study that differs: an input, a word, or a block that is one thought (correlations, a frontier).

    kind      "world" where results may depend on it, "evidence" where only source, date, grade or note differ, "setting" of the
              simulation, "other"
    old, new  as the studies have it; None where one does not state it
    """

    path: Path
    kind: str
    old: Any
    new: Any

    @property
    def name(self) -> str:
        return path_text(self.path)

    @property
    def owner(self) -> Path:
        """The platform, or the block of the study, to which it belongs."""
        return self.path[:2] if self.path[0] == "platforms" else self.path[:1]


@dataclass(frozen=True)
class Differences:
    """What differs between two studies, apart from platforms that only the one or the other has."""

    changes: tuple[Change, ...]
    common: tuple[str, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]

    def of_kind(self, kind: str) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind == kind)


def differences(first: Study, second: Study) -> Differences:
    """What leads from one study to the other, in the order of the first."""
    names, others = ([platform.name for platform in study.platforms] for study in (first, second))
    common = tuple(name for name in names if name in others)
    old, new = (_stated(study, common) for study in (first, second))
    changes = []
    for path in dict.fromkeys((*old, *new)):
        was, now = old.get(path), new.get(path)
        if was != now:
            changes.append(Change(path, _kind(first, second, path, was, now), was, now))
    for name in _SETTINGS:  # as they were used: trials may be rounded up, and what is not stated has a default
        was, now = (getattr(study.simulation, name) for study in (first, second))
        if was != now:
            changes.append(Change(("simulation", name), SETTING, was, now))
    return Differences(tuple(changes), common, tuple(name for name in names if name not in common),
                       tuple(name for name in others if name not in common))


def _stated(study: Study, common: tuple[str, ...]) -> dict[Path, Any]:
    """What a study states, by path, apart from its other platforms and what correlates with them."""
    found = {path: value for path, value in _entries(study.document.tree)
             if (path[0] != "platforms" or path[1] in common) and (path[0] != "simulation" or path[1] not in _SETTINGS)}
    block = found.get(_CORRELATIONS)
    if isinstance(block, dict):
        known = {"platforms": dict.fromkeys(common, _ANYTHING)}
        pairs = [pair for pair in block.get("pairs", []) if all(
            not str(member).startswith("platforms.") or _is_there(known, str(member)) for member in pair[:2])]
        found[_CORRELATIONS] = {**block, "pairs": pairs} if pairs else None
    return found


def _entries(tree: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in tree.items():
        here = (*path, key)
        opened = here[0] in _OF_ENTRIES if len(here) == 1 else key == "throughput_factors" and here[0] in ("shared", "platforms")
        if isinstance(value, dict) and (opened or (here[0] == "platforms" and len(here) <= 2)):
            yield from _entries(value, here)
        else:
            yield here, value


def _kind(first: Study, second: Study, path: Path, old: Any, new: Any) -> str:
    if path[0] == "simulation":  # the horizon: all else is a setting
        return OTHER if first.simulation.horizon == second.simulation.horizon else WORLD
    if path[0] in _NO_EFFECT or (path[0] == "platforms" and path[2] in _WORDS_OF_PLATFORM):
        return OTHER
    if _without_evidence(old) == _without_evidence(new):
        return EVIDENCE
    was, now = (study.inputs().get(path_text(path)) for study in (first, second))
    if was and now and (was.value, was.is_nominal, was.kind) == (now.value, now.is_nominal, now.kind):
        return OTHER  # the same in another unit
    return WORLD


def _without_evidence(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_evidence(inside) for key, inside in value.items() if key not in EVIDENCE_KEYS}
    return [_without_evidence(inside) for inside in value] if isinstance(value, list) else value


def between(first: Study, second: Study, common: Iterable[str], changes: Iterable[Change]) -> Document:
    """The first study's tree with some of the changes, and only the platforms that both have.

    What no platform in it can use, and correlations of what is not in it, are left out: they belong to a change that is not
    made. What-ifs, sweeps, sensitivities, plans and published figures are asked
    apart.
    """
    there = set(common)
    tree = {key: value for key, value in copy.deepcopy(first.document.tree).items() if key not in _ASKED_APART}
    tree["platforms"] = {name: value for name, value in tree["platforms"].items() if name in there}
    places = dict(first.document.places)
    for change in changes:
        _make(tree, change)
        end = len(change.path)
        places |= {path: place for path, place in second.document.places.items()
                   if path[:end] == change.path or path == change.path[:len(path)]}
    _leave_out(tree)
    return Document(tree, places)


def _make(tree: dict[str, Any], change: Change) -> None:
    around: Any = tree
    for key in change.path[:-1]:
        around = around.setdefault(key, {})
    if change.new is None:
        around.pop(change.path[-1], None)
    else:
        around[change.path[-1]] = copy.deepcopy(change.new)


def _leave_out(tree: dict[str, Any]) -> None:
    ownerships = {"any", *(platform.get("ownership") for platform in tree["platforms"].values())}
    shared = tree.get("shared", {})
    tree["shared"] = {key: value for key, value in shared.items() if key not in INPUT or INPUT[key].ownership in ownerships}
    correlations = tree.get("correlations")
    if isinstance(correlations, dict) and isinstance(correlations.get("pairs"), list):
        pairs = [pair for pair in correlations["pairs"] if all(_is_there(tree, str(member)) for member in pair[:2])]
        if pairs:
            tree["correlations"] = {**correlations, "pairs": pairs}
        else:
            del tree["correlations"]


def _is_there(tree: Any, text: str) -> bool:
    """Whether the input that a path names, or in which it names a parameter, is stated."""
    for key in parse_path(text):
        if not isinstance(tree, dict) or "distribution" in tree or "process" in tree:
            break
        if key not in tree:
            return False
        tree = tree[key]
    return True
