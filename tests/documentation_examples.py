"""Blocks of code in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(language, name, text) of every block of a page."""
    return [found.groups(default="") for found in _BLOCK.finditer((DOCS / page).read_text(encoding="utf-8"))]
