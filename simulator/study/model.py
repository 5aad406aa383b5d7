"""A study as frozen data. To change one is to make another (`Study.with_inputs`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any

from simulator.quantities import (
    ALTERNATIVES,
    FOR_PRICES_ONLY,
    INPUTS,
    NEEDLESS_WITHOUT,
    RENT_DEFAULTS,
    WORDS,
    Quantity,
)
from simulator.study.correlations import Correlations
from simulator.study.document import ASKED_BESIDE, Document, Setting
from simulator.study.families import Marginal
from simulator.study.frontier import Frontier
from simulator.study.plan import TokenPlan
from simulator.study.problems import Path, Place
from simulator.study.published import Published
from simulator.study.reader import DataFile
from simulator.study.sensitivity import SensitivityChoice

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

    parameters  by name: median, delivery [price]; reversion_rate [1/year]; volatility [1/√year]; hedged_share [1];
                start [price], else it is the median; strike [price] of the hedge, else it is the stationary mean of the
                process; jumps.rate [1/year], jumps.mean and jumps.sd (of the log)
    starts_anywhere  whether the first price is drawn from the stationary distribution
    """

    parameters: Mapping[str, Marginal]
    starts_anywhere: bool = False

    @property
    def has_jumps(self) -> bool:
        return "jumps.rate" in self.parameters


@dataclass(frozen=True)
class Input:
    """One input as the study gives it. `path` names it everywhere: `shared.utilization`.

    is_nominal  whether a rate is stated in nominal money
    kind        "claim" or "measured" where the study has both, else ""
    """

    path: str
    quantity: Quantity
    value: Marginal | Process
    evidence: Evidence = Evidence()
    place: Place = _BY_DEFAULT
    is_nominal: bool = False
    kind: str = ""

    @property
    def is_constant(self) -> bool:
        return isinstance(self.value, Marginal) and self.value.is_constant

    @property
    def is_stated(self) -> bool:
        """Whether the study gives it, rather than a default standing for it."""
        return self.place != _BY_DEFAULT


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
    depreciation: str = WORDS["depreciation"][0]
    attrition: str = WORDS["attrition"][0]
    frontier: Frontier | None = None

    @property
    def has_token_price(self) -> bool:
        return "token_price" in self.inputs or "output_token_price" in self.inputs

    @property
    def token_mix(self) -> tuple[float, float] | None:
        """Input and output tokens to a counted one; None where the operating point does not say."""
        point = self.operating_point
        if point is None or not point.input_tokens or not point.output_tokens or not point.token_basis:
            return None
        counted = point.output_tokens + (point.input_tokens if point.token_basis == "total" else 0)
        return point.input_tokens / counted, point.output_tokens / counted

    @property
    def tokens_per_output_token(self) -> float | None:
        """Counted tokens to an output token, where all tokens are counted; None where they are not."""
        point = self.operating_point
        if point is None or not point.input_tokens or not point.output_tokens or point.token_basis != "total":
            return None
        return (point.input_tokens + point.output_tokens) / point.output_tokens

    def all_inputs(self) -> tuple[Input, ...]:
        """Inputs and throughput factors."""
        return (*self.inputs.values(), *self.factors)

    def not_modelled(self) -> tuple[str, ...]:
        """Names of the inputs that were left out and are neutral: rates and money 0, factors 1."""
        left_out = [q.name for q in INPUTS if q.neutral is not None and q.ownership in ("any", self.ownership)
                    and q.name not in self.inputs and q.name not in RENT_DEFAULTS and not self._is_moot(q.name)]
        return tuple(left_out if self.factors else ["throughput_factors", *left_out])

    def _is_moot(self, name: str) -> bool:
        """Whether an input that was left out would say nothing here: its quantity is absent, or its alternative is there."""
        if name in FOR_PRICES_ONLY and not self.has_token_price:
            return True
        return (name in NEEDLESS_WITHOUT and NEEDLESS_WITHOUT[name] not in self.inputs) or ALTERNATIVES.get(name) in self.inputs


@dataclass(frozen=True)
class Simulation:
    """How the study is simulated. `trials` are over all replicates; `horizon` is in years.

    antithetic  whether random trials come in pairs, of which one has the complements of the other's uniforms
    """

    trials: int = 65536
    replicates: int = 32
    sampler: str = "sobol"
    seed: int = 0
    horizon: float = 15.0
    antithetic: bool = False

    @property
    def independent(self) -> bool:
        """Whether all trials are independent of one another, and not only replicates."""
        return self.sampler == "random" and not self.antithetic

    @property
    def trials_per_replicate(self) -> int:
        return self.trials // self.replicates


