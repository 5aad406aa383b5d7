"""Which studies have been run already, so that a batch goes on where it was stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator import __version__
from simulator.kernels.jit import kernel_digest
from simulator.run_documents import RunFolderError, read_manifest
from simulator.run_folder import file_digest
from simulator.run_index import run_folders


@dataclass(frozen=True)
class Wanted:
    """What a run has to have been of: the study's digest and trials, and those of the what-ifs that are asked for, by name."""

    digest: str
    trials: int
    what_ifs: Mapping[str, str]


class FinishedRuns:
    """The runs below a folder that this program and these kernels made, by the digest of their study."""

    def __init__(self, runs: Path) -> None:
        self._by_digest: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
        made_with = {"tco-simulator": __version__, "kernels": kernel_digest()}
        for folder, manifest in _manifests(runs):
            if made_with.items() <= manifest["versions"].items():
                self._by_digest.setdefault(manifest["digest"], []).append((folder, manifest))

    def find(self, wanted: Wanted) -> tuple[Path | None, str]:
        """The folder of a run of what is wanted, the latest one; and where there is none that is whole, why it is not."""
        why = ""
        for folder, manifest in reversed(self._by_digest.get(wanted.digest, [])):
            # A stop rule may have given the same study other trials.
            if manifest["trials"] == wanted.trials and wanted.what_ifs.items() <= manifest["what_ifs"].items():
                altered = [name for name, digest in manifest["files"].items() if not _is_as_written(folder / name, digest)]
                if not altered:
                    return folder, ""
                why = why or f"{folder} is not as it was written ({', '.join(altered)})"
        return None, why


def _manifests(runs: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Folders with manifests that can be read, by name, so in time; a folder that cannot be is no finished run."""
    for folder, _ in run_folders(runs):
        with contextlib.suppress(RunFolderError):
            manifest = read_manifest(folder)
            if isinstance(manifest.get("what_ifs"), dict) and manifest.keys() >= {"digest", "trials"}:
                yield folder, manifest


def _is_as_written(file: Path, digest: str) -> bool:
    try:
        return file_digest(file) == digest
    except OSError:
        return False
