"""Which trial an order statistic is: its value, and where among all trials it was drawn; in constant memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simulator.engine.selection import Wanted
from simulator.engine.selection_in_one_pass import OnePass
from simulator.engine.trials import Chunk, Trials

Array = np.ndarray[Any, np.dtype[np.float64]]
Step = Callable[[], None]


def order_statistics(trials: Trials, row: int, levels: Sequence[float], step: Step) -> list[float]:
    """The quantiles x_(⌈np⌉) of a ranked row over all trials, as a run reports them; p = 0 and 1 are the ends.

    step  called after each chunk of a pass
    """
    wanted = [Wanted(row, level) for level in levels]
    simulation = trials.simulation
    ranking = OnePass(list(dict.fromkeys(wanted)), simulation.replicates, simulation.trials_per_replicate)
    for chunk, found in trials.each(ranking.see):
        ranking.add(chunk, found)
        step()
    selected = ranking.select(trials, lambda _: step())
    return [selected[want].pooled for want in wanted]


def first_trials(trials: Trials, row: int, values: Sequence[float], step: Step) -> dict[float, tuple[int, int]]:
    """Replicate and number, both from 0, of the first trial whose row has exactly a value, by value.

    Replicate 0 comes before replicate 1. A value that no trial has is left out.
    """
    wanted = set(values)
    found: dict[float, tuple[int, int]] = {}

    def look(_: Chunk, results: Array) -> dict[float, int]:
        return {value: int(np.argmax(equal)) for value in wanted if (equal := results[row] == value).any()}

    with contextlib.closing(trials.each(look)) as passing:
        for chunk, positions in passing:
            for value, position in positions.items():
                found.setdefault(value, (chunk.replicate, chunk.first + position))
            step()
            if len(found) == len(wanted):
                break
    return found


def standing(trials: Trials, row: int, value: float, step: Step) -> float:
    """The share of all trials whose row lies below a value, with half of those that equal it."""
    below, up_to = 0, 0

    def count(_: Chunk, results: Array) -> tuple[int, int]:
        return int(np.count_nonzero(results[row] < value)), int(np.count_nonzero(results[row] <= value))

    for _, (less, not_above) in trials.each(count):
        below, up_to = below + less, up_to + not_above
        step()
    return (below + up_to) / (2 * trials.simulation.trials)
