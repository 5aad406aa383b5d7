"""What workers did, in words."""

import pytest

from simulator.experiments import tally as tally_module
from simulator.experiments.tally import Tally
from simulator.reporting.tally_wording import in_passing, in_words


@pytest.fixture
def counted(monkeypatch):
    """A tally of some (worker, trials, seconds) that took 10 s."""
    def make(*done):
        now = iter([100.0, *[110.0] * len(done)])
        monkeypatch.setattr(tally_module.time, "monotonic", lambda: next(now))
        tally = Tally()
        tally.begin()
        for worker, trials, seconds in done:
            tally.add(worker, trials, seconds)
        return tally
    return make


def test_nothing_is_said_where_nothing_was_done():
    assert in_words(Tally()) == [] and in_passing(Tally(), 1) == "1 thread elsewhere"


def test_one_worker_has_one_line(counted):
    tally = counted(("tcp://a:1", 6_000_000, 9.0), ("tcp://a:1", 6_345_678, 0.5))
    assert in_words(tally) == ["1 worker: 2 tasks with 12,345,678 trials in 10 s: 1.23 million trials/s"]
    assert in_passing(tally, 2) == "2 threads elsewhere, 1.23 million trials/s"


def test_each_worker_has_its_pace_while_it_worked_and_how_much_of_the_time_it_did(counted):
    assert in_words(counted(("b", 1000, 5.0), ("a", 5_000_000, 8.0))) == [
        "2 workers: 2 tasks with 5,001,000 trials in 10 s: 500,000 trials/s",
        "  worker a: 625,000 trials/s at work, 80 % of the time",
        "  worker b: 200 trials/s at work, 50 % of the time"]


def test_where_trials_are_not_counted_tasks_are(counted):
    assert in_words(counted(("a", 0, 4.0), ("a", 0, 4.0), ("b", 0, 2.0)))[0] == "2 workers: 3 tasks in 10 s: 0.300 tasks/s"


def test_of_many_the_fastest_and_the_slowest(counted):
    lines = in_words(counted(*((f"w{k}", 1000 * k, 5.0) for k in range(1, 101))))
    assert len(lines) == 11 and lines[1] == "the fastest:" and lines[6] == "the slowest:"
    assert [line.split(":")[0].split()[-1] for line in (*lines[2:6], *lines[7:])] == [
        "w100", "w99", "w98", "w97", "w1", "w2", "w3", "w4"]
