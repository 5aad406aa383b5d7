"""What a large run has added up so far, kept in a file, to go on from after an interruption."""

from __future__ import annotations

import hashlib
import pickle
import time
from collections.abc import Mapping
from pathlib import Path

from simulator.engine.first_pass import FirstPass
from simulator.engine.trials import Trials
from simulator.locks import unfinished
from simulator.run_folder import sync

EVERY = 20.0  # seconds


class Checkpoint:
    """The file of one run, known by its trials and the versions that make them."""

    def __init__(self, folder: Path, trials: Trials, versions: Mapping[str, str]) -> None:
        what = pickle.dumps((trials.compiled, trials.simulation, trials.rows, dict(versions)))
        self._folder = folder
        self.place = folder / f".checkpoint-{hashlib.blake2b(what, digest_size=12).hexdigest()}"
        self._written = time.monotonic()

    def read(self) -> FirstPass | None:
        """What was kept; None where nothing was, or cannot be read: then all is done again."""
        try:
            found = pickle.loads(self.place.read_bytes())
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError):
            return None
        return found if isinstance(found, FirstPass) else None

    def write_if_due(self, first: FirstPass) -> None:
        """Keep what was added so far, whole or not at all, every now and then."""
        if time.monotonic() - self._written < EVERY:
            return
        with unfinished(self._folder) as temporary:
            written = temporary / self.place.name
            with written.open("wb") as file:
                pickle.dump(first, file)
            sync(written)
            written.replace(self.place)
            temporary.rmdir()
        self._written = time.monotonic()

    def remove(self) -> None:
        """The run is done."""
        self.place.unlink(missing_ok=True)
