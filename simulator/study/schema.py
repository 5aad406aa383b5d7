"""The version of the format in which studies and run folders are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator import __version__
from simulator.study.problems import shown

if TYPE_CHECKING:
    from simulator.study.model import Study

# Raised where a study or a run that was right before would be read otherwise, or not at all; what only adds is no new version.
SCHEMA = 1


def header(study: Study) -> dict[str, Any]:
    """What documents of a study's results begin with: enough to know the study and to draw its trials again."""
    simulation = study.simulation
    return {"schema": SCHEMA, "study": study.name, "trials": simulation.trials, "replicates": simulation.replicates,
            "sampler": simulation.sampler, "seed": simulation.seed, "digest": study.digest}


def why_unread(found: object) -> str:
    """Why this version cannot read a study or a document with that `schema`, in words; empty where it can."""
    is_whole = isinstance(found, int) or (isinstance(found, float) and found.is_integer())
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not is_whole:
        return f"found {shown(found)}; this version reads schema {SCHEMA}"
    if found > SCHEMA:
        return (f"found schema {shown(found)}, of a newer version of tco; this version ({__version__}) reads schema {SCHEMA}: "
                "upgrade tco-simulator to read it")
    if found < SCHEMA:
        return f"found schema {shown(found)}, which there never was; this version reads schema {SCHEMA}"
    return ""
