"""A study as frozen data. To change one is to make another (`Study.with_inputs`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.quantities import ALTERNATIVES, INPUTS, NEEDLESS_WITHOUT, RENT_DEFAULTS, Quantity
from simulator.study.distributions import Marginal
from simulator.study.document import Document
from simulator.study.frontier import Frontier
from simulator.study.problems import Place
from simulator.study.published import Published

_BY_DEFAULT = Place("default")


@dataclass(frozen=True)
class Evidence:
    """Where a number comes from: source, date, grade (primary, analyst, weak, judgement) and note."""

    source: str = ""
    date: str = ""
    grade: str = ""
    note: str = ""


@dataclass(frozen=True)
class Process:
    """A monthly price, mean-reverting in logs, and what is paid of it; each parameter may be uncertain.

    median, delivery [price]; reversion_rate [1/year]; volatility [1/√year]; hedged_share [1]
    start   first price, None where it is the median
    strike  price of the hedge, None where it is the stationary mean of the process
    """

    median: Marginal
    reversion_rate: Marginal
    volatility: Marginal
    delivery: Marginal
    hedged_share: Marginal
    start: Marginal | None
    strike: Marginal | None

    def parameters(self) -> dict[str, Marginal]:
        """The parameters that are given, by name."""
        named = {"median": self.median, "reversion_rate": self.reversion_rate, "volatility": self.volatility,
                 "delivery": self.delivery, "hedged_share": self.hedged_share, "start": self.start, "strike": self.strike}
        return {name: marginal for name, marginal in named.items() if marginal is not None}


@dataclass(frozen=True)
class Input:
    """One input as the study gives it. `path` names it everywhere: `shared.utilization`."""

    path: str
    quantity: Quantity
    value: Marginal | Process
    evidence: Evidence = Evidence()
    place: Place = _BY_DEFAULT

    @property
    def is_constant(self) -> bool:
        return isinstance(self.value, Marginal) and self.value.is_constant


@dataclass(frozen=True)
class OperatingPoint:
    """What the throughput was measured at. Tokens are per request; interactivity is in token/s/user."""

    model: str = ""
    precision: str = ""
    interactivity: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    token_basis: str = ""


@dataclass(frozen=True)
class Platform:
    """A platform with every input it uses, its own or shared, by name; `factors` are sorted by name.

    frontier  the measured trade between interactivity and throughput, where the study gives it
    """

    name: str
    label: str
    vendor: str
    ownership: str
    operating_point: OperatingPoint | None
    inputs: Mapping[str, Input]
    factors: tuple[Input, ...]
    peak_flops_basis: str = ""
    frontier: Frontier | None = None

    def not_modelled(self) -> tuple[str, ...]:
        """Names of the inputs that were left out and are neutral: rates and money 0, factors 1."""
        left_out = [q.name for q in INPUTS if q.neutral is not None and q.ownership in ("any", self.ownership)
                    and q.name not in self.inputs and q.name not in RENT_DEFAULTS and not self._is_moot(q.name)]
        return tuple(left_out if self.factors else ["throughput_factors", *left_out])

    def _is_moot(self, name: str) -> bool:
        """Whether an input that was left out would say nothing here: its quantity is absent, or its alternative is there."""
        return (name in NEEDLESS_WITHOUT and NEEDLESS_WITHOUT[name] not in self.inputs) or ALTERNATIVES.get(name) in self.inputs


@dataclass(frozen=True)
class Simulation:
    """How the study is simulated. `trials` are over all replicates; `horizon` is in years."""

    trials: int = 65536
    replicates: int = 32
    sampler: str = "sobol"
    seed: int = 0
    horizon: float = 15.0

    @property
    def trials_per_replicate(self) -> int:
        return self.trials // self.replicates


@dataclass(frozen=True)
class Study:
    """A study that is right in itself. `document` is the resolved tree from which it was read."""

    name: str
    description: str
    simulation: Simulation
    platforms: tuple[Platform, ...]
    digest: str
    warnings: tuple[str, ...]
    document: Document = field(repr=False, compare=False)
    published: tuple[Published, ...] = ()

    def inputs(self) -> dict[str, Input]:
        """Every input in use, by path."""
        found: dict[str, Input] = {}
        for platform in self.platforms:
            for given in (*platform.inputs.values(), *platform.factors):
                found[given.path] = given
        return found

    def with_inputs(self, values: Mapping[str, Any]) -> Study:
        """A copy with values replaced, by path: `{"shared.utilization": 0.5}`. Raises StudyError."""
        from simulator.study.loading import with_values
        from simulator.study.reading import read_study

        return read_study(with_values(self.document, values), self.name)
