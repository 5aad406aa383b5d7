"""A distribution drawn small, to stand in a line of a table."""

from __future__ import annotations

import numpy as np

from simulator.reporting.charts import BLUE, INK
from simulator.study.families import Marginal

_WIDTH, _HEIGHT, _BINS, _POINTS = 84, 18, 24, 120
_ENDS = (0.005, 0.995)


def spark(marginal: Marginal) -> str:
    """SVG of the density between P0.5 and P99.5 with the median as a line; nothing of a certain number."""
    if marginal.is_constant:
        return ""
    values = np.array([marginal.quantile((k + 0.5) / _POINTS) for k in range(_POINTS)])
    low, high = (marginal.quantile(p) for p in _ENDS)
    if not high > low:
        return ""
    counts, _ = np.histogram(np.clip(values, low, high), bins=_BINS, range=(low, high))
    heights = (_HEIGHT - 3) * counts / counts.max()
    step = _WIDTH / _BINS
    tops = " ".join(f"{k * step:.1f},{_HEIGHT - 1 - height:.1f} {(k + 1) * step:.1f},{_HEIGHT - 1 - height:.1f}"
                    for k, height in enumerate(heights))
    middle = _WIDTH * (marginal.quantile(0.5) - low) / (high - low)
    return (f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true">'
            f'<polygon points="0,{_HEIGHT - 1} {tops} {_WIDTH},{_HEIGHT - 1}" fill="{BLUE}" fill-opacity="0.35"/>'
            f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="1" y2="{_HEIGHT - 1}" stroke="{INK}" stroke-width="1.4"/></svg>')
