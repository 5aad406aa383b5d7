"""Work on a cluster: workers against threads of one process, what a task costs, and a scheduler with a thousand workers.

The thousand are workers in all but their work: each sleeps for as long as a task would take. Two processes of this machine play
them, beside the scheduler and whoever asks, so a scheduler on a machine of its own does better.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

import simulator
from benchmarks.measuring import STUDY, Goal, Row, Section, Timing, duration, per_second, seconds
from simulator.engine.run import run
from simulator.experiments.cluster import Cluster, cluster
from simulator.experiments.task_of_worker import own_versions

_NOTHING = 3000  # tasks
_PLAYERS = 2  # processes that play workers
_QUIET = {"distributed.worker.profile.enabled": False, "distributed.worker.memory.terminate": False,
          "distributed.worker.memory.pause": False, "distributed.admin.system-monitor.interval": "60s"}


def scale(trials: int, rounds: int, workers: tuple[int, ...]) -> Section:
    """Speed with 1, 2 and 4 workers, and with two threads; what a task costs; and simulated clusters of some sizes."""
    study = simulator.load(STUDY, overrides=[f"simulation.trials={trials}"])
    warm = simulator.load(STUDY, overrides=["simulation.trials=1000000"])
    run(warm, threads=2)
    times: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        clusters = {count: stack.enter_context(cluster("local", count)) for count in (1, 2, 4)}
        for on in clusters.values():
            run(warm, elsewhere=on)
        for _ in range(rounds):
            times.setdefault("threads", []).append(seconds(lambda: run(study, threads=2)))
            for count, on in clusters.items():
                times.setdefault(str(count), []).append(seconds(lambda on=on: run(study, elsewhere=on)))
        each = [seconds(lambda: list(clusters[2].each(_sleep, study, [0.0] * _NOTHING, str))) / _NOTHING for _ in range(rounds)]
    best = {name: min(found) for name, found in times.items()}
    what = f"{study.simulation.trials:,} trials"
    rows = [Row(f"two workers of one thread, {what}", per_second(study.simulation.trials, best["2"]),
                f"one worker, {per_second(study.simulation.trials, best['1'])}", best["1"] / best["2"], Goal(1.7)),
            Row(f"time of two workers, {what}", duration(best["2"]), f"two threads in process, {duration(best['threads'])}",
                best["2"] / best["threads"], Goal(1.1, at_least=False)),
            Row(f"four workers, {what}", per_second(study.simulation.trials, best["4"]),
                f"one worker, {per_second(study.simulation.trials, best['1'])}", best["1"] / best["4"]),
            Row("a task that does nothing, with the study it is given, to two workers", duration(min(each)))]
    rows += [_simulated(count, nap=5.0, tasks=4 * count) for count in workers]
    return Section(rows, [Timing(tuple(found)) for found in (*times.values(), each)])


def _sleep(_: object, nap: float) -> None:
    time.sleep(nap)


def _simulated(count: int, nap: float, tasks: int) -> Row:
    """How long a cluster of some size takes for tasks of some length, against what it would take if nothing else did."""
    with _played(count) as on:
        list(on.each(_sleep, None, [0.0] * count, str))
        took = seconds(lambda: list(on.each(_sleep, None, [nap] * tasks, str)))
    least = nap * tasks / count
    return Row(f"{count:,} simulated workers, {tasks:,} tasks of {nap:g} s", duration(took),
               f"without overhead, {duration(least)}", took / least)


@contextlib.contextmanager
def _played(count: int) -> Iterator[Cluster]:
    from distributed import Client, LocalCluster

    here: Any = LocalCluster
    connect: Any = Client
    spawn = multiprocessing.get_context("spawn")
    with (here(n_workers=0, dashboard_address=":0", silence_logs=logging.CRITICAL) as place,
          connect(place, set_as_default=False) as client):
        players = [spawn.Process(target=_play, args=(place.scheduler_address, count // _PLAYERS), daemon=True)
                   for _ in range(_PLAYERS)]
        for player in players:
            player.start()
        try:
            client.wait_for_workers(count, timeout=300)
            yield Cluster(client, place.scheduler_address)
        finally:
            for player in players:
                player.kill()


def _play(address: str, count: int) -> None:
    """Be some workers of one thread each."""
    import dask
    from distributed import Worker

    own_versions()  # once, and not by all of them at the same time
    dask.config.set(_QUIET)
    logging.disable(logging.CRITICAL)

    async def play() -> None:
        workers = [Worker(address, nthreads=1, memory_limit=0, dashboard=False) for _ in range(count)]
        await asyncio.gather(*workers)
        await asyncio.gather(*(worker.finished() for worker in workers))

    asyncio.run(play())
