"""Sums whose last digit does not depend on how the work was divided.

Either blocks are added in a binary tree whose shape depends only on their positions: whole chunks (a power of two of blocks,
aligned) are nodes of that tree, so their sums can be formed apart and put together later. Or sums are exact: whole numbers of
the least double, rounded once at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from simulator.kernels.accumulators import LIMBS, add_exactly

Array = np.ndarray[Any, np.dtype[np.float64]]
Limbs = np.ndarray[Any, np.dtype[np.int64]]
Node = tuple[int, Array]  # level (the node covers 2^level blocks) and sum


def nodes_of(blocks: Array) -> list[Node]:
    """The tree's nodes over consecutive blocks, float64[blocks, …], beginning at a multiple of a power of two ≥ blocks."""
    found: list[Node] = []
    start, left = 0, len(blocks)
    while left:
        level = left.bit_length() - 1
        part = blocks[start:start + (1 << level)]
        while len(part) > 1:
            part = part[0::2] + part[1::2]
        found.append((level, part[0].copy()))  # the caller may use its blocks again
        start, left = start + (1 << level), left - (1 << level)
    return found


def joined(parts: Iterable[list[Node]]) -> list[Node]:
    """The nodes over the blocks of some nodes, which follow each other."""
    total = TreeSum()
    for nodes in parts:
        total.add(nodes)
    return total.nodes


class TreeSum:
    """Adds nodes in the order of their blocks."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    @property
    def nodes(self) -> list[Node]:
        """As few as stand for all blocks."""
        return list(self._nodes)

    def add(self, nodes: list[Node]) -> None:
        for node in nodes:
            self._nodes.append(node)
            while len(self._nodes) > 1 and self._nodes[-1][0] == self._nodes[-2][0]:
                level, right = self._nodes.pop()
                _, left = self._nodes.pop()
                self._nodes.append((level + 1, left + right))

    def total(self) -> Array:
        """The sum of all blocks."""
        result = self._nodes[-1][1]
        for _, left in reversed(self._nodes[:-1]):
            result = left + result
        return result


_LOW_HALF = 0xFFFFFFFF
_LEAST_BITS = 1074  # the least positive double is 2^−1074


def exact(value: float) -> int:
    """A finite double in units of the least positive one."""
    numerator, denominator = float(value).as_integer_ratio()
    return numerator * ((1 << _LEAST_BITS) // denominator)


def exact_sum(values: Array) -> int:
    """The sum of finite doubles, in units of the least positive one."""
    limbs = np.zeros(LIMBS, np.int64)
    add_exactly(np.ascontiguousarray(values), limbs)
    return sum_of_limbs(limbs)


def carried(limbs: Limbs) -> Limbs:
    """The same exact sums, int64[…, LIMBS], with room for 2³⁰ values more."""
    small = limbs & _LOW_HALF
    small[..., 1:] += limbs[..., :-1] >> 32
    small[..., -1] += limbs[..., -1] - (limbs[..., -1] & _LOW_HALF)
    return small


def sum_of_limbs(limbs: Limbs) -> int:
    """What `add_exactly` has added up, in units of the least positive double."""
    return sum(int(limbs[position]) << (32 * int(position)) for position in np.flatnonzero(limbs))


def rounded(total: int) -> float:
    """The double next to an exact sum; ±∞ beyond the largest."""
    try:
        return total / (1 << _LEAST_BITS)
    except OverflowError:
        return math.inf if total > 0 else -math.inf
