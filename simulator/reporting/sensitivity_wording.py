"""What sensitivities say, in sentences that the numbers support."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.analysis.intervals import Estimate
from simulator.experiments.sensitivity.break_even import BreakEven
from simulator.experiments.sensitivity.crossover import UNSURE, Crossover
from simulator.experiments.sensitivity.everything import Map, Sensitivity
from simulator.experiments.sensitivity.value_of_information import Known
from simulator.reporting.input_names import in_sentence, input_name, unit_and_scale
from simulator.reporting.robustness_wording import amount_with_error
from simulator.reporting.wording import as_given, digits, listed, number, plain_number, to_digits, with_error
from simulator.study.model import Study

_MOST_KNOWN = 5  # that are listed
_NEXT_TO_NOTHING = 0.001  # of the cost
_FINEST = 1  # decimals of a share in percent
NOTHING_UNCERTAIN = "Nothing is uncertain in this study: no input has a share in any spread."
COLUMNS = {
    "bar": "P10 → P90: the cost (of a pair, the ratio) with the input alone at its P10 and at its P90, all others at medians.",
    "variance": ("Share of variance: how much of the spread of the cost is owed to the input (Shapley effect). One that does "
                 "nothing by itself has a share where it is correlated with one that does."),
    "tail": "Share of tail: the same of how much the dearest 5 % of futures cost beyond the mean.",
    "first": ("First, total: the share of the variance that would go if the input were known, and that would stay if all others "
              "were (Sobol' indices)."),
    "rank_correlation": "Rank correlation: how steadily the cost rises (or falls) with the input, −1 to 1; no share of anything."}


def percentage(share: Estimate) -> str:
    """A share with its error, in percent, to tenths at most; an error is never shown as 0."""
    value, error = 100 * share.value, 100 * share.standard_error
    if error == 0:
        return f"{to_digits(value)} %"
    decimals = min(digits(error, 0.0, 1), _FINEST)
    return f"{plain_number(value, decimals)} ± {plain_number(max(error, 10.0**-decimals), decimals)} %"


def whole_percentage(share: float) -> str:
    """A share in percent, in tenths where it is small or nearly all."""
    return f"{plain_number(100 * share, _FINEST if abs(share) < 0.01 or 0.99 < share < 1 else 0)} %"


def value_in_words(study: Study, path: str, value: float, standard_error: float = 0.0) -> str:
    """A value of an input with its unit: "0.61 ± 0.02 USD/kWh", "38.2 ± 0.4 %"."""
    unit, scale = unit_and_scale(study, path)
    return f"{with_error(value * scale, standard_error * scale)}{unit}"


def short_value(study: Study, path: str, value: Estimate) -> str:
    """As `value_in_words`, with the digits that its error leaves and no error: "0.61 USD/kWh"."""
    unit, scale = unit_and_scale(study, path)
    return f"{number(value.scaled(scale))}{unit}"


def never_flips(study: Study, pair: tuple[int, int], values: Sequence[BreakEven]) -> str:
    """Who stays cheaper, and over what range of which inputs; nothing where every input has a value."""
    never = [one for one in values if one.never]
    if not never:
        return ""
    cheaper = {one.cheaper_on_draws for one in never}
    labels = [study.platforms[position].label for position in pair]
    stays = next(iter(cheaper))
    if len(cheaper) > 1 or stays == "neither":
        who = f"The ranking of {listed(labels)} does not change"
    else:
        winner = next(label for label, at in zip(labels, pair, strict=True) if study.platforms[at].name == stays)
        who = f"{winner} stays cheaper than {next(label for label in labels if label != winner)}"
    if len(never) == 1:
        (only,) = never
        where = f"with {in_sentence(input_name(study, only.input))} anywhere from {range_in_words(study, only)}"
    else:
        others = "" if len(never) == len(values) else "other "
        where = f"whatever value any one of {len(never)} {others}inputs takes within its range{_of_certain(never)}"
    return f"{who} {where}."


def _of_certain(never: Sequence[BreakEven]) -> str:
    """Where inputs without a range were looked at."""
    certain = sum(not one.uncertain for one in never)
    ranges = "a quarter to four times its value"
    return "" if not certain else f" ({ranges})" if certain == len(never) else f" (of {certain} that are certain, {ranges})"


def range_in_words(study: Study, one: BreakEven) -> str:
    """Where a value was looked for: "41 to 87 %"."""
    unit, scale = unit_and_scale(study, one.input)
    return f"{to_digits(one.low * scale)} to {to_digits(one.high * scale)}{unit}"


def map_in_words(study: Study, drawn: Map) -> str:
    """Who is cheaper over two inputs."""
    found = drawn.crossover
    later, earlier = (study.platforms[position].label for position in drawn.pair)
    over = listed([in_sentence(input_name(study, one.path)) for one in (found.x, found.y)])
    who = cheaper_throughout(found)
    unsure = float(found.unsure.mean()) if found.unsure is not None else 0.0
    low, high = (as_given(100 * share) for share in UNSURE)
    band = (f" The ranking is not sure (between {low} and {high} % of futures) over {plain_number(100 * unsure, 0)} % of it."
            if unsure else "")
    if who:
        says = f"{later if who < 0 else earlier} is cheaper throughout"
    else:
        says = f"{later} is cheaper on {plain_number(100 * float((found.log_ratio < 0).mean()), 0)} % of the map, else {earlier}"
    return f"Over the ranges of {over} together, {says} (medians).{band}"


def cheaper_throughout(found: Crossover) -> int:
    """−1 where the later platform is cheaper all over a map, 1 where the earlier one is, 0 where they cross."""
    return -1 if found.log_ratio.max() < 0 else 1 if found.log_ratio.min() > 0 else 0


def left_out_in_words(found: Sensitivity) -> list[str]:
    """What was not answered and why, a sentence a reason."""
    methods: dict[str, list[str]] = {}
    for left in found.left_out:
        methods.setdefault(left.reason, []).append(left.method)
    return [f"{listed(names)} {'is' if len(names) == 1 else 'are'} left out: {reason}" for reason, names in methods.items()]


def value_of_information_in_words(found: Sensitivity, amount: Callable[[Estimate], str] = amount_with_error) -> list[str]:
    """What it is worth to know more before choosing, and to learn what; `amount`: how USD are written."""
    if found.decision is None:
        return []
    decision = found.plan or found.decision
    study = found.study
    choice = next(platform.label for platform in study.platforms if platform.name == decision.choice)
    basis = f"over the plan of {as_given(study.plan.years)} years" if found.plan and study.plan else "per million tokens"
    lines = [f"By expected cost the choice is {choice}: {amount(decision.expected[decision.choice])} {basis}."]
    if decision.evpi.value < _NEXT_TO_NOTHING * abs(decision.expected[decision.choice].value) and decision.evpi.value > 0:
        return [*lines, "Knowing everything before choosing would be worth next to nothing: under 0.1 % of the cost."]
    if decision.evpi.value == 0:
        return [*lines, f"Knowing everything would change nothing: {choice} is the cheapest in all simulated futures."]
    lines.append(f"Knowing everything before choosing would be worth {amount(decision.evpi)} {basis} at most.")
    worth = [known for known in decision.evppi if known.value.low > 0][:_MOST_KNOWN]
    if not worth:
        return [*lines, "No single input is worth learning by itself: none would change the choice."]
    lines.append(f"Learning one input alone, at most: {_list(study, worth, amount)}.")
    groups = [known for known in decision.groups if known.value.low > 0][:_MOST_KNOWN]
    more = listed([f"{known.input} {amount(known.value)}" for known in groups])
    return [*lines, *([f"All inputs of a group: {more}."] if more else [])]


def _list(study: Study, known: Sequence[Known], amount: Callable[[Estimate], str]) -> str:
    return listed([f"{in_sentence(input_name(study, one.input))} {amount(one.value)}" for one in known])


