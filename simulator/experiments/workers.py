"""Worker processes that take tasks one after another. One that dies takes its task with it, and no other.

Processes and not threads: reading, estimating and writing a small study are mostly Python, which runs in one thread at a time;
and a study that needs more memory than there is ends its own process alone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar

_REPORT_EVERY = 0.1  # seconds


class Task(Protocol):
    """What is done in a worker; it and its answer are sent between processes."""

    def do(self, threads: int, progress: Callable[[float], None]) -> Any:
        """Do it. `progress` is to be called with the share that is done."""
        ...


AnyTask = TypeVar("AnyTask", bound=Task)


@dataclass(frozen=True)
class Died:
    """What comes in place of an answer where a worker ended in the middle of a task: its exit status, −n for signal n."""

    status: int | None

    def __str__(self) -> str:
        if self.status is not None and self.status < 0:
            name = signal.Signals(-self.status).name
            return f"its process was killed ({name})" + ("; the system may be out of memory" if name == "SIGKILL" else "")
        return f"its process ended with status {self.status}"


@dataclass(frozen=True)
class _Progress:
    share: float


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    connection: Connection


class Workers:
    """At most `count` processes, with `threads` threads in all. Start none before there is work; end all on leaving."""

    def __init__(self, count: int, threads: int) -> None:
        self._count, self._threads = count, threads
        self._free: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Any]] = {}
        self._waiting: deque[Any] = deque()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in (*self._free, *(worker for worker, _ in self._busy.values())):
            worker.process.kill()
            worker.process.join()
            worker.connection.close()
        self._free, self._busy = [], {}

    def answers(self, tasks: Iterable[AnyTask], progress: Callable[[AnyTask, float], None] | None = None,
                first_alone: bool = False) -> Iterator[tuple[AnyTask, Any]]:
        """Each task with its answer, or with `Died`, in the order in which they are done.

        first_alone  the second is not begun before the first is done
        """
        self._waiting = deque(tasks)
        wanted = 1 if first_alone else self._count
        while self._waiting or self._busy:
            while self._waiting and len(self._busy) < wanted:
                self._give(self._waiting.popleft())
            for ready in wait(list(self._busy)):
                connection = ready
                assert isinstance(connection, Connection)
                worker, task = self._busy[connection]
                try:
                    message = connection.recv()
                except (EOFError, OSError):
                    worker.process.join()
                    message = Died(worker.process.exitcode)
                if isinstance(message, _Progress):
                    if progress:
                        progress(task, message.share)
                    continue
                del self._busy[connection]
                if isinstance(message, Died):
                    connection.close()
                else:
                    self._free.append(worker)
                wanted = self._count
                yield task, message

    def drop(self) -> list[Any]:
        """Begin no further task; return those that were not begun."""
        left = list(self._waiting)
        self._waiting.clear()
        return left

    def _give(self, task: Any) -> None:
        worker = self._free.pop() if self._free else _started()
        self._busy[worker.connection] = worker, task
        # The last ones share the threads that the others no longer need.
        together = min(self._count, len(self._busy) + len(self._waiting))
        with contextlib.suppress(OSError):  # dead already: so its end of the pipe says when it is read
            worker.connection.send((task, max(1, self._threads // together)))


def _started() -> _Worker:
    # Spawned, since a fork after threads may hang.
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_serve, args=(its,), daemon=True)
    with _no_interrupts():
        process.start()
    its.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C in a terminal reaches every process: a worker that starts now is never to see it, and we see it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection) -> None:
    """What a worker does: tasks, until it is told to end or nobody is there to tell it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    said = 0.0

    def progress(share: float) -> None:
        nonlocal said
        if time.monotonic() - said > _REPORT_EVERY:
            said = time.monotonic()
            connection.send(_Progress(share))

    with contextlib.suppress(EOFError, OSError):
        while True:
            task, threads = connection.recv()
            connection.send(task.do(threads, progress))


def _end_with_parent() -> None:
    """End at once when the parent does, however it does: nobody waits for the answer, and another batch may have begun."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
