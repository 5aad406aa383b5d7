"""Work on Dask: chunks of one large run, or many small runs, on the workers of a scheduler or in processes of this machine.

A task is a pure function of what it is sent, and answers come back in the order of the tasks, so results are those of one
thread on one machine, to the bit. Dask is imported where it is used: it is an extra.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from simulator.engine.first_pass import FirstPass, Look, Seen
from simulator.engine.selection_in_one_pass import OnePass
from simulator.engine.trials import Chunk, Trials, available_cores
from simulator.run_folder import sync, versions

LOCAL = "local"
MUST_BE_THE_SAME = ("tco-simulator", "kernels", "numba", "numpy")
_TOGETHER = 64  # answers that are fetched at once
_AHEAD = 2  # tasks for each thread of the workers, so that none waits for the next
_LOST_AFTER = 60.0  # seconds without a scheduler, after which it is given up
_CONNECT = "10s"  # for a scheduler to answer
_ANSWER = 0.5  # seconds between looks whether there is still a scheduler
_CHECKPOINT_EVERY = 20.0  # seconds
Shared = TypeVar("Shared")
Given = TypeVar("Given")
Got = TypeVar("Got")


class ClusterError(RuntimeError):
    """Workers or a scheduler that are not there, not the same, or gone."""


class Cluster:
    """The workers of one scheduler. `checkpoints`: a folder for large runs that are not finished, to go on from."""

    def __init__(self, client: Any, address: str, checkpoints: Path | None = None) -> None:
        self._client, self._address, self._checkpoints = client, address, checkpoints
        self._expected = _own_versions()
        self._threads, self._counted = 0, -1.0

    def elsewhere(self, trials: Trials, first: FirstPass) -> Generator[tuple[Chunk, Seen], None, None]:
        """Each chunk of a run with what is seen of it, in their order; goes on where an earlier process was stopped."""
        place = self._checkpoint_of(trials)
        if place and (before := _read(place)):
            first.go_on_from(before)
        chunks = list(trials.chunks())[first.added:]
        shared = self._sent(trials)
        written = time.monotonic()

        def tasks() -> Iterator[tuple[Chunk, tuple[Any, ...]]]:
            for chunk in chunks:
                yield chunk, (shared, chunk, first.look())

        def is_ready() -> bool:
            return not isinstance(first.ranking, OnePass) or first.ranking.knows_where_to_look

        for chunk, seen in self._answers(_seen, tasks(), lambda chunk: (
                f"trials {chunk.first:,} to {chunk.first + chunk.count - 1:,} of replicate {chunk.replicate}"), is_ready):
            yield chunk, seen  # and whoever asked adds it to `first`
            if place and time.monotonic() - written > _CHECKPOINT_EVERY:
                _write(place, first)
                written = time.monotonic()
        if place:
            place.unlink(missing_ok=True)

    def each(self, work: Callable[[Shared, Given], Got], shared: Shared, tasks: Iterable[Given],
             words: Callable[[Given], str]) -> Iterator[tuple[Given, Got]]:
        """Every task with its answer, in their order. `shared`: what all tasks are given; `words`: what a task is, for a
        message."""
        sent = self._sent(shared)
        yield from self._answers(work, ((task, (sent, task)) for task in tasks), words)

    def _sent(self, what: object) -> Any:
        """Something for all tasks, sent once; made again, should the worker that has it die."""
        return self._client.submit(pickle.loads, pickle.dumps(what), pure=True)

    def _answers(self, work: Callable[..., Any], tasks: Iterator[tuple[Given, tuple[Any, ...]]], words: Callable[[Given], str],
                 is_ready: Callable[[], bool] = lambda: True) -> Iterator[tuple[Given, Any]]:
        waiting: deque[tuple[Given, Any, threading.Event]] = deque()
        try:
            while True:
                while len(waiting) < (_AHEAD * self._count_threads() if is_ready() else 1):
                    following = next(tasks, None)
                    if following is None:
                        break
                    task, arguments = following
                    future, done = self._client.submit(_checked, self._expected, work, *arguments, pure=False), threading.Event()
                    future.add_done_callback(lambda _, done=done: done.set())
                    waiting.append((task, future, done))
                if not waiting:
                    return
                _, _, done = waiting[0]
                self._wait_for(done)
                ready = [waiting.popleft()]
                while waiting and waiting[0][2].is_set() and len(ready) < _TOGETHER:
                    ready.append(waiting.popleft())
                # One by one, each answer costs a round trip; where one of them failed, they are taken one by one all the same.
                got: list[Any] | None = None
                if len(ready) > 1:
                    with contextlib.suppress(Exception):
                        got = self._client.gather([future for _, future, _ in ready])
                for position, (task, future, _) in enumerate(ready):
                    answer = _told(got[position]) if got else self._result(future, words(task))
                    future.release()
                    yield task, answer
        finally:
            for _, future, _ in waiting:
                with contextlib.suppress(Exception):  # of a scheduler that is gone nothing can be taken back
                    future.cancel()

    def _wait_for(self, done: threading.Event) -> None:
        """Wait for an answer as long as there is a scheduler. Raises ClusterError."""
        lost: float | None = None
        while not done.wait(_ANSWER):
            lost = None if self._client.status == "running" else lost or time.monotonic()
            if lost is not None and time.monotonic() - lost > _LOST_AFTER:
                raise self._gone()

    def _result(self, future: Any, what: str) -> Any:
        """The answer of a task that is done. Raises ClusterError, or what the task itself raised."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        try:
            return _told(future.result())
        except KilledWorker as error:
            raise ClusterError(f"{what}: {error.allowed_failures + 1} workers that had it died, one after the other; it is not "
                               "tried again. Their logs say why: out of memory, say") from None
        except (CancelledError, CommClosedError, OSError):
            raise self._gone() from None

    def _gone(self) -> ClusterError:
        kept = "; what is finished is kept: run the same command again to go on" if self._checkpoints else ""
        return ClusterError(f"the scheduler at {self._address} is gone{kept}")

    def _count_threads(self) -> int:
        """Threads of all workers, looked at every now and then: workers come and go."""
        if time.monotonic() - self._counted > 1:
            with contextlib.suppress(OSError):
                self._threads = sum(self._client.nthreads().values())
            self._counted = time.monotonic()
        return max(self._threads, 1)

    def _checkpoint_of(self, trials: Trials) -> Path | None:
        if self._checkpoints is None:
            return None
        what = pickle.dumps((trials, self._expected))
        return self._checkpoints / f".checkpoint-{hashlib.blake2b(what, digest_size=12).hexdigest()}"


