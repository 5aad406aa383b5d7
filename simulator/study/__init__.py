"""What the user wrote: from YAML files to a frozen, checked `Study`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from simulator.study.loading import load_tree
from simulator.study.model import Study
from simulator.study.problems import StudyError
from simulator.study.reading import check_part, read_study_with_all

__all__ = ["Study", "StudyError", "check", "load", "load_if_study"]


def load(file: str | os.PathLike[str], overlays: Iterable[str | os.PathLike[str]] = (),
         overrides: Iterable[str] = ()) -> Study:
    """Load a study from YAML.

    file       the study; what it `extends` is found relative to it
    overlays   files merged on top, in order
    overrides  `PATH=VALUE` texts applied last, values in YAML
    Raises StudyError with everything that is wrong, each with file, line and path, also in what-ifs that are never run.
    """
    return read_study_with_all(load_tree(file, overlays, overrides), Path(file).stem)


def load_if_study(file: str | os.PathLike[str], overlays: Iterable[str | os.PathLike[str]] = (),
                  overrides: Iterable[str] = ()) -> Study | None:
    """As `load`; None for a file without a name under `study`, a part that others extend. Raises StudyError."""
    document = load_tree(file)
    if "study" not in document.tree and not document.problems:
        return None
    if overlays or overrides:
        document = load_tree(file, overlays, overrides)
    return read_study_with_all(document, Path(file).stem)


def check(file: str | os.PathLike[str]) -> Study | None:
    """Check a file of a library: a study, which has a name under `study`, or a part that others extend (then None).

    What a part does not say may stand elsewhere; all that it says is checked. Raises StudyError.
    """
    document = load_tree(file)
    if "study" in document.tree or document.problems:
        return read_study_with_all(document, Path(file).stem)
    check_part(document)
    return None
