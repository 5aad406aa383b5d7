"""What a benchmark measured, whoever's files it comes from, and what is wrong with such a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

LARGEST_FILE = 200_000_000  # bytes
_MOST_SHOWN = 10


class BenchmarkError(ValueError):
    """A file, or a question to it, that cannot be used. `messages` holds everything that is wrong."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(dict.fromkeys(messages))
        super().__init__("\n".join(self.shown()))

    def shown(self) -> list[str]:
        """The messages, of very many the first ones."""
        more = len(self.messages) - _MOST_SHOWN
        return [*self.messages[:_MOST_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]


@dataclass(frozen=True)
class Measurement:
    """One run of a benchmark.

    interactivity  token/s/user, median
    throughput     token/s/GPU, input and output tokens over all GPUs
    configuration  everything that was set: equal ones are the same measurement made again
    words          the configuration as a note names it
    """

    interactivity: float
    throughput: float
    configuration: tuple[str, ...]
    hardware: str
    lengths: tuple[int, int]
    precision: str = ""
    measured: date | None = None
    words: str = ""


def in_words(*parts: str | date | None) -> str:
    """What is known of a run, as a note names it."""
    return ", ".join(str(part) for part in parts if part)


def read_benchmark_text(file: Path) -> str:
    """The text of a file. Raises BenchmarkError where it is none."""
    try:
        if file.is_dir():
            raise BenchmarkError([f"{file}: found a folder; expected a file of benchmark results"])
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise BenchmarkError([f"{file}: there is no such file"]) from None
    except (OSError, ValueError) as error:
        raise BenchmarkError([f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(data) > LARGEST_FILE:
        raise BenchmarkError([f"{file}: found more than {LARGEST_FILE:,} bytes; expected the results of one benchmark"])
    if b"\0" in data:
        raise BenchmarkError([f"{file}: found a binary file; expected CSV or JSON"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BenchmarkError([f"{file}: found something else than text in UTF-8; expected CSV or JSON"]) from None
    if not text.strip():
        raise BenchmarkError([f"{file}: found an empty file; expected benchmark results"])
    return text
