"""From files and overrides to one resolved tree, in which every value still knows its file and line.

Mappings are merged, lists and inputs are replaced whole, the later one wins; a path that goes inside an input
changes that one parameter.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from simulator.quantities import INPUT
from simulator.study.document import MAX_DEPTH, Document, Setting, parse, read_file, setting
from simulator.study.problems import Path, Place, Problem, nearest, path_text, quoted, shown

MOST_FILES_DEEP = 32
_LARGEST_INTEGER = 10**300


def load_tree(file: str | os.PathLike[str], overlays: Iterable[str | os.PathLike[str]] = (),
              overrides: Iterable[str] = ()) -> Document:
    """The resolved tree of a study: its `extends`, itself, overlay files, then `PATH=VALUE` overrides."""
    files = _Files()
    document = files.read(FilePath(file), None, ())
    for overlay in overlays:
        document = with_layer(document, files.read(FilePath(overlay), None, ()))
    return with_overrides(document, overrides)


def with_layer(document: Document, layer: Document | Setting) -> Document:
    """The tree with a file merged on top or a value replaced; what-ifs come beneath it."""
    beneath = document if document.beneath is None else document.beneath
    return replace(_on_top(document, layer), beneath=beneath, layers=(*document.layers, layer))


def with_what_if(document: Document, settings: Iterable[Setting]) -> Document:
    """The tree with the values of a what-if: over the files, and under what came on top of them."""
    found = document if document.beneath is None else document.beneath
    names = _names_of_platforms(document)
    for value in settings:
        found = with_setting(found, value, names)
    for layer in document.layers:
        found = _on_top(found, layer)
    return replace(found, problems=tuple(dict.fromkeys((*document.problems, *found.problems))))


def set_apart(document: Document, keys: Collection[str]) -> tuple[Document, Document]:
    """The tree without some keys at its top, and with them alone; `put_back` joins them."""
    def part(of: Document, inside: bool) -> Document:
        return Document({key: value for key, value in of.tree.items() if (key in keys) == inside},
                        {path: place for path, place in of.places.items() if (bool(path) and path[0] in keys) == inside},
                        of.problems, of.wrong, of.whole)

    layers = [layer if isinstance(layer, Setting) else part(layer, False) for layer in document.layers
              if not (isinstance(layer, Setting) and parse_path(layer.path)[0] in keys)]
    beneath = None if document.beneath is None else part(document.beneath, False)
    return replace(part(document, False), beneath=beneath, layers=tuple(layers)), part(document, True)


def put_back(document: Document, asked: Document) -> Document:
    """The tree with what was set apart from it."""
    beneath = None if document.beneath is None else put_back(document.beneath, asked)
    return replace(document, tree=document.tree | asked.tree, places=document.places | asked.places, beneath=beneath)


def _on_top(document: Document, layer: Document | Setting) -> Document:
    return with_setting(document, layer) if isinstance(layer, Setting) else _merged(document, layer)


def with_overrides(document: Document, overrides: Iterable[str]) -> Document:
    """Apply `PATH=VALUE` texts, values in YAML."""
    for override in overrides:
        name, equals, text = override.partition("=")
        place = Place(f"--set {quoted(override)}")
        if not equals or not name.strip():
            document = _with_problem(document, Problem(place, "", "expected PATH=VALUE, such as shared.utilization=0.5"))
            continue
        value = parse(text, place.file, line=False)
        if value.problems:
            problems = (Problem(found.place, name.strip(), found.message) for found in value.problems)
            document = _with_problem(document, *problems)
        else:
            document = with_layer(document, setting(name.strip(), value.tree, place))
    return document


def with_values(document: Document, values: Mapping[str, Any]) -> Document:
    """The tree with values of Python or NumPy replaced, by path."""
    for name, value in values.items():
        place = Place(f"with_inputs {quoted(str(name))}")
        try:
            document = with_layer(document, setting(str(name), _plain(value), place))
        except TypeError as error:
            document = _with_problem(document, Problem(place, quoted(str(name)), str(error)))
    return document


def with_setting(document: Document, value: Setting, platforms: Iterable[str] | None = None) -> Document:
    """The tree with the value at one path replaced, or with a problem where the path leads nowhere.

    platforms  names that a path may have; those of the tree where not given
    """
    path = parse_path(value.path)
    wrong = _why_not(document, path, _names_of_platforms(document) if platforms is None else list(platforms))
    if wrong:
        return _with_problem(document, Problem(value.place, quoted(value.path), wrong))
    tree: Any = value.value
    for key in reversed(path):
        tree = {key: tree}
    above = Document(tree, {(*path, *inside): place for inside, place in value.places.items()})
    return _merged(document, above, path)


def _names_of_platforms(document: Document) -> list[str]:
    platforms = document.tree.get("platforms")
    return list(platforms) if isinstance(platforms, dict) else []


def _why_not(document: Document, path: tuple[str, ...], names: list[str]) -> str:
    """Why nothing can be set at a path, in words; empty where it can."""
    if "" in path:
        return "found a path with an empty name; expected names with '.' between, such as shared.utilization"
    if path[0] == "extends":
        return "found 'extends', which stands in files only; expected -f FILE to merge another file on top"
    if path[0] == "platforms":
        if len(path) == 1:
            return "found the path of all platforms; expected one input of one platform, such as platforms.NAME.capex"
        if path[1] not in names:
            return f"there is no platform '{quoted(path[1])}' in the study" + (nearest(path[1], names) or _there_are(names))
        if len(path) == 2:
            return f"found the path of a whole platform; expected one of its inputs, such as {path_text(path)}.capex"
    for depth in range(1, len(path)):
        parent = _at(document.tree, path[:depth])
        if parent is not None and not isinstance(parent, dict):
            return f"found {shown(parent)} at {path_text(path[:depth])}, which has no '{quoted(path[depth])}' inside"
        if parent is None and is_input(path[:depth]):
            return f"found no {path_text(path[:depth])} in the study; expected one to set '{quoted(path[depth])}' in"
    return ""


def _there_are(names: list[str]) -> str:
    return f"; its platforms are {', '.join(map(quoted, names))}" if names else ""


def digest(tree: Mapping[str, Any], *files: str) -> str:
    """Digest of a resolved tree and of `files`, themselves digests of what it reads (16 hexadecimal digits).

    It is the same for the same content in the same order. Where the files lie does not matter.
    """
    text = json.dumps(_without_files(tree) if files else tree, ensure_ascii=True, allow_nan=True, separators=(",", ":"))
    return hashlib.blake2b("\0".join((text, *files)).encode(), digest_size=8).hexdigest()


def _without_files(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_files(value) for key, value in tree.items() if key != "file"}
    return [_without_files(item) for item in tree] if isinstance(tree, list) else tree


def is_input(path: Path) -> bool:
    """Whether a path of a study leads to one input, or to a frontier (which merging replaces whole)."""
    if path == ("simulation", "horizon"):
        return True
    if path[:1] == ("markets",):
        return len(path) == 2
    if path[:1] in (("what_ifs",), ("sweeps",)):
        return len(path) == 4 and path[2] in ("set", "over")
    inside = path[1:] if path[:1] == ("shared",) else path[2:] if path[:1] == ("platforms",) else ()
    alone = len(inside) == 1 and (inside[0] in INPUT or inside[0] == "frontier")
    return alone or (len(inside) == 2 and inside[0] == "throughput_factors")


class _Files:
    """Files that are read once each, however often they are extended."""

    def __init__(self) -> None:
        self._read: dict[FilePath, Document] = {}

    def read(self, file: FilePath, asked_by: Place | None, above: tuple[FilePath, ...]) -> Document:
        """A file merged on top of those that it extends. `above` are the files that led here."""
        try:
            whole = file.resolve()
        except (OSError, ValueError, RuntimeError):  # a loop of links, or a character that no path can have
            whole = file
        if whole in above:
            chain = " → ".join(quoted(part.name) for part in (*above[above.index(whole):], whole))
            return self._not_extended(asked_by, f"found a circle: {chain}; expected files that do not extend themselves")
        if len(above) >= MOST_FILES_DEEP:
            return self._not_extended(asked_by, f"found a chain of more than {MOST_FILES_DEEP} files; expected fewer")
        if whole not in self._read:
            own = read_file(file, os.path.normpath(file), asked_by)
            if not own.tree and not own.whole:
                return own  # not kept: each `extends` that names it is told so
            self._read[whole] = self._with_extends(own, file, (*above, whole))
        return self._read[whole]

    @staticmethod
    def _not_extended(asked_by: Place | None, why: str) -> Document:
        return _unread(Problem(asked_by or Place("study"), "extends", why))

    def _with_extends(self, document: Document, file: FilePath, above: tuple[FilePath, ...]) -> Document:
        if "extends" not in document.tree:
            return document
        listed = document.tree["extends"]
        own = Document({key: value for key, value in document.tree.items() if key != "extends"},
                       {path: place for path, place in document.places.items() if path[:1] != ("extends",)},
                       document.problems, document.wrong, document.whole)
        below = Document({}, {})
        for position, entry in enumerate(listed if isinstance(listed, list) else [listed]):
            path: Path = ("extends", position) if isinstance(listed, list) else ("extends",)
            place = document.places[path]
            if path in document.wrong:
                part = _unread()
            elif isinstance(entry, str) and entry:
                part = self.read(file.parent / entry, place, above)
            else:
                part = _unread(Problem(place, "extends", f"found {shown(entry)}; expected a file's path, or a list of them"))
            below = _merged(below, part)
        return _merged(below, own)


def _unread(*problems: Problem) -> Document:
    return Document({}, {}, problems, whole=False)


def _with_problem(document: Document, *problems: Problem) -> Document:
    return replace(document, problems=(*document.problems, *problems))


def _merged(below: Document, above: Document, set_path: Path = ()) -> Document:
    """One document over another. `set_path`, where it goes inside an input, is replaced there and not around."""
    replaced: set[Path] = set()

    def merge(low: Any, high: Any, path: Path) -> Any:
        towards = len(path) < len(set_path)
        inside_input = not towards and any(is_input(path[:end]) for end in range(1, len(path) + 1))
        if isinstance(low, dict) and isinstance(high, dict) and not inside_input:
            return {**low, **{key: merge(low[key], value, (*path, key)) if key in low else value
                              for key, value in high.items()}}
        replaced.add(path)
        return high

    tree = merge(below.tree, above.tree, ())
    kept = {path: place for path, place in below.places.items()
            if not replaced or not any(path[:end] in replaced for end in range(len(path) + 1))}
    return Document(tree, {**kept, **above.places}, tuple(dict.fromkeys((*below.problems, *above.problems))),
                    below.wrong | above.wrong, below.whole and above.whole)


def _plain(value: Any, depth: int = 0) -> Any:
    """A value of Python or NumPy as plain data. Raises TypeError where it is none."""
    if depth > MAX_DEPTH:
        raise TypeError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {str(key): _plain(inside, depth + 1) for key, inside in value.items()}
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(inside, depth + 1) for inside in value]
    if value is None or isinstance(value, (str, float)):
        return value
    if isinstance(value, int) and abs(value) < _LARGEST_INTEGER:
        return value
    raise TypeError(f"found a {type(value).__name__}; expected a number, a text, a list or a mapping")


def parse_path(text: str) -> tuple[str, ...]:
    """A path split at its points, but `p97.5` kept whole."""
    return tuple(re.split(r"\.(?!(?<=\bp\d\.)\d)(?!(?<=\bp\d\d\.)\d)", text))


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree
