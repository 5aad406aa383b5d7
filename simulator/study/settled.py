"""What-ifs and sweeps as they have to stand in a study that says all at once: the one in a run folder."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from simulator.study.document import Document, Setting, paths_inside, setting
from simulator.study.loading import is_input, parse_path
from simulator.study.model import Study, WhatIf
from simulator.study.problems import Path, Place
from simulator.study.what_ifs import FIXED


def with_alternatives(study: Study, tree: dict[str, Any], names: Mapping[FilePath, str]) -> dict[str, Any]:
    """The study's tree with its what-ifs and sweeps settled; `names`: what the data files that they read are called there."""
    root = study.document.places.get((), Place("study"))
    if study.what_ifs:
        tree["what_ifs"] = {name: dict(value) for name, value in tree["what_ifs"].items()}
        for what_if in settled(study):
            if what_if.settings:
                tree["what_ifs"][what_if.name]["set"] = {
                    own.path: _renamed(own.value, parse_path(own.path), own.places, names, root) for own in what_if.settings}
    for sweep in study.sweeps:
        for given in sweep.swept:
            path: Path = ("sweeps", sweep.name, "over", given.path)
            places = {found[len(path):]: place for found, place in study.document.places.items() if found[:len(path)] == path}
            over = tree["sweeps"][sweep.name]["over"]
            over[given.path] = _renamed(over[given.path], parse_path(given.path), places, names, root)
    return tree


def settled(study: Study) -> tuple[WhatIf, ...]:
    """The what-ifs, with what came on top of them (`-f`, `--set`) in them, as one file has to say it.

    A what-if comes over the study's files and under those; in one file it would win over them as well.
    """
    above = [value for layer in study.document.layers
             for value in ([layer] if isinstance(layer, Setting) else _settings(layer))]

    def completed(what_if: WhatIf) -> WhatIf:
        wins = {value.path: value for value in above if any(_meet(value.path, own.path) for own in what_if.settings)}
        kept = (own for own in what_if.settings if own.path not in wins)
        return replace(what_if, settings=(*kept, *wins.values()))

    return tuple(map(completed, study.what_ifs))


def _meet(one: str, other: str) -> bool:
    """Whether one path leads to the other or into it."""
    first, second = parse_path(one), parse_path(other)
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def _settings(layer: Document) -> list[Setting]:
    """A file as values at paths, each input whole."""
    found: list[Setting] = []

    def walk(value: Any, path: Path) -> None:
        if isinstance(value, dict) and not is_input(path):
            for key, inside in value.items():
                walk(inside, (*path, key))
        else:
            found.append(setting(".".join(map(str, path)), value, layer.places[path]))

    walk({key: value for key, value in layer.tree.items() if key not in FIXED}, ())
    return found


def _renamed(value: Any, path: Path, places: Mapping[Path, Place], names: Mapping[FilePath, str], root: Place) -> Any:
    """A value with the names of data files in it replaced; relative ones begin at the file in which they were written."""
    whole = {"": copy.deepcopy(value)}
    for inside in paths_inside(value):
        around: Any = whole
        for key in ("", *inside)[:-1]:
            around = around[key]
        last = ("", *inside)[-1]
        if (*path, *inside)[-1] == "file" and isinstance(around[last], str):
            written = next((place for place in (places[inside], root) if place.line), None)
            folder = FilePath(written.file).parent if written else FilePath()
            around[last] = names.get(folder / around[last], around[last])
    return whole[""]
