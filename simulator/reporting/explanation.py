"""The trial behind a number as it is read in a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulator.analysis.flow_rows import FlowRow, flow_rows
from simulator.experiments.explain import Explanation, TrialExplanation
from simulator.experiments.trial_inputs import FAILURES, PRICE, DrawnInput
from simulator.kernels.platform import NEVER
from simulator.quantities import DIFFERENCE, PARTS
from simulator.reporting.wording import as_given, digits, label_of, plain_number, to_digits
from simulator.study.marginals import with_unit
from simulator.units import TOKENS_PER_MILLION

_DIGITS = 4  # of a number of one trial, which has no error
_NAMED = 3  # inputs that the sentence names
_SMALL = 5e-4  # relative to the result: an effect that no printed digit shows


def explanation_summary(explanation: Explanation, by_month: bool = False) -> RenderableType:
    """Each trial: its number, what was drawn, what that did, what it costs and when."""
    simulation = explanation.study.simulation
    blocks: list[RenderableType] = [Text(explanation.study.name, style="bold")]
    for trial in explanation.trials:
        blocks += [Text(""), Text(_headline(explanation, trial), style="bold"), *map(Text, _foremost(explanation, trial))]
        blocks += _titled(f"What was drawn, and {_name(explanation)} with that input at its median instead, all else equal",
                          _inputs(explanation, trial))
        blocks += [Text(line, style="dim") for line in _left_out(explanation, trial)]
        blocks += _titled("Costs in the same trial, USD per million tokens", _platforms(trial))
        for name, flows in trial.flows.items():
            label = next(platform.label for platform in trial.platforms if platform.name == name)
            blocks += _titled(f"{label}: flows per GPU, real USD", _flows(flow_rows(flows, by_month)))
            millions = flows.present_tokens / TOKENS_PER_MILLION
            blocks.append(Text(f"{_figure(flows.present_cost)} USD ÷ {_figure(millions)} million tokens, both discounted, = "
                               f"{_figure(flows.cost_per_million_tokens)} USD per million tokens."))
            if "tax" in flows.costs:
                blocks.append(Text("These amounts are what a price before tax has to cover: 'tax' is what tax adds to the "
                                   "capital, less what deductions save.", style="dim"))
    foot = (f"Effects do not add up: inputs work together. {simulation.trials:,} trials ({simulation.replicates} replicates, "
            f"sampler {simulation.sampler}, seed {simulation.seed}); trials and replicates count from 0.")
    blocks += [Text(""), Text(foot, style="dim")]
    return Group(*blocks)


def _titled(title: str, block: RenderableType) -> list[RenderableType]:
    return [Text(""), Text(title, style="italic"), block]


def _figure(value: float) -> str:
    return plain_number(value, digits(value, 0.0, _DIGITS))


def _name(explanation: Explanation) -> str:
    label = label_of(explanation.quantity)
    return f"{label[0].lower()}{label[1:]}"


def _result(explanation: Explanation, value: float) -> str:
    if explanation.quantity == "payback" and value >= NEVER:
        return "never"
    return f"{_figure(value)}×" if explanation.quantity == "ratio" else with_unit(value, explanation.unit, _figure(value))


def _headline(explanation: Explanation, trial: TrialExplanation) -> str:
    labels = {platform.name: platform.label for platform in trial.platforms}
    of = (" − " if explanation.quantity == DIFFERENCE.name else " ÷ ").join(labels[name] for name in explanation.owner.split("/"))
    which = f"P{as_given(trial.percentile)}" if explanation.by_percentile else f"trial at P{to_digits(trial.percentile, 4)}"
    scenario = "" if explanation.scenario == "base" else f" ({label_of(explanation.scenario)})"
    found = f"{of}{scenario}, {which} of {_name(explanation)}: {_result(explanation, trial.value)}."
    same = " The same number, bit for bit, as in the summary." if trial.reported == trial.value else ""
    return f"{found} Trial {trial.trial} of replicate {trial.replicate}.{same}"


def _foremost(explanation: Explanation, trial: TrialExplanation) -> list[str]:
    """What made this trial what it is, in sentences."""
    return [f"{_called(trial, given)} at {standing_in_words(given)}: at its {_ordinary(given)} it would be "
            f"{_result(explanation, given.without)}." for given in _shown(trial)[:_NAMED]]


def _ordinary(given: DrawnInput) -> str:
    return {PRICE: "path without shocks", FAILURES: "expected number"}.get(given.kind, "median")


def _effect(trial: TrialExplanation, given: DrawnInput) -> float:
    return trial.value - given.without


def _shown(trial: TrialExplanation) -> list[DrawnInput]:
    return [given for given in trial.inputs
            if given.standing is not None and abs(_effect(trial, given)) > _SMALL * abs(trial.value)]


def _called(trial: TrialExplanation, given: DrawnInput) -> str:
    """An input by its path; within the one platform that is explained by its name there."""
    own = f"platforms.{next(iter(trial.flows))}." if len(trial.flows) == 1 else ""
    return given.path.removeprefix(own) + {PRICE: ", mean over the life"}.get(given.kind, "")


def standing_in_words(given: DrawnInput) -> str:
    """P12, P99.98, or P0 to P85 where a value has a probability of its own."""
    if given.standing is None:
        return ""
    low, high = (_percentile(share) for share in given.standing)
    return low if low == high else f"{low} to {high}"


def _percentile(share: float) -> str:
    rare = min(share, 1 - share)
    decimals = 0 if rare >= 0.01 or rare == 0 else 1 if rare >= 0.001 else 2
    return f"P{plain_number(100 * share, decimals)}"


def _inputs(explanation: Explanation, trial: TrialExplanation) -> Table:
    table = _table(("drawn", "right"), ("unit", "left"), ("stands at", "left"), ("median", "right"), ("instead", "right"),
                   ("effect", "right"))
    for given in _shown(trial):
        effect = _effect(trial, given)
        comparable = given.without != 0 and max(given.without, trial.value) < NEVER
        share = f"{'+' if effect >= 0 else ''}{plain_number(100 * effect / abs(given.without), 1)}%" if comparable else ""
        median = _figure(given.median) if given.median is not None else "no shocks"
        table.add_row(Text(_called(trial, given)), _figure(given.value), given.unit if given.unit != "1" else "",
                      standing_in_words(given), median, _result(explanation, given.without), share)
    return table


def _left_out(explanation: Explanation, trial: TrialExplanation) -> list[str]:
    """Inputs whose effect cannot be seen, and those that are certain."""
    shown = {given.path for given in _shown(trial)}
    small = [f"{_called(trial, given)} {_figure(given.value)} ({standing_in_words(given)})" for given in trial.inputs
             if given.standing is not None and given.path not in shown]
    certain = [f"{_called(trial, given)} {with_unit(given.value, given.unit)}" for given in trial.inputs
               if given.standing is None and given.value]
    lines = [f"Without a visible effect: {', '.join(small)}."] if small else []
    return lines + ([f"Certain: {', '.join(certain)}."] if certain else [])


def _platforms(trial: TrialExplanation) -> Table:
    parts = [part for part in PARTS if any(platform.parts.get(part) for platform in trial.platforms)]
    table = _table(("cost", "right"), ("÷ least", "right"), *((part, "right") for part in parts))
    least = min(platform.cost for platform in trial.platforms)
    for platform in sorted(trial.platforms, key=lambda platform: platform.cost):
        times = f"{plain_number(platform.cost / least, 2)}×" if least > 0 else ""
        cells = [_figure(platform.parts[part]) if platform.parts.get(part) else "" for part in parts]
        table.add_row(Text(platform.label), _figure(platform.cost), times, *cells)
    return table


def _flows(rows: tuple[FlowRow, ...]) -> Table:
    """A line a row, and a last one with the sums."""
    parts = [name for name in rows[0].costs if any(row.costs[name] for row in rows)]
    prices = [name for name in ("energy_price", "rental_price") if any(getattr(row, name) is not None for row in rows)]
    earns = any(row.revenue for row in rows)
    units = {"energy_price": "USD/kWh", "rental_price": "USD/hour"}
    table = _table(("M tokens", "right"), *((units[name], "right") for name in prices), *((name, "right") for name in parts),
                   ("all costs", "right"), *((("revenue", "right"),) if earns else ()), ("discount", "right"),
                   ("present cost", "right"), ("present M tokens", "right"))
    for row in rows:
        table.add_row(row.when, _whole(row.tokens / TOKENS_PER_MILLION),
                      *(_figure(price) if (price := getattr(row, name)) is not None else "" for name in prices),
                      *(_whole(row.costs[name]) for name in parts), _whole(row.cost), *((_whole(row.revenue),) if earns else ()),
                      plain_number(row.discount, 4), _whole(row.present_cost), _whole(row.present_tokens / TOKENS_PER_MILLION))
    table.add_row("all", _whole(sum(row.tokens for row in rows) / TOKENS_PER_MILLION), *("" for _ in prices),
                  *(_whole(sum(row.costs[name] for row in rows)) for name in parts), _whole(sum(row.cost for row in rows)),
                  *((_whole(sum(row.revenue for row in rows)),) if earns else ()), "",
                  _whole(sum(row.present_cost for row in rows)),
                  _whole(sum(row.present_tokens for row in rows) / TOKENS_PER_MILLION), style="bold")
    return table


def _whole(value: float) -> str:
    """An amount without digits that say nothing; nothing for nothing."""
    if value == 0:
        return ""
    return plain_number(value, 0) if abs(value) >= 100 else plain_number(value, digits(value, 0.0, 3))


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for heading, justify in columns:
        table.add_column(heading, justify="right" if justify == "right" else "left")
    return table
