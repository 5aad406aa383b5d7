"""What is wrong with a study, in words: place, path, what was found, what was expected, the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]

_LONGEST = 60  # characters of a user's text that a message quotes


@dataclass(frozen=True)
class Place:
    """Where a value was written: a file and a line (from 1), or a part of the command line (line 0).

    written  a number as it stands in the file: `1.10` is not `1.1` where a text is expected
    """

    file: str
    line: int = 0
    written: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, with its place and its path inside the study."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.path}: {self.message}" if self.path else f"{self.place}: {self.message}"


class StudyError(ValueError):
    """A study that cannot be used. `problems` holds everything that is wrong with it, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        def in_order(problem: Problem) -> tuple[bool, str, int]:
            from_command = problem.place.file.startswith("--")
            return from_command, problem.place.file, problem.place.line

        # A file that is extended twice says what is wrong with it twice.
        self.problems = tuple(sorted(dict.fromkeys(problems), key=in_order))
        super().__init__("\n".join(map(str, self.problems)))


def path_text(path: Path) -> str:
    """A path as it is written in messages, results and `--set`: `platforms.a.capex.low`."""
    return ".".join(quoted(str(part)) for part in path)


def near_name(name: object, valid: Iterable[str]) -> str | None:
    """The valid name that a misspelt one was probably meant to be; capitals, '-' and '_' make no difference."""
    names = {_alike(candidate): candidate for candidate in sorted(set(valid))}
    near = difflib.get_close_matches(_alike(str(name)[:_LONGEST]), names, n=1, cutoff=0.6)
    return names[near[0]] if near else None


def nearest(name: object, valid: Iterable[str]) -> str:
    """The end of a message: "; did you mean 'x'?", or nothing where no valid name is near."""
    near = near_name(name, valid)
    return f"; did you mean '{near}'?" if near else ""


def any_of(names: Iterable[str]) -> str:
    """Names as alternatives: "a, b or c"."""
    *most, last = names
    if not most:
        return last
    return f"{', '.join(most)} or {last}" if most else last


def quoted(text: str, longest: int = _LONGEST) -> str:
    """A user's text as a message shows it: not too long, and nothing that a terminal would act on."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)


def figure(value: float) -> str:
    """A number as a message shows it: with the digits that matter, and not with those of binary rounding."""
    return f"{value:.12g}"


def shown(value: object) -> str:
    """A value as it is quoted in a message: short, and with its kind where that is what is wrong."""
    if isinstance(value, dict):
        keys = ", ".join(quoted(str(key)) for key in list(value)[:4])
        return f"a mapping with {keys}{', …' if len(value) > 4 else ''}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text '{quoted(value)}'" if value else "an empty text"
    return figure(value) if isinstance(value, float) else quoted(str(value))


def _alike(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
