"""Work on Dask: the trials of one large run, or many small runs, on the workers of a scheduler or in processes of this machine.

A task is a pure function of what it is sent, and answers come back in the order of the tasks, so results are those of one
thread on one machine, to the bit. Dask is imported where it is used: it is an extra.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from simulator.engine.first_pass import FirstPass, Seen
from simulator.engine.passes import Answer, Finding, find
from simulator.engine.selection_in_one_pass import OnePass
from simulator.engine.trials import Chunk, Trials, available_cores
from simulator.experiments.checkpoints import Checkpoint
from simulator.experiments.tally import Tally
from simulator.experiments.task_of_worker import (
    Answered,
    Done,
    Raised,
    Refused,
    Shared,
    differing,
    do,
    own_versions,
    versions_there,
)

LOCAL = "local"
_TOGETHER = 64  # answers that are fetched at once
_AHEAD = 3  # tasks for each thread of the workers: one that is done, one that is there, one for whichever is free first
_SENT_WITH_EACH = 1 << 17  # bytes of what all tasks are given that may travel with each; with more, several travel together
_LOST_AFTER = 60.0  # seconds without a scheduler, after which it is given up
_CONNECT = "10s"  # for a scheduler to answer
_ANSWER, _LOOK = 0.5, 0.5  # seconds between looks whether there is still a scheduler, and at which workers there are
# Of a client, and of a scheduler in this process (others have their own settings): after how many deaths of workers that had a
# task it is suspect, how long answers are sought with a worker that has died, and how many messages are remembered, tasks in
# them and all.
_OF_DASK = {"distributed.scheduler.allowed-failures": 2, "distributed.comm.timeouts.connect": "5s",
            "distributed.admin.low-level-log-length": 10}
# A task has so many trials at least; so many tasks for each thread are left to share at the end; and it takes so many seconds at
# most, more where more threads give answers, of which whoever asks takes one in a few milliseconds.
_LEAST, _LEFT_TO_SHARE, _LONGEST, _LONGEST_BY_THREADS = 1 << 16, 4, 2.0, 0.02
Common = TypeVar("Common")
Given = TypeVar("Given")
Got = TypeVar("Got")


class ClusterError(RuntimeError):
    """Workers or a scheduler that are not there, not the same, or gone."""


class DeadlyTaskError(ClusterError):
    """A task of which every worker that had it died."""


@dataclass(frozen=True)
class _Future:
    """What a scheduler has of a task, and whether that is done, one way or another."""

    of: Any
    done: threading.Event


class _Job:
    """Tasks of one kind: what is done, and what all are given; and what they are called."""

    def __init__(self, work: Callable[[Any, Any], Any], shared: Shared) -> None:
        self.work, self.shared = work, shared
        self.name = f"{work.__name__.strip('_')}-{uuid4().hex}"
        self.numbers = count()


class Cluster:
    """The workers of one scheduler. `checkpoints`: a folder for large runs that are not finished, to go on from."""

    def __init__(self, client: Any, address: str, checkpoints: Path | None = None) -> None:
        self._client, self._address, self._checkpoints = client, address, checkpoints
        self._expected = own_versions()
        self._workers: dict[str, int] = {}  # threads by address
        self._looked = -math.inf
        self.tally = Tally()

    @property
    def threads(self) -> int:
        """Of all workers."""
        return max(sum(self._look_around().values()), 1)

    def _look_around(self) -> dict[str, int]:
        """Which workers there are, with their threads, by their addresses, as of not long ago: they come and go."""
        if time.monotonic() - self._looked > _LOOK:
            self._looked = time.monotonic()
            with contextlib.suppress(Exception):  # of a scheduler that is gone more is heard where answers are waited for
                self._workers = dict(self._client.nthreads())
        return self._workers

    def first_pass(self, trials: Trials, first: FirstPass) -> Generator[tuple[Chunk, Seen], None, None]:
        """Each chunk of a run with what is seen of it, in their order; goes on where an earlier process was stopped."""
        checkpoint = Checkpoint(self._checkpoints, trials, self._expected) if self._checkpoints else None
        if checkpoint and (before := checkpoint.read()):
            first.go_on_from(before)

        def room(begun: int) -> float:
            return first.ranking.ahead - (begun - first.added) if isinstance(first.ranking, OnePass) else math.inf

        for chunk, seen in self._pass(trials, None, first.look, first.added, room):
            yield chunk, seen  # and whoever asked adds it to `first`
            if checkpoint:
                checkpoint.write_if_due(first)
        if checkpoint:
            checkpoint.remove()

    def every_chunk(self, trials: Trials, finding: Finding[Answer]) -> Generator[tuple[Chunk, Answer], None, None]:
        """What is found of each chunk of a run, in their order."""
        yield from self._pass(trials, finding, lambda: None)

    def each(self, work: Callable[[Common, Given], Got], shared: Common, tasks: Iterable[Given], words: Callable[[Given], str],
             trials: int = 0) -> Iterator[tuple[Given, Got]]:
        """Every task with its answer, in their order.

        shared  what all tasks are given;  words  what a task is, for a message;  trials  how many each simulates
        """
        packed = Shared.of(shared)
        together = -(-len(packed.packed) // _SENT_WITH_EACH)
        yield from self._answers(_Job(work, packed), iter(tasks), words, lambda _: trials, together)

    def _pass(self, trials: Trials, always: Finding[Any] | None, now: Callable[[], Finding[Any] | None], begin: int = 0,
              room: Callable[[int], float] = lambda begun: math.inf) -> Iterator[tuple[Chunk, Any]]:
        """What is found of each stretch of trials from a position on.

        always, now  what is to be found: the same of all, or what it is when a stretch is begun
        room         how many more trials may be begun at a position now
        """
        begun, whole = begin, trials.simulation.trials

        def tasks() -> Iterator[tuple[Chunk, Finding[Any] | None]]:
            nonlocal begun
            while begun < whole:
                stretch = trials.stretch(begun, int(min(self._trials_of_a_task(whole - begun), room(begun))))
                begun += stretch.count
                yield stretch, now()

        for (stretch, _), found in self._answers(_Job(_find, Shared.of((trials, always))), tasks(), lambda task: _name(task[0]),
                                                 lambda task: task[0].count, 1, lambda: room(begun) > 0):
            yield stretch, found

    def _trials_of_a_task(self, left: int) -> float:
        """How many, so that no worker waits long for another at the end, and nobody for whoever takes the answers."""
        rate = self.tally.trials / self.tally.seconds if self.tally.seconds else 0.0
        longest = rate * max(_LONGEST, _LONGEST_BY_THREADS * self.threads)
        return max(_LEAST, min(left / (_LEFT_TO_SHARE * self.threads), longest))

    def _answers(self, job: _Job, tasks: Iterator[Given], words: Callable[[Given], str], trials: Callable[[Given], int],
                 together: int, may_begin: Callable[[], bool] = lambda: True) -> Iterator[tuple[Given, Any]]:
        """Every task with its answer, in their order; so many tasks are sent together."""
        waiting: deque[tuple[list[Given], _Future]] = deque()
        self.tally.begin()
        try:
            while True:
                while len(waiting) < _AHEAD * self.threads and (may_begin() or not waiting):
                    following = list(islice(tasks, together))
                    if not following:
                        break
                    waiting.append((following, self._begun(job, following)))
                if not waiting:
                    return
                self._wait_for(waiting[0][1])
                ready = list(takewhile(lambda given: given[1].done.is_set(), islice(waiting, _TOGETHER)))
                # One by one, each answer costs a round trip; where one of them failed, they are taken one by one all the same.
                got: list[Any] | None = None
                if len(ready) > 1:
                    with contextlib.suppress(Exception):
                        got = self._client.gather([future.of for _, future in ready])
                for position, (given, future) in enumerate(ready):
                    what = ", ".join(map(words, given))
                    done = _told(got[position] if got else self._result(job, given, future, what), what)
                    waiting.popleft()
                    future.of.release()
                    self.tally.add(done.worker, sum(map(trials, given)), done.seconds)
                    yield from zip(given, done.answers, strict=True)
        finally:
            for _, future in waiting:
                with contextlib.suppress(Exception):  # of a scheduler that is gone nothing can be taken back
                    future.of.cancel()

    def _begun(self, job: _Job, tasks: list[Any]) -> _Future:
        # Keys that make one group, which as it grows has its tasks wait at the scheduler for whichever worker is free.
        key = (job.name, next(job.numbers))
        future = _Future(self._client.submit(do, self._expected, job.work, job.shared, tasks, key=key), threading.Event())
        future.of.add_done_callback(lambda _: future.done.set())
        return future

    def _wait_for(self, future: _Future) -> None:
        """Wait for an answer as long as there is a scheduler. Raises ClusterError."""
        lost: float | None = None
        while not future.done.wait(_ANSWER):
            lost = None if self._client.status == "running" else lost or time.monotonic()
            if lost is not None and time.monotonic() - lost > _LOST_AFTER:
                raise self._gone()

    def _result(self, job: _Job, tasks: list[Any], future: _Future, what: str) -> Answered:
        """The answer of a task that is done. Raises ClusterError, or what the task itself raised."""
        from distributed import KilledWorker

        try:
            return self._answer(future)
        except KilledWorker:  # perhaps by a task beside it, which by now is given up: so once more
            again = self._begun(job, tasks)
            self._wait_for(again)
            try:
                return self._answer(again)
            except KilledWorker as error:
                died = 2 * (error.allowed_failures + 1)
                raise DeadlyTaskError(f"{what}: {died} workers that had it died, one after the other; it is not tried again. "
                                      "Their logs say why: out of memory, say") from None

    def _answer(self, future: _Future) -> Answered:
        from concurrent.futures import CancelledError

        from distributed.comm.core import CommClosedError

        try:
            answer: Answered = future.of.result()
            return answer
        except (CancelledError, CommClosedError, OSError):  # one that the task raised itself comes as an answer
            raise self._gone() from None

    def _gone(self) -> ClusterError:
        kept = "; what is finished is kept: run the same command again to go on" if self._checkpoints else ""
        return ClusterError(f"the scheduler at {self._address} is gone{kept}")


@contextlib.contextmanager
def cluster(address: str, threads: int = 0, checkpoints: Path | None = None) -> Iterator[Cluster]:
    """The workers of a scheduler at an address (tcp://…, or tls://… with Dask's own settings), or `local`: processes of this
    machine, as many as `threads`, or one a core where 0.

    Raises ClusterError where Dask is not installed, nobody answers, there are no workers, or theirs are other versions.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise ClusterError("--scheduler needs an extra: pip install 'tco-simulator[cluster]'") from None
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(_OF_DASK))
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
    found = client.run(versions_there)
    if not found:
        raise ClusterError(f"the scheduler at {address} has no workers; start some: dask worker {address}")
    own = own_versions()
    wrong = [f"{worker}: {differs}" for worker, theirs in sorted(found.items()) if (differs := differing(theirs, own))]
    if wrong:
        raise ClusterError("workers of other versions would give other results: " + "; ".join(wrong))


def _name(stretch: Chunk) -> str:
    return f"trials {stretch.first:,} to {stretch.first + stretch.count - 1:,} of replicate {stretch.replicate}"


def _told(answer: Answered, what: str) -> Done:
    """The answer; raises ClusterError where a worker would not give any, and what the task raised in place of one."""
    if isinstance(answer, Refused):
        raise ClusterError(answer.why)
    if isinstance(answer, Raised) and isinstance(answer.error, MemoryError):
        raise MemoryError(f"{what}, on a worker" + (f": {answer.error}" if str(answer.error) else ""))
    if isinstance(answer, Raised):
        raise answer.error
    return answer


def _find(shared: tuple[Trials, Finding[Any] | None], task: tuple[Chunk, Finding[Any] | None]) -> Any:
    """A task of a pass: what is found of a stretch."""
    trials, always = shared
    stretch, now = task
    finding = now or always
    assert finding is not None
    return find(trials, stretch, finding)