@contextlib.contextmanager
def cluster(address: str, threads: int = 0, checkpoints: Path | None = None) -> Iterator[Cluster]:
    """The workers of a scheduler at an address (tcp://…, or tls://… with Dask's own settings), or `local`: processes of this
    machine, as many as `threads`, or one a core where 0.

    Raises ClusterError where Dask is not installed, nobody answers, there are no workers, or theirs are other versions.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise ClusterError("--scheduler needs an extra: pip install 'tco-simulator[cluster]'") from None
    with contextlib.ExitStack() as stack:
        try:
            at: Any = address
            if address == LOCAL:
                here: Any = LocalCluster
                at = stack.enter_context(here(n_workers=threads or available_cores(), threads_per_worker=1, processes=True,
                                              dashboard_address=":0", silence_logs=logging.CRITICAL))
            connect: Any = Client
            client = stack.enter_context(connect(at, timeout=_CONNECT, set_as_default=False))
        except (OSError, ValueError, RuntimeError) as error:
            raise ClusterError(f"no scheduler answers at {address}: {error}") from None
        _check_versions(client, address)
        yield Cluster(client, address, checkpoints)


def _check_versions(client: Any, address: str) -> None:
    found = client.run(_versions_there)
    if not found:
        raise ClusterError(f"the scheduler at {address} has no workers; start some: dask worker {address}")
    own = _own_versions()
    wrong = [f"{worker}: {differs}" for worker, theirs in sorted(found.items()) if (differs := _differing(theirs, own))]
    if wrong:
        raise ClusterError("workers of other versions would give other results: " + "; ".join(wrong))


def _versions_there() -> dict[str, str]:
    return _own_versions()


@lru_cache(maxsize=1)
def _own_versions() -> dict[str, str]:
    found = versions()
    return {name: found.get(name, "none") for name in MUST_BE_THE_SAME}


def _differing(theirs: dict[str, str], own: dict[str, str]) -> str:
    return ", ".join(f"{name} {theirs.get(name)} and not {version}" for name, version in own.items()
                     if theirs.get(name) != version)


class _Differs:
    """In place of an answer: a worker that came later has other versions."""

    def __init__(self, message: str) -> None:
        self.message = message


def _told(answer: Any) -> Any:
    """The answer; raises ClusterError where a worker would not give any."""
    if isinstance(answer, _Differs):
        raise ClusterError(answer.message)
    return answer


def _checked(expected: dict[str, str], work: Callable[..., Any], *arguments: Any) -> Any:
    """What a worker does: its task, if it is of the versions that are asked for."""
    differs = _differing(_own_versions(), expected)
    return _Differs(f"a worker on {os.uname().nodename} has {differs}") if differs else work(*arguments)


def _seen(trials: Trials, chunk: Chunk, look: Look) -> Seen:
    return trials.alone(chunk, look.of)


def _write(place: Path, first: FirstPass) -> None:
    """Keep what was added so far, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=place.name, dir=place.parent)
    with os.fdopen(handle, "wb") as file:
        pickle.dump(first, file)
    sync(Path(name))
    Path(name).replace(place)


def _read(place: Path) -> FirstPass | None:
    """What was kept; None where nothing was, or cannot be read: then all is done again."""
    try:
        found = pickle.loads(place.read_bytes())
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError):
        return None
    return found if isinstance(found, FirstPass) else None
