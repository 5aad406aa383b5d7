"""What the methods say of each input of one output, side by side, the one that matters most first: tables and charts show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.everything import Sensitivity
from simulator.experiments.sensitivity.one_at_a_time import Bar
from simulator.experiments.sensitivity.outputs import LOG_COST, LOG_RATIO, Output
from simulator.quantities import COST


@dataclass(frozen=True)
class InputRow:
    """One input; None where a method says nothing of it.

    variance          its Shapley effect: a share of the variance; `tail` one of the tail
    first, total      Sobol' indices
    rank_correlation  Spearman's coefficient
    """

    input: str
    bar: Bar | None = None
    variance: Estimate | None = None
    tail: Estimate | None = None
    first: Estimate | None = None
    total: Estimate | None = None
    rank_correlation: Estimate | None = None

    def has_part(self) -> bool:
        """Whether the input has any part in the output; correlation by chance is none where a method tells causes."""
        shares = [share for share in (self.variance, self.total) if share]
        known = shares or ([self.rank_correlation] if self.rank_correlation else [])
        return self.bar is not None or any(one.value or one.standard_error for one in known)

    def size(self) -> tuple[float, ...]:
        """By how much it matters, by the first method that says so of all of them."""
        by_variance = [estimate.value if estimate else -1.0 for estimate in (self.variance, self.total)]
        rank = abs(self.rank_correlation.value) if self.rank_correlation else -1.0
        return *by_variance, self.bar.swing if self.bar else -1.0, rank


@dataclass(frozen=True)
class Drivers:
    """What drives one output; an input that has no part in it is no row.

    of_log  whether variance is that of the logarithm, since a few trials carry all of the output's own
    groups  (group, share of the variance, share of the tail), the largest first
    """

    rows: tuple[InputRow, ...]
    of_log: bool
    groups: tuple[tuple[str, Estimate, Estimate | None], ...]


def drivers_of_platform(found: Sensitivity, position: int) -> Drivers:
    """What drives a platform's cost."""
    name = found.study.platforms[position].name
    cost, log = Output(COST.name, name), Output(LOG_COST, name)
    own = any(effect.output == cost and effect.of == "variance" and effect.shares for effect in found.shapley)
    own |= any(indices.output == cost and indices.first for indices in found.sobol)
    of_log = bool(found.shapley or found.sobol) and not own
    return _drivers(found, log if of_log else cost, cost, found.tornado(position), of_log)


def own_rows(found: Sensitivity, drivers: Drivers, name: str) -> tuple[tuple[InputRow, ...], tuple[InputRow, ...]]:
    """Rows of inputs that a platform has, and of those of other platforms, which have a share by what correlates with them."""
    own = {given.path for platform in found.study.platforms if platform.name == name for given in platform.all_inputs()}
    others = tuple(platform.name for platform in found.study.platforms if platform.name != name)

    def is_foreign(row: InputRow) -> bool:
        return row.input not in own and any(row.input.startswith(f"platforms.{other}.") for other in others)

    return (tuple(row for row in drivers.rows if not is_foreign(row)), tuple(row for row in drivers.rows if is_foreign(row)))


def drivers_of_pair(found: Sensitivity, pair: tuple[int, int]) -> Drivers:
    """What drives the ratio of a pair (later, earlier)."""
    output = Output(LOG_RATIO, found.study.pair_name(pair))
    return _drivers(found, output, output, found.tornado(*pair), True)


def _drivers(found: Sensitivity, output: Output, whole: Output, bars: Sequence[Bar], of_log: bool) -> Drivers:
    variance, tail = (_shares(found, "shapley", one, of) for one, of in ((output, "variance"), (whole, "tail")))
    by_group, tails = (_shares(found, "shapley_groups", one, of) for one, of in ((output, "variance"), (whole, "tail")))
    sobol = next((one for one in found.sobol if one.output == output and one.first), None)
    first = dict(zip(sobol.players, sobol.first, strict=True)) if sobol else {}
    total = dict(zip(sobol.players, sobol.total, strict=True)) if sobol else {}
    ranks = {one.input: one.value for measures in found.measures if measures.output == whole for one in measures.rank_correlation}
    swings = {bar.input: bar for bar in bars}
    # Parameters of a process have bars of their own, but are part of the process for all others: they are told with bars only.
    names = variance or total or swings or ranks
    rows = (InputRow(name, swings.get(name), variance.get(name), tail.get(name), first.get(name), total.get(name),
                     ranks.get(name)) for name in names)
    groups = sorted(((name, share, tails.get(name)) for name, share in by_group.items()), key=lambda group: -group[1].value)
    return Drivers(tuple(sorted(filter(InputRow.has_part, rows), key=InputRow.size, reverse=True)), of_log, tuple(groups))


def _shares(found: Sensitivity, which: str, output: Output, of: str) -> dict[str, Estimate]:
    """Shapley effects of an output by input or group."""
    return {name: share for effect in getattr(found, which) if (effect.output, effect.of) == (output, of)
            for name, share in zip(effect.players, effect.shares, strict=bool(effect.shares))}
