"""When the choice loses, in sentences that the numbers support."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.experiments.sensitivity.reverse_stress import Box, Limit, ReverseStress
from simulator.reporting.input_names import in_sentence, input_name, owner_of, unit_and_scale
from simulator.reporting.wording import digits, listed, percent, plain_number
from simulator.study.model import Process, Study


def reverse_stress_in_words(study: Study, found: ReverseStress) -> str:
    """Who wins when, how often that happens, and how much of the risk it is; or why there is nothing to say."""
    labels = study.labels
    winner = labels[found.winner]
    if len(labels) == 1:
        return f"{winner} is the only platform: there is no choice that could be wrong."
    if found.box is None:
        if found.loses.value == 0:
            return f"{winner} is the cheapest in all simulated futures: none was found in which the choice is wrong."
        return f"{winner} is not the cheapest in {percent(found.loses)} of futures; {found.reason}."
    box = found.box
    when = listed([_limit_in_words(study, limit) for limit in box.limits])
    often = f"which happens in {percent(box.support)} of futures"
    of_all = f"{percent(box.coverage)} of all futures in which {winner} is not the cheapest are among these."
    if box.density.low > 0.5:
        other = labels[_challenger(found, box)]
        alone = len(labels) == 2 or box.cheapest[_challenger(found, box)] > 0.5
        who = f"{other} wins" if alone else f"{winner} is not the cheapest"
        wins = f"It wins in {percent(box.density)}" if len(labels) == 2 else f"{winner} loses in {percent(box.density)}"
        return f"{who} when {when}, {often}. {wins} of those. {of_all}"
    return (f"{winner} is least sure to win when {when}, {often}. It is not the cheapest in {percent(box.density)} of those, "
            f"against {percent(found.loses)} of all. {of_all}")


def _challenger(found: ReverseStress, box: Box) -> str:
    """Who is most often the cheapest in the box, but for the winner."""
    others: Mapping[str, float] = {name: share for name, share in box.cheapest.items() if name != found.winner}
    return max(others, key=lambda name: others[name])


def _limit_in_words(study: Study, limit: Limit) -> str:
    """"utilization is under 38 %", "the capex of NVIDIA HGX H200 is between 40,000 and 45,000 USD/GPU"."""
    given = study.inputs().get(limit.input)
    unit, scale = unit_and_scale(study, limit.input)
    if given is None:  # failures of single GPUs
        owner = owner_of(study, limit.input)
        return f"failures{f' of {owner.label}' if owner else ''} are {_range(limit, unit, scale)} from what was to be expected"
    mean = ", its mean over 60 months," if isinstance(given.value, Process) else ""
    return f"the {in_sentence(input_name(study, limit.input))}{mean} is {_range(limit, unit, scale)}"


def _range(limit: Limit, unit: str, scale: float) -> str:
    low, high = (None if end is None else _rounded(end * scale) for end in (limit.low, limit.high))
    if low and high:
        return f"between {low} and {high}{unit}" if low != high else f"about {low}{unit}"
    return f"over {low}{unit}" if low else f"under {high}{unit}"


def _rounded(value: float) -> str:
    """A limit to two digits: where it stands exactly makes little difference."""
    return plain_number(value, digits(value, 0, 2))
