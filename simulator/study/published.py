"""Figures that somebody published, to be shown beside what the study computes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from simulator.quantities import INPUT, RESULT
from simulator.study.problems import Path, nearest, shown
from simulator.study.reader import Reader

KEYS = ("quantity", "of", "value", "source", "date", "note")


@dataclass(frozen=True)
class Published:
    """A published figure: an input or result `quantity` of a platform, or the ratio of two (`of: a/b`, a ÷ b)."""

    quantity: str
    of: str
    value: float
    source: str = ""
    date: str = ""
    note: str = ""

    @property
    def is_ratio(self) -> bool:
        return "/" in self.of


def read_published(reader: Reader, found: Any, platforms: Collection[str]) -> tuple[Published, ...]:
    """The list under `published`."""
    if found is None:
        return ()
    if not isinstance(found, list):
        reader.refuse(("published",), f"found {shown(found)}; expected a list of {{quantity, of, value}}")
        return ()
    figures = (_figure(reader, item, ("published", position), platforms) for position, item in enumerate(found))
    return tuple(figure for figure in figures if figure is not None)


def _figure(reader: Reader, found: Any, path: Path, platforms: Collection[str]) -> Published | None:
    before = reader.refusals
    item = reader.mapping(found, path, "{quantity, of, value}")
    if reader.refusals > before:
        return None
    reader.known_keys(item, path, KEYS, "key")
    for key in ("quantity", "of", "value"):
        if key not in item:
            reader.missing((*path, key), "a published figure has quantity, of and value")
    quantity, of = item.get("quantity"), item.get("of")
    if "quantity" in item and not (isinstance(quantity, str) and (quantity in INPUT or quantity in RESULT)):
        reader.refuse((*path, "quantity"), f"found {shown(quantity)}; expected an input or a result"
                      f"{nearest(quantity, (*INPUT, *RESULT))}")
    names = of.split("/") if isinstance(of, str) else []
    if "of" in item and (not 1 <= len(names) <= 2 or any(name not in platforms for name in names)):
        reader.refuse((*path, "of"), f"found {shown(of)}; expected a platform, or two with '/' between{nearest(of, platforms)}")
    value = reader.number(item["value"], (*path, "value")) if "value" in item else None
    texts = {key: reader.text(item, key, path) for key in ("source", "date", "note")}
    if value is None or reader.refusals > before:
        return None
    return Published(str(quantity), str(of), value, **texts)
