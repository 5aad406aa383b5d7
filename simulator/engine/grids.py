"""Bins into which results are counted: even in the bit patterns of the values, or in the values where they change sign."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.kernels.accumulators import EVEN_ZERO, count_bins, order_keys, pick, position_of

Array = np.ndarray[Any, np.dtype[np.float64]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

_FIRST_KEY, _LAST_KEY = 0x000FFFFFFFFFFFFF, 0xFFF0000000000000  # of −∞ and ∞
_WIDEST = 1e300
_BODY = (0.02, 0.98)  # the share of a pilot that even bins are laid over; the rest goes into the outermost


@dataclass(frozen=True)
class Grid:
    """Bins over positions: bin 0 is below `low`, then 2^shift positions each, the last bin takes all above.

    per_unit  0: a value's position is its order key, so that bins are of about equal relative width. Else a power of two: its
              position is the number of whole 1 / per_unit in it, so that they are of equal width, also about zero, where bins of
              equal relative width would be countless.
    """

    low: int
    shift: int
    bins: int
    per_unit: float = 0.0

    def count(self, values: Array, counts: Counts) -> None:
        """Add the values to counts, int64[bins]."""
        count_bins(values, np.uint64(self.low), self.shift, self.per_unit, counts)

    def pick(self, values: Array, flags: np.ndarray[Any, np.dtype[np.bool_]], room: Array) -> Array:
        """The values that fall in flagged bins, bool[bins]; they stand in `room`."""
        return room[:pick(values, np.uint64(self.low), self.shift, self.per_unit, flags, room)]

    def bin_of(self, key: int) -> int:
        """The bin of the value with an order key."""
        at = position_of(value_of(key), self.per_unit) if self.per_unit else key
        return 0 if at < self.low else min(((at - self.low) >> self.shift) + 1, self.bins - 1)

    def first_key(self, position: int) -> int:
        """The least order key of a bin."""
        return _FIRST_KEY if position == 0 else self._edge(self.low + ((position - 1) << self.shift))

    def last_key(self, position: int) -> int:
        """The largest order key of a bin."""
        return _LAST_KEY if position == self.bins - 1 else self._edge(self.low + (position << self.shift)) - 1

    def _edge(self, at: int) -> int:
        return int(keys_of(np.array([(at - EVEN_ZERO) / self.per_unit]))[0]) if self.per_unit else at


def grid_about(values: Array, bins: int) -> Grid:
    """Bins for results of which some values are known."""
    if values.min() < 0 < values.max():
        low, high = (float(end) for end in np.quantile(values, _BODY))
        width = 1.5 * (high - low) / (bins - 2)
        # Bins of a millionth of the values, or none at all, would be a spread of rounding errors.
        if max(-low, high) * 1e-9 < width < _WIDEST:
            per_unit = 2.0 ** -(math.frexp(width)[1])  # of bins not narrower than that
            return Grid(EVEN_ZERO + math.floor((low - 0.25 * (high - low)) * per_unit), 0, bins, per_unit)
    keys = keys_of(values)
    low, high = int(keys.min()), int(keys.max())
    margin = (high - low) // 4 + bins // 4  # of a constant, few enough for bins of a single key
    return grid_between(max(low - margin, _FIRST_KEY), min(high + margin, _LAST_KEY), bins)


def grid_between(low: int, high: int, bins: int) -> Grid:
    """Bins of equal relative width between two order keys."""
    return Grid(low, min(((high - low) // (bins - 2)).bit_length(), 63), bins)


def keys_of(values: Array) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The order keys of values."""
    keys = np.empty(values.size, np.uint64)
    order_keys(np.ascontiguousarray(values), keys)
    return keys


def value_of(key: int) -> np.float64:
    """The double with an order key."""
    bits = key ^ (1 << 63) if key >> 63 else key ^ ((1 << 64) - 1)
    return np.float64(np.uint64(bits).view(np.float64))
