"""Which numbers a study's trials give: the rows of results, each with its name, owner and kind."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.kernels.platform import OUTPUT_ROWS
from simulator.quantities import CHANCES, COST, DIFFERENCE, PARTS, RATIO, RESULTS, WITH_REPLACEMENT
from simulator.study.model import Platform, Study

# The parts of the cost, and the inputs of which one at least has to be given for a part to be there.
PART_INPUTS = {"capex": ("capex",), "facility": ("facility_capex",), "energy": ("energy_price",), "hosting": ("hosting_price",),
               "operations": ("opex", "maintenance_rate"), "replacement": ("failure_rate",), "rent": ("rental_price",)}


@dataclass(frozen=True)
class Row:
    """One number of a trial.

    kind   output, part, present_cost, present_tokens, chance, ratio, difference, cheaper, cheapest or regret
    owner  position of the platform, or of the pair
    """

    kind: str
    owner: int
    quantity: str
    unit: str = "USD"

    @property
    def ranked(self) -> bool:
        """Whether percentiles are wanted of it, and not only its mean."""
        return self.kind in ("output", "ratio", "difference")

    @property
    def of_a_pair(self) -> bool:
        """Whether it compares two platforms."""
        return self.kind in ("ratio", "difference", "cheaper")


@dataclass(frozen=True)
class Layout:
    """The rows of results, in the order in which the kernels write them."""

    rows: tuple[Row, ...]
    wanted: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...]

    @property
    def ranked(self) -> int:
        """How many rows are ranked: they are the first."""
        return sum(row.ranked for row in self.rows)

    def find(self, kind: str, owner: int, quantity: str = "") -> int:
        """The position of a row."""
        return next(k for k, row in enumerate(self.rows)
                    if row.kind == kind and row.owner == owner and quantity in ("", row.quantity))


# What an output needs of a platform's inputs; and the outputs that need a price of tokens.
_NEEDS = {"tokens_per_second_per_megawatt": ("power",), "tokens_per_second_per_facility_megawatt": ("power", "pue"),
          "energy_per_million_tokens": ("power", "pue"), "flops_per_dollar": ("peak_flops",),
          "carbon_per_million_tokens": ("power", "pue", "carbon_intensity"), "net_present_value_per_megawatt": ("power",),
          "minimum_price": ("target_margin",), "first_year_break_even_price": ("token_price_decline",)}
_EARNED = frozenset({"gross_margin", "net_present_value", "net_present_value_per_megawatt", "payback", "probability_of_loss",
                     "probability_of_payback"})


def applicable(platform: Platform, output: str) -> bool:
    """Whether a platform's inputs give an output."""
    if output in _EARNED and not platform.has_token_price:
        return False
    if output in ("payback", "probability_of_payback") and platform.ownership == "rent":
        return False  # nothing is paid that could come back
    return all(name in platform.inputs for name in _NEEDS.get(output, ()))


def has_part(platform: Platform, part: str) -> bool:
    """Whether a platform's inputs give a part of the cost."""
    if part == "replacement" and platform.attrition != WITH_REPLACEMENT:
        return False
    return any(name in platform.inputs for name in PART_INPUTS[part])


def layout(study: Study, costs_alone: bool = False) -> Layout:
    """The rows of a study's results; those of which percentiles are wanted come first.

    costs_alone  only the cost of a million tokens, and how the platforms compare in it
    """
    count = len(study.platforms)
    pairs = study.pairs
    computed = {name: position for position, name in enumerate(OUTPUT_ROWS)}
    outputs, means = [], []
    for owner, platform in enumerate(study.platforms):
        outputs += [Row("output", owner, result.name, result.unit) for result in RESULTS
                    if result.name in computed and applicable(platform, result.name) and (not costs_alone or result is COST)]
        if not costs_alone:
            means += [Row("part", owner, part) for part in PARTS if has_part(platform, part)]
            means += [Row("chance", owner, chance.name, chance.unit) for chance in CHANCES if applicable(platform, chance.name)]
        means += [Row("present_cost", owner, "present_cost"), Row("present_tokens", owner, "present_tokens", "token")]
    wanted = tuple((row.owner, computed[row.quantity]) for row in (*outputs, *means))
    compared = [Row("cheaper", pair, "probability_cheaper", "1") for pair in range(len(pairs))]
    compared += [Row("cheapest", owner, "probability_cheapest", "1") for owner in range(count)]
    compared += [Row("regret", owner, "expected_regret", COST.unit) for owner in range(count)]
    paired = [Row(result.name, pair, result.name, result.unit) for result in (RATIO, DIFFERENCE) for pair in range(len(pairs))]
    return Layout((*paired, *outputs, *means, *compared), wanted, pairs)
