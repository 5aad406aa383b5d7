"""Worker processes: one that dies takes its task with it and no other."""

import os
import signal
import time
from dataclasses import dataclass

import pytest

from simulator.experiments.workers import Died, Workers


@dataclass(frozen=True)
class Square:
    """A task: a square, but the death of the worker for a negative number."""

    number: int
    seconds: float = 0.0

    def do(self, threads, progress):
        if self.number == -1:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.number == -2:
            os._exit(7)
        for step in range(4):
            progress(step / 4)
            time.sleep(self.seconds / 4)
        return self.number**2, os.getpid(), threads


def test_a_dead_worker_is_an_answer_and_the_others_go_on():
    shares = []
    with Workers(1, 2) as workers:
        found = dict(workers.answers(map(Square, [2, -1, 3, -2, 4, 5]), lambda task, share: shares.append(share)))
        processes = {answer[1] for answer in found.values() if not isinstance(answer, Died)}
    assert {task.number: answer[0] for task, answer in found.items() if task.number > 0} == {2: 4, 3: 9, 4: 16, 5: 25}
    assert "was killed (SIGKILL); the system may be out of memory" in str(found[Square(-1)])
    assert "ended with status 7" in str(found[Square(-2)])
    assert len(processes) == 3 and set(shares) <= {0.0, 0.25, 0.5, 0.75} and shares
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_the_first_alone_then_all_and_the_last_ones_share_the_threads():
    begun = []
    with Workers(2, 4) as workers:
        for task, (_, process, threads) in workers.answers([Square(n, 0.3) for n in range(4)], first_alone=True):
            begun.append((task.number, process, threads))
    assert begun[0][0] == 0 and len({process for _, process, _ in begun}) == 2
    assert sorted(threads for *_, threads in begun) in ([2, 2, 2, 2], [2, 2, 2, 4])


def test_what_is_dropped_is_not_begun():
    done = []
    with Workers(1, 1) as workers:
        for task, _ in workers.answers(map(Square, range(5))):
            done.append(task.number)
            if task.number == 1:
                assert [left.number for left in workers.drop()] == [2, 3, 4]
    assert done == [0, 1]
