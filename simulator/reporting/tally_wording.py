"""What workers elsewhere do, in words: while they do it, and when it is done."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.experiments.tally import Share, Tally
from simulator.reporting.wording import plural, short, to_digits

_MOST_WORKERS = 8  # each of which has a line


def in_passing(tally: Tally, threads: int) -> str:
    """Beside a bar: how many threads of workers there are, and how fast it goes."""
    return ", ".join((f"{plural(threads, 'thread')} elsewhere", *([_pace(tally.tasks, tally.trials, tally.elapsed)]
                                                                 if tally.elapsed else [])))


def in_words(tally: Tally) -> list[str]:
    """What was done by whom, a line each; nothing where nothing was."""
    shares = tally.shares()
    if not shares:
        return []
    whole = f"{plural(len(shares), 'worker')}: {plural(tally.tasks, 'task')}"
    trials = f" with {tally.trials:,} trials" if tally.trials else ""
    lines = [f"{whole}{trials} in {short(tally.elapsed, 3)} s: {_pace(tally.tasks, tally.trials, tally.elapsed)}"]
    if len(shares) == 1:
        return lines
    if len(shares) <= _MOST_WORKERS:
        return [*lines, *_one_by_one(shares, tally)]
    paces = sorted(shares, key=lambda share: _rate(share, tally))
    half = _MOST_WORKERS // 2
    return [*lines, "the fastest:", *_one_by_one(paces[:-half - 1:-1], tally), "the slowest:", *_one_by_one(paces[:half], tally)]


def _one_by_one(shares: list[Share], tally: Tally) -> Iterator[str]:
    for share in shares:
        yield (f"  worker {share.worker}: {_pace(share.tasks, share.trials, share.seconds)} at work, "
               f"{to_digits(100 * share.seconds / tally.elapsed, 2)} % of the time")


def _rate(share: Share, tally: Tally) -> float:
    return (share.trials if tally.trials else share.tasks) / share.seconds if share.seconds else 0.0


def _pace(tasks: int, trials: int, seconds: float) -> str:
    rate = (trials or tasks) / max(seconds, 1e-9)
    return f"{short(rate / 1e6, 3)} million trials/s" if trials and rate >= 1e6 else (
        f"{to_digits(rate)} {'trials' if trials else 'tasks'}/s")
