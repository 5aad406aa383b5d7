"""How much of the change from one study to another each changed input explains.

The first study is run with some of the changes, on common draws; a change's part is what it adds on average over the orders in
which they could be made (Shapley's value), so that parts add up to the whole, whatever the changes do to one another. Source:
Shapley, in Contributions to the Theory of Games II (1953); of two orders only, one the reverse of the other, it is exact where
changes interact at most in pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from simulator.analysis.intervals import Estimate, sectioning
from simulator.engine.run import run
from simulator.quantities import COST
from simulator.study.differences import WORLD, Change, Differences, between
from simulator.study.model import Study
from simulator.study.problems import StudyError
from simulator.study.reading import read_study

Array = np.ndarray[Any, np.dtype[np.float64]]
STATISTICS = ("mean", "p5", "p50", "p95")
MOST_FOR_ALL_SUBSETS = 6  # 64 runs
MOST_ALONE = 24  # changes beyond which those of one platform, or one block of the study, are one
_REPLICATES, _EACH = 32, 256


@dataclass(frozen=True)
class Part:
    """What one change (or several that are made together) explains, by (platform, statistic) [USD per million tokens].

    effect    its part of the whole
    first_in  made alone
    last_in   made when all others are
    """

    changes: tuple[Change, ...]
    effect: dict[tuple[str, str], Estimate]
    first_in: dict[tuple[str, str], Estimate]
    last_in: dict[tuple[str, str], Estimate]


@dataclass(frozen=True)
class Attribution:
    """Parts that add up to `whole`, the change of the cost per million tokens on common draws.

    method  "shapley" over all subsets, or "two orders": the changes as listed, and reversed
    """

    method: str
    trials: int
    whole: dict[tuple[str, str], Estimate]
    parts: tuple[Part, ...]


def attribute(first: Study, second: Study, found: Differences, threads: int = 0,
              progress: Callable[[float], None] | None = None) -> Attribution | None:
    """Attribute the change of each common platform's cost; None where nothing changed that it could depend on.

    progress  called with the share of the runs that are done, 0..1
    """
    changes = found.of_kind(WORLD)
    if not changes or not found.common:
        return None
    players = _players(first, second, found, changes)
    try:
        return _Game(first, second, found, players, threads, progress).attribution()
    except StudyError:  # some of the changes are not usable without others
        return _Game(first, second, found, (changes,), threads, progress).attribution()


def _players(first: Study, second: Study, found: Differences, changes: tuple[Change, ...]) -> tuple[tuple[Change, ...], ...]:
    """Changes that are made one by one, or together where they are many or one is not usable without others."""
    players: list[tuple[Change, ...]] = [(change,) for change in changes]
    if len(players) > MOST_ALONE:
        players = [tuple(change for change in changes if change.owner == owner)
                   for owner in dict.fromkeys(change.owner for change in changes)]

    def is_refused(made: Iterable[Change]) -> bool:
        try:
            read_study(between(first, second, found.common, made), first.name)
        except StudyError:
            return True
        return False

    bound = [player for player in players
             if is_refused(player) or is_refused(change for other in players if other is not player for change in other)]
    if bound:
        together = tuple(change for player in bound for change in player)
        players = [together if player is bound[0] else player for player in players if player is bound[0] or player not in bound]
    return tuple(players)


class _Game:
    """Costs by the set of changes that are made, each found once: float64[platforms × statistics, 1 + replicates]."""

    def __init__(self, first: Study, second: Study, found: Differences, players: Sequence[tuple[Change, ...]], threads: int,
                 progress: Callable[[float], None] | None) -> None:
        self._first, self._second, self._found, self._players, self._threads = first, second, found, players, threads
        self._known: dict[frozenset[int], Array] = {}
        self._keys = [(name, statistic) for name in found.common for statistic in STATISTICS]
        self._progress = progress
        n = len(players)
        self._count = 1 << n if n <= MOST_FOR_ALL_SUBSETS else 4 * n - 4

    def attribution(self) -> Attribution:
        n = len(self._players)
        everything = frozenset(range(n))
        effects = self._of_all_subsets() if n <= MOST_FOR_ALL_SUBSETS else self._of_two_orders()
        start, end = self._costs(frozenset()), self._costs(everything)
        parts = tuple(Part(player, self._estimates(effects[i]), self._estimates(self._costs(frozenset({i})) - start),
                           self._estimates(end - self._costs(everything - {i}))) for i, player in enumerate(self._players))
        return Attribution("shapley" if n <= MOST_FOR_ALL_SUBSETS else "two orders", _REPLICATES * _EACH,
                           self._estimates(end - start), parts)

    def _of_all_subsets(self) -> list[Array]:
        n = len(self._players)
        effects = [np.zeros_like(self._costs(frozenset())) for _ in range(n)]
        for i, effect in enumerate(effects):
            others = [k for k in range(n) if k != i]
            for made in (frozenset(found) for size in range(n) for found in combinations(others, size)):
                effect += (self._costs(made | {i}) - self._costs(made)) / (n * math.comb(n - 1, len(made)))
        return effects

    def _of_two_orders(self) -> list[Array]:
        n = len(self._players)
        effects = [np.zeros_like(self._costs(frozenset())) for _ in range(n)]
        for order in (range(n), range(n - 1, -1, -1)):
            made: frozenset[int] = frozenset()
            for i in order:
                effects[i] += (self._costs(made | {i}) - self._costs(made)) / 2
                made = made | {i}
        return effects

    def _costs(self, made: frozenset[int]) -> Array:
        if made not in self._known:
            changes = (change for i in sorted(made) for change in self._players[i])
            study = read_study(between(self._first, self._second, self._found.common, changes), self._first.name)
            simulation = replace(self._first.simulation, horizon=study.simulation.horizon, replicates=_REPLICATES,
                                 trials=_REPLICATES * _EACH)
            done = run(replace(study, simulation=simulation), self._threads, costs_alone=True)
            estimates = [done.estimate(name, COST.name, statistic) for name, statistic in self._keys]
            self._known[made] = np.array([[each.value, *_by_replicate(each)] for each in estimates])
            if self._progress:
                self._progress(min(len(self._known) / self._count, 1.0))
        return self._known[made]

    def _estimates(self, found: Array) -> dict[tuple[str, str], Estimate]:
        return {key: sectioning(row[0], row[1:]) for key, row in zip(self._keys, found, strict=True)}


def _by_replicate(estimate: Estimate) -> Array:
    assert estimate.by_replicate is not None, "a run knows its costs by replicate"
    return estimate.by_replicate