@dataclass(frozen=True)
class WhatIf:
    """A named change of a study.

    extends   the what-if whose changes come first, or ""
    settings  what it sets itself
    costs     what it costs beyond what its inputs say, USD per million tokens, by platform; none where the study does not say
    """

    name: str
    description: str
    extends: str
    settings: tuple[Setting, ...]
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SweptInput:
    """An input, or a parameter of one, that a sweep gives one value after another.

    values       as the study would have them at `path`
    coordinates  how results name them: numbers in `unit`, or words
    """

    path: str
    values: tuple[Any, ...]
    coordinates: tuple[float, ...] | tuple[str, ...]
    unit: str
    logarithmic: bool
    place: Place

    @property
    def is_numeric(self) -> bool:
        return all(isinstance(value, float) for value in self.coordinates)


@dataclass(frozen=True)
class Sweep:
    """Inputs that take every value, each with every value of the others."""

    name: str
    description: str
    swept: tuple[SweptInput, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(given.values) for given in self.swept)


@dataclass(frozen=True)
class Study:
    """A study that is right in itself. `document` is the resolved tree from which it was read.

    evidence  the kind of evidence used wherever there are two, "" where the document says
    data_files, other_files  files with numbers that it reads; those that its what-ifs and sweeps read
    """

    name: str
    description: str
    simulation: Simulation
    platforms: tuple[Platform, ...]
    digest: str
    warnings: tuple[str, ...]
    document: Document = field(repr=False, compare=False)
    published: tuple[Published, ...] = ()
    data_files: tuple[DataFile, ...] = ()
    correlations: Correlations = field(default_factory=Correlations)
    evidence: str = ""
    plan: TokenPlan | None = None
    what_ifs: tuple[WhatIf, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    other_files: tuple[DataFile, ...] = ()
    sensitivity: SensitivityChoice = field(default_factory=SensitivityChoice)

    @property
    def labels(self) -> dict[str, str]:
        """The label of each platform, by name."""
        return {platform.name: platform.label for platform in self.platforms}

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """All pairs of platforms by their positions, (later, earlier), in the order of results."""
        count = len(self.platforms)
        return tuple((later, earlier) for earlier in range(count) for later in range(earlier + 1, count))

    def pair_name(self, pair: tuple[int, int]) -> str:
        """How results name a pair of platforms, given by their positions: later/earlier."""
        return "/".join(self.platforms[position].name for position in pair)

    def inputs(self) -> dict[str, Input]:
        """Every input in use, by path."""
        found: dict[str, Input] = {}
        for platform in self.platforms:
            found |= {given.path: given for given in platform.all_inputs()}
        return found

    def with_inputs(self, values: Mapping[str, Any]) -> Study:
        """A copy with values replaced, by path: `{"shared.utilization": 0.5}`. Raises StudyError."""
        from simulator.study.loading import with_values

        return self._read_again(with_values(self.document, values))

    def with_what_if(self, name: str) -> Study:
        """A copy as a what-if would have it. Raises StudyError, KeyError where there is none of that name."""
        from simulator.study.loading import with_what_if
        from simulator.study.what_ifs import settings_of

        settings = settings_of(self.what_ifs_by_name, name)
        return self._changed(lambda document: with_what_if(document, settings))

    @cached_property
    def what_ifs_by_name(self) -> dict[str, WhatIf]:
        return {what_if.name: what_if for what_if in self.what_ifs}

    def with_settings(self, settings: Iterable[Setting]) -> Study:
        """A copy with values of inputs put at paths, over all that was there. Raises StudyError."""
        from simulator.study.loading import with_layer

        return self._changed(lambda document: reduce(with_layer, settings, document))

    def with_evidence(self, kind: str) -> Study:
        """A copy in which every input that has both kinds of evidence, measured and claim, uses the one that is named."""
        return self._changed(lambda document: document, kind)

    def _changed(self, change: Callable[[Document], Document], evidence: str | None = None) -> Study:
        """A copy with another document. What is asked beside is not read anew, so that thousands of what-ifs take no time of
        one another."""
        from simulator.study.loading import put_back

        bare, asked = self._without_what_is_asked_beside
        changed = self._read_again(change(bare), evidence)
        return replace(changed, document=put_back(changed.document, asked), what_ifs=self.what_ifs, sweeps=self.sweeps,
                       sensitivity=self.sensitivity)

    @cached_property
    def _without_what_is_asked_beside(self) -> tuple[Document, Document]:
        from simulator.study.loading import set_apart

        return set_apart(self.document, ASKED_BESIDE)

    @cached_property
    def _inputs_read(self) -> dict[Path, tuple[Any, Any, Any]]:
        return {}

    def _read_again(self, document: Document, evidence: str | None = None) -> Study:
        from simulator.study.reading import read_study

        kind = self.evidence if evidence is None else evidence
        return replace(read_study(document, self.name, kind, self._inputs_read), other_files=self.other_files)
