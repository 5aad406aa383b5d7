"""The registry: every input and every result, once: name, unit, bounds, meaning.

The order of `INPUTS` is the order of importance in which shared inputs take the sampler's dimensions; an
input's place is its address for random numbers, so new inputs are added at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Ownership = Literal["any", "buy", "rent"]


@dataclass(frozen=True)
class Quantity:
    """An input: what it is called, its canonical unit, where its values may lie and who may state it.

    low, high  bounds of a valid value, in `unit`; `above_low` leaves `low` itself out
    ownership  whose platforms use it: bought, rented or any
    neutral    value where it is left out; None where it cannot be left out
    process    whether it may be given as a process in time
    compounding  a rate per year whose conversion to other periods would be ambiguous
    """

    name: str
    unit: str
    low: float
    high: float
    neutral: float | None
    meaning: str
    ownership: Ownership = "any"
    above_low: bool = False
    process: bool = False
    compounding: bool = False

    @cached_property
    def label(self) -> str:
        """The name as it is read: `gpu_lifetime` as "GPU lifetime"."""
        words = self.name.replace("_", " ").replace("gpu", "GPU").replace("pue", "PUE")
        return words[0].upper() + words[1:]

    def contains(self, value: float) -> bool:
        return (self.low < value if self.above_low else self.low <= value) and value <= self.high


# Bounds are wide enough for anything real and narrow enough to catch a forgotten unit (41 USD/MWh given as 41).
INPUTS: tuple[Quantity, ...] = (
    Quantity("utilization", "1", 0, 1, None, "share of serving capacity that is sold as delivered tokens", above_low=True),
    Quantity("throughput", "token/s/GPU", 0, math.inf, None, "tokens per second and GPU at the stated operating point",
             above_low=True),
    Quantity("gpu_lifetime", "year", 0, 100, None,
             "economic service life, first token to retirement; the term of the contract where rented", above_low=True),
    Quantity("capex", "USD/GPU", 0, math.inf, None, "server, network, storage and installation", "buy"),
    Quantity("rental_price", "USD/GPU/hour", 0, math.inf, None, "all-in price of a rented GPU-hour", "rent",
             above_low=True, process=True),
    Quantity("energy_price", "USD/kWh", -1, 10, None, "price of electricity at the meter", "buy", process=True),
    Quantity("discount_rate", "1/year", -0.2, 1, None, "real cost of capital", compounding=True),
    Quantity("power", "kW/GPU", 0, 1000, None, "all-in IT power at full load", above_low=True),
    Quantity("hosting_price", "USD/kW/month", 0, math.inf, 0, "colocation, power excluded", "buy"),
    Quantity("throughput_degradation", "1/year", -0.5, 0.99, 0, "yearly loss of delivered throughput", compounding=True),
    Quantity("pue", "1", 1, 10, None, "facility energy per IT energy"),
    Quantity("residual_value", "1", 0, 1, 0, "share of capex recovered at retirement, before its decay", "buy"),
    Quantity("residual_decay", "1/year", 0, 100, 0, "rate at which the residual value decays with age", "buy"),
    Quantity("failure_rate", "1/GPU/year", 0, 12, 0, "permanent failures that need a replacement part", "buy"),
    Quantity("replacement_cost", "1", 0, 10, 0, "cost of one replacement as a share of capex", "buy"),
    Quantity("opex", "USD/GPU/year", 0, math.inf, 0, "staff, software licences, transit"),
    Quantity("maintenance_rate", "1/year", 0, 1, 0, "maintenance and insurance per year as a share of capex", "buy"),
    Quantity("availability", "1", 0, 1, 1, "share of hours in which the GPU is up", above_low=True),
    Quantity("idle_power_fraction", "1", 0, 1, 1, "power at zero load per power at full load"),
    Quantity("software_gain", "1", -0.99, 1000, 0, "long-run gain of throughput from software"),
    Quantity("software_gain_time", "year", 0, 1000, None, "time constant of the software gain", above_low=True),
    Quantity("deployment_time", "year", 0, 50, 0, "from paying for it to its first token"),
    Quantity("utilization_ramp", "year", 0, 50, 0, "time over which utilization grows to its level"),
    Quantity("hosting_escalation", "1/year", -0.5, 1, 0, "real yearly growth of the hosting price", "buy", compounding=True),
    Quantity("facility_capex", "USD/kW", 0, math.inf, 0, "own data centre, per kW of IT power", "buy"),
    Quantity("facility_lifetime", "year", 0, 100, None, "life over which the facility is paid", "buy", above_low=True),
    Quantity("warranty", "year", 0, 100, 0, "time in which replacements cost nothing", "buy"),
    Quantity("peak_flops", "PFLOP/s/GPU", 0, math.inf, None, "peak arithmetic rate, for FLOPS per dollar", above_low=True),
    Quantity("failure_epidemic", "1", 1, 1000, 1, "factor on the failure rate where a bad component hits all of it", "buy"),
    Quantity("fleet_size", "GPU", 1, 1e9, None, "GPUs in the fleet, for the chance of single failures", "buy"),
    Quantity("contracted_power_factor", "1", 0, 10, 1, "contracted power per power at full load, which hosting bills", "buy",
             above_low=True),
    Quantity("contract_term", "year", 1 / 12, 100, None, "time for which a rent is fixed before it is let again", "rent"),
    Quantity("inflation", "1/year", -0.2, 1, 0, "inflation, for what is stated or fixed in nominal money", compounding=True),
    Quantity("tax_rate", "1", 0, 0.95, 0, "tax on profits"),
    Quantity("depreciation_life", "year", 0, 100, None, "years of the straight line; the life where not given", "buy",
             above_low=True),
    Quantity("token_price", "USD/million tokens", 0, 1e6, None, "price at which a million counted tokens are sold",
             above_low=True, process=True),
    Quantity("token_price_decline", "1/year", -0.5, 0.99, 0, "yearly fall of the price of tokens", compounding=True),
    Quantity("input_token_price", "USD/million tokens", 0, 1e6, None, "price of a million input tokens"),
    Quantity("output_token_price", "USD/million tokens", 0, 1e6, None, "price of a million output tokens", above_low=True),
    Quantity("cached_input_token_price", "USD/million tokens", 0, 1e6, None, "price of a million input tokens from the cache"),
    Quantity("cached_input_share", "1", 0, 1, 0, "share of input tokens that are read from the cache"),
    Quantity("target_margin", "1", -10, 0.999, None, "gross margin that the minimum price has to leave"),
    Quantity("carbon_intensity", "g/kWh", 0, 5000, None, "emissions per energy at the meter, in CO2 equivalents"),
)
INPUT = {quantity.name: quantity for quantity in INPUTS}
SLOT = {quantity.name: position for position, quantity in enumerate(INPUTS)}

# The named multipliers on throughput, and the parameters of a process, have bounds of their own.
THROUGHPUT_FACTOR = Quantity("throughput_factors", "1", 0, 1000, 1, "named multiplier on throughput", above_low=True)

# Needed by every platform, and by those of one ownership. What a rented platform may leave out has a value.
REQUIRED = {"buy": ("throughput", "utilization", "capex", "gpu_lifetime", "power", "pue", "energy_price", "discount_rate"),
            "rent": ("throughput", "utilization", "rental_price")}
RENT_DEFAULTS = {"gpu_lifetime": 1.0, "discount_rate": 0.0}
# An input that makes another one necessary.
NEEDS = {"software_gain": "software_gain_time", "facility_capex": "facility_lifetime", "input_token_price": "output_token_price",
         "output_token_price": "input_token_price"}
# Inputs of which one says what the other would.
EXCLUSIVE = {"token_price": ("input_token_price", "output_token_price")}

# An input that says nothing where another one is left out; and inputs of which one stands in for the other.
NEEDLESS_WITHOUT = {"hosting_escalation": "hosting_price", "residual_decay": "residual_value", "replacement_cost": "failure_rate",
                    "warranty": "failure_rate", "failure_epidemic": "failure_rate", "fleet_size": "failure_rate",
                    "contracted_power_factor": "hosting_price", "depreciation_life": "tax_rate",
                    "cached_input_share": "input_token_price", "cached_input_token_price": "cached_input_share"}
# Inputs that say nothing to a study of costs alone.
FOR_PRICES_ONLY = ("token_price_decline",)
ALTERNATIVES = {"hosting_price": "facility_capex", "facility_capex": "hosting_price"}
# What sensitivities may be taken of together.
GROUPS = {
    "energy": ("energy_price", "power", "pue", "idle_power_fraction", "carbon_intensity"),
    "hardware": ("capex", "gpu_lifetime", "residual_value", "residual_decay", "failure_rate", "replacement_cost", "warranty",
                 "failure_epidemic", "fleet_size", "peak_flops", "availability"),
    "workload": ("utilization", "throughput", "throughput_factors", "throughput_degradation", "software_gain",
                 "software_gain_time", "utilization_ramp", "cached_input_share"),
    "operations": ("hosting_price", "hosting_escalation", "contracted_power_factor", "facility_capex", "facility_lifetime",
                   "opex", "maintenance_rate", "deployment_time"),
    "money": ("discount_rate", "inflation", "tax_rate", "depreciation_life", "rental_price", "contract_term", "token_price",
              "token_price_decline", "input_token_price", "output_token_price", "cached_input_token_price", "target_margin"),
}
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


# What a platform says in a word of its own, here or under shared: the first is what holds where it says nothing.
WITH_REPLACEMENT = "with_replacement"
WORDS = {"depreciation": ("straight_line", "macrs_5", "full_expensing"), "attrition": (WITH_REPLACEMENT, "without_replacement")}


@dataclass(frozen=True)
class Result:
    """An output of a trial: its name, unit and what it is; the bad end of what is better when more is the low one."""

    name: str
    unit: str
    meaning: str
    more_is_better: bool = False

    @property
    def label(self) -> str:
        """The name as it is read."""
        words = self.name.replace("_", " ").replace("gpu", "GPU").replace("flops", "FLOPS")
        words = words.replace("break even", "break-even").replace("first year", "first-year")
        return words[0].upper() + words[1:]


PARTS = ("capex", "facility", "energy", "hosting", "operations", "replacement", "rent")
PART_MEANINGS = {
    "capex": "hardware, less what it is sold for at the end", "facility": "own data centre", "energy": "electricity",
    "hosting": "colocation", "operations": "staff, maintenance and insurance", "replacement": "failed parts",
    "rent": "rented GPU-hours"}

COST = Result("cost_per_million_tokens", "USD", "levelized cost of a million tokens")
RESULTS: tuple[Result, ...] = (
    COST,
    Result("cost_per_gpu_hour", "USD", "present value of the cost per present value of the hours of running GPUs"),
    Result("cost_per_million_output_tokens", "USD", "the same cost borne by output tokens alone"),
    Result("tokens_per_dollar", "token/USD", "tokens for one dollar", more_is_better=True),
    Result("tokens_per_second_per_megawatt", "token/s/MW", "throughput with its factors per IT power, new and at full load",
           more_is_better=True),
    Result("tokens_per_second_per_facility_megawatt", "token/s/MW", "the same per power at the meter", more_is_better=True),
    Result("energy_per_million_tokens", "kWh", "energy at the meter per million tokens, undiscounted"),
    Result("flops_per_dollar", "PFLOP/s per USD/hour", "peak arithmetic rate per cost of a GPU-hour", more_is_better=True),
    Result("carbon_per_million_tokens", "gCO2e", "emissions of the energy of a million tokens"),
    Result("gross_margin", "1", "share of the present value of the revenue that costs leave, before tax", more_is_better=True),
    Result("net_present_value", "USD/GPU", "present value of what is earned less what it costs, after tax", more_is_better=True),
    Result("net_present_value_per_megawatt", "USD/MW", "the same per IT power", more_is_better=True),
    Result("payback", "year", "time from payment until the money is back, undiscounted and after tax"),
    Result("minimum_price", "USD per million tokens", "price at the first token that leaves the target margin"),
    Result("first_year_break_even_price", "USD per million tokens", "price at the first token that covers the cost as it falls"),
)
CHANCES: tuple[Result, ...] = (
    Result("probability_of_loss", "1", "share of trials with a net present value below 0"),
    Result("probability_of_payback", "1", "share of trials in which the money is back by the end"),
)
RESULT = {result.name: result for result in (*RESULTS, *CHANCES)}
BREAK_EVEN_PRICE = Result("break_even_price", "USD", "constant real price of a million tokens at which the expected "
                          "net present value is zero: E[cost] / E[tokens]")
RATIO = Result("ratio", "1", "cost of the one platform per cost of the other, trial by trial")
DIFFERENCE = Result("difference", "USD", "cost of the one platform less cost of the other, trial by trial, per million tokens")
# By how much the cost of a platform of a pair misses dominating that of the other, at the worst.
DOMINANCE = (
    Result("first", "1", "what violates first-order dominance, 0 where it holds: largest excess of the probability of costing "
           "more than some amount over that of the other platform"),
    Result("second", "USD", "what violates second-order dominance, 0 where it holds: largest excess of the expected cost above "
           "some amount over that of the other platform"))
