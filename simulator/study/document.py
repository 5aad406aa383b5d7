"""A YAML file as plain data, with the line of every value.

YAML 1.2 (`NO` is text, `1e-3` is a number). Aliases, tags, duplicate keys, several documents, and files that are
binary, huge or deeply nested are refused: a study has to mean what it looks like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from simulator.study.problems import Path, Place, Problem, StudyError, nearest, path_text, quoted, shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
LONGEST_KEY = 100
ASKED_BESIDE = ("what_ifs", "sweeps", "sensitivity")  # keys of what else is asked of a study: no result of a run depends on them
LONGEST_NUMBER = 300
_LONGEST_FILE_NAME = 1000

# The scalars of YAML 1.2; `_` between digits is allowed, as in 65_536.
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# What the parser says, and what it means to somebody who does not know the parser.
_IN_PLAIN_WORDS = (
    ("mapping values are not allowed here", "found ':' where none can stand; expected 'name: value' in the same column as the "
     "lines that it belongs to, and quotation marks around a text that holds ': '"),
    ("but found '<block mapping start>'", "the indentation differs from that of the lines above; expected lines that belong "
     "together to begin in the same column"),
    ("but found '<block sequence start>'", "the indentation differs from that of the lines above; expected lines that belong "
     "together to begin in the same column"),
    ("could not find expected ':'", "found a line without ':'; expected 'name: value'"),
    ("found character '\\t'", "found a tab; expected indentation with spaces"),
    ("found character '%'", "found '%' at the beginning of a text; expected such a text between quotation marks"),
    ("found unexpected end of stream", "found a quotation mark that is never closed"),
    ("expected ',' or '}'", "found '{' that is never closed, or ',' is missing inside; expected '{name: value, name: value}'"),
    ("expected ',' or ']'", "found '[' that is never closed, or ',' is missing inside; expected '[value, value]'"),
)


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the place of each path in it.

    problems  what is wrong with it as YAML
    wrong     paths of values that could not be read, and stand as None
    whole     False where a part could not be read at all, so that what seems to be missing may stand there
    beneath   what was there before any of the `layers` (overlay files, `--set`, values from Python) came on top; None where
              there are none: a what-if comes between
    """

    tree: Any
    places: dict[Path, Place]
    problems: tuple[Problem, ...] = ()
    wrong: frozenset[Path] = frozenset()
    whole: bool = True
    beneath: Document | None = None
    layers: tuple[Document | Setting, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A value that is put at a path, as `--set`, a what-if, a sweep and Python do.

    path    as it is written: `shared.energy_price.median`
    places  the place of each path inside the value; () is that of the whole
    """

    path: str
    value: Any
    places: Mapping[Path, Place]

    @property
    def place(self) -> Place:
        return self.places[()]


def setting(path: str, value: Any, place: Place) -> Setting:
    """A value that was written in one place."""
    return Setting(path, value, dict.fromkeys(paths_inside(value), place))


def paths_inside(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of a value, and those of everything in it."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths_inside(child, (*path, key))


def read_file(file: FilePath, name: str, asked_by: Place | None = None) -> Document:
    """Read a study's file, whose tree is then a mapping.

    name      how messages call the file
    asked_by  the place of the `extends` that names it
    """
    def refused(message: str) -> Document:
        problem = Problem(asked_by, "extends", f"{called}: {message}") if asked_by else Problem(Place(called), "", message)
        return Document({}, {}, (problem,), whole=False)

    called = quoted(name, _LONGEST_FILE_NAME)
    try:
        if file.is_dir():
            return refused("found a folder; expected a YAML file")
        with file.open("rb") as stream:  # a device or a pipe has no size to ask for
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        near = [other.name for other in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
        return refused(f"there is no such file{nearest(file.name, near)}")
    except (OSError, ValueError) as error:
        return refused(f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(data) > MAX_BYTES:
        return refused(f"found more than {MAX_BYTES:,} bytes; expected a study, which is smaller")
    if b"\0" in data:
        return refused("found a binary file; expected a YAML file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return refused("found something else than text in UTF-8; expected a YAML file")
    document = parse(text, called)
    if document.tree is None and document.whole and not document.problems:
        return refused("found an empty file; expected a study: 'schema: 1', 'platforms: …'")
    if not isinstance(document.tree, dict):
        wrong_kind = Problem(Place(called, 1), "", f"found {shown(document.tree)}; expected a study: 'schema: 1', 'platforms: …'")
        return Document({}, {}, document.problems or (wrong_kind,), whole=False)
    return document


def read_text(text: str, name: str, line: bool = True) -> Document:
    """Read YAML text; the tree of the result may be any value. Raises StudyError."""
    document = parse(text, name, line)
    if document.problems:
        raise StudyError(document.problems)
    return document


def parse(text: str, name: str, line: bool = True) -> Document:
    """Read YAML text as far as it can be read; what is wrong is among the problems of the result."""
    builder = _Builder(name, line)
    try:
        tree = builder.document(_events(text, builder))
    except _Unreadable as error:
        place = Place(name, error.line if line else 0)
        return Document(None, builder.places, (*builder.problems, Problem(place, "", str(error))), whole=False)
    return Document(tree, builder.places, tuple(builder.problems), frozenset(builder.wrong), builder.whole)


class _Unreadable(Exception):
    """Text from which nothing can be read any more."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _events(text: str, builder: _Builder) -> Iterator[Any]:
    """The parser's events. Whatever it raises is a mistake in the text."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        message = " ".join(str(part) for part in (error.context, error.problem) if part)
        message = message.replace("'<stream end>'", "the end of the text").replace(r"'\x00'", "the end of the text")
        told, mark = next((told for found, told in _IN_PLAIN_WORDS if found in message), ""), error.problem_mark
        if "never closed" in told or not mark:  # where it was opened says more than where the text ends
            mark = error.context_mark or mark
        raise _Unreadable(f"not valid YAML: {told or quoted(message, 200)}", mark.line + 1 if mark else 0) from None
    except ReaderError as error:
        where = text.count("\n", 0, error.position) + 1
        raise _Unreadable(f"not valid YAML: the character U+{error.character:04X} is not allowed", where) from None
    except RecursionError:
        raise _Unreadable(f"nested deeper than {MAX_DEPTH} levels", builder.line) from None
    except Exception as error:
        raise _Unreadable(f"not valid YAML: {quoted(str(error))}", builder.line) from None


class _Builder:
    """Turns the parser's events into plain data, and notes the line of each value."""

    def __init__(self, name: str, with_line: bool) -> None:
        self.name, self.with_line = name, with_line
        self.line = 1 if with_line else 0
        self.depth = 0
        self.places: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self.wrong: set[Path] = set()
        self.whole = True

    def document(self, events: Iterator[Any]) -> Any:
        tree: Any = None
        documents = 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents == 2:
                    self.refuse(event, (), "found a second document ('---'); a study is one document")
                    self.whole = False
                if event.version not in (None, (1, 2)):
                    self.refuse(event, (), f"found %YAML {'.'.join(map(str, event.version))}; studies are YAML 1.2")
            elif kind not in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"):
                value = self.value(event, events, () if documents == 1 else ("---",))
                tree = value if documents == 1 else tree
        return tree

    def place(self, event: Any, written: str = "") -> Place:
        if self.with_line:
            self.line = event.start_mark.line + 1
        return Place(self.name, self.line, written)

    def refuse(self, event: Any, path: Path, message: str) -> None:
        self.problems.append(Problem(self.place(event), path_text(path), message))

    def value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        kind = type(event).__name__
        place = self.places.setdefault(path, self.place(event))
        if kind == "AliasEvent":
            self.refuse(event, path, f"found the alias '*{quoted(event.anchor)}'; expected the value itself "
                        "(files share values with 'extends')")
            self.wrong.add(path)
            return None
        self.check_plain(event, path)
        if kind == "ScalarEvent":
            value = self.scalar(event, path)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self.places[path] = Place(place.file, place.line, event.value)
            return value
        if self.depth >= MAX_DEPTH:
            raise _Unreadable(f"nested deeper than {MAX_DEPTH} levels", self.line)
        self.depth += 1
        inside = self.mapping(events, path) if kind == "MappingStartEvent" else self.sequence(events, path)
        self.depth -= 1
        return inside

    def check_plain(self, event: Any, path: Path) -> None:
        """Refuse anchors and tags."""
        if event.anchor is not None:
            self.refuse(event, path, f"found the anchor '&{quoted(event.anchor)}'; studies have no aliases: take it out")
        tag = getattr(event, "ctag", None)
        if tag is not None and str(tag) != "None":
            short = str(tag).replace("tag:yaml.org,2002:", "!!")
            self.refuse(event, path, f"found the tag '{quoted(short)}'; studies hold plain values only: take it out")
            self.wrong.add(path)

    def sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        while type(event := next(events)).__name__ != "SequenceEndEvent":
            items.append(self.value(event, events, (*path, len(items))))
        return items

    def mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while type(event := next(events)).__name__ != "MappingEndEvent":
            key, place = self.key(event, events, path), self.place(event)
            if key is None:
                self.value(next(events), events, (*path, "?"))
            elif key in items:
                first = self.places[(*path, key)].line
                self.refuse(event, (*path, key), f"stands twice{f', first on line {first}' if first else ''}; keep one")
                self.value(next(events), events, (*path, key, "again"))
            else:
                self.places[(*path, key)] = place
                items[key] = self.value(next(events), events, (*path, key))
        return items

    def key(self, event: Any, events: Iterator[Any], path: Path) -> str | None:
        """A key as text; None, with a problem noted, where it cannot be one."""
        if type(event).__name__ != "ScalarEvent":
            self.refuse(event, path, "found a key that is not plain text; expected a name")
            if type(event).__name__ != "AliasEvent":
                self.value(event, events, (*path, "?"))
            return None
        key = str(event.value)
        if key == "<<" and event.implicit[0]:
            self.refuse(event, path, "found the merge key '<<'; expected the values themselves (files share values with "
                        "'extends')")
            self.whole = False
            return None
        self.check_plain(event, (*path, key))
        if len(key) > LONGEST_KEY:
            self.refuse(event, path, f"found a key of {len(key):,} characters, '{quoted(key)}'; expected a name")
            return None
        return key

    def scalar(self, event: Any, path: Path) -> Any:
        text = str(event.value)
        if not event.implicit[0]:  # quoted, or a block
            if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
                self.refuse(event, path, f"found the text '{quoted(text)}', which holds characters that cannot be printed")
                self.wrong.add(path)
            return text
        if _NULL.fullmatch(text):
            return None
        if _BOOLEAN.fullmatch(text):
            return text.lower() == "true"
        if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
            if len(text) > LONGEST_NUMBER:
                self.refuse(event, path, f"found a number of {len(text):,} characters; expected at most {LONGEST_NUMBER}")
                self.wrong.add(path)
                return None
            return _number(text)
        return text


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        base = {"0x": 16, "0o": 8}.get(text[:2], 10)
        return int(text, base)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
