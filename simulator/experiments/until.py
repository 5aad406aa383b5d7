"""A stop rule: trials are doubled until errors are as small as was asked for, or the ranking of platforms is sure.

Both are one rule. Something is watched, and its relative error, standard error ÷ |value|, has to fall to a limit: of a target
such as 0.1 % the statistics that were named; of a ranking the differences between the mean costs of neighbours in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from simulator.analysis.intervals import CONFIDENCE, Estimate, student_quantile
from simulator.engine.run import Elsewhere, run
from simulator.quantities import COST, DIFFERENCE
from simulator.records import Record
from simulator.results import Run, Stopped, Watched
from simulator.study.model import Study
from simulator.study.problems import nearest

RANKING = "ranking"
WATCHED = ("mean", "p5", "p50", "p95")
MOST_TRIALS = 10**8


class StopRuleError(ValueError):
    """A stop rule that says nothing, or nothing that the study could reach."""


@dataclass(frozen=True)
class StopRule:
    """When enough has been simulated.

    target       the relative error to reach, 0..1; or None for a sure ranking
    statistics   names of what is to reach it, as in the summary: of the cost per million tokens `p95`, of others `ratio.p50`
                 or `probability_cheapest`; of every platform or pair
    most_trials  never more trials than these
    """

    target: float | None
    statistics: tuple[str, ...] = WATCHED
    most_trials: int = MOST_TRIALS


def stop_rule(target: str, statistics: str = "", most_trials: int = MOST_TRIALS) -> StopRule:
    """Read a stop rule: `0.1%`, `0.001` or `ranking`; statistics with ',' between. Raises StopRuleError."""
    names = tuple(filter(None, (name.strip() for name in statistics.split(","))))
    if target.strip() == RANKING:
        if names:
            raise StopRuleError(f"found the statistics {', '.join(names)} beside 'ranking', which looks at mean costs; expected "
                                "statistics with a share such as 0.1%, or ranking alone")
        return StopRule(None, (), most_trials)
    return StopRule(_share(target), names or WATCHED, most_trials)


def _share(text: str) -> float:
    number, scale = (text.strip()[:-1], 100) if text.strip().endswith("%") else (text, 1)
    try:
        share = float(number) / scale
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise StopRuleError(f"found {text.strip() or 'nothing'}; expected a share such as 0.1% or the word ranking")
    return share


def run_until(study: Study, until: StopRule | str | float, threads: int = 0, progress: Callable[[float], None] | None = None,
              chunk_blocks: int = 0, elsewhere: Elsewhere | None = None) -> Run:
    """Simulate a study with its own trials, then with twice as many, until the rule is kept or trials would exceed its most.

    The study of the run that is returned has the number of trials that was reached. `progress` begins anew with each run;
    other arguments as of `engine.run.run`. Raises StopRuleError, and RunError as there.
    """
    rule = until if isinstance(until, StopRule) else stop_rule(str(until))
    check_rule(study, rule)
    limit = _limit(study, rule)
    while True:
        found = run(study, threads, progress, chunk_blocks, elsewhere=elsewhere)
        worst = max(_watched(found, rule), key=lambda watched: watched.relative_error)
        doubled = 2 * study.simulation.trials
        if worst.relative_error <= limit or doubled > rule.most_trials or worst.is_hopeless:
            return replace(found, stopped=Stopped(rule.target, worst.relative_error <= limit, worst))
        study = study.with_inputs({"simulation.trials": doubled})


def check_rule(study: Study, rule: StopRule) -> None:
    """Raise StopRuleError where a study cannot keep a rule, as far as can be told before it is run."""
    if rule.target is None and len(study.platforms) == 1:
        raise StopRuleError("found one platform, which has no ranking; expected two or more, or a share such as 0.1%")
    if study.simulation.trials > rule.most_trials:
        raise StopRuleError(f"found {study.simulation.trials:,} trials to begin with, and {rule.most_trials:,} at most; expected "
                            "fewer to begin with, or more at most")


def _limit(study: Study, rule: StopRule) -> float:
    """The relative error to reach. A difference is surely not 0 where it is so many errors away from it that all neighbours, at
    all doublings there may be, are told apart rightly with 95 % (Bonferroni): to look often is to be misled more often."""
    if rule.target is not None:
        return rule.target
    looks = 1 + math.floor(math.log2(rule.most_trials / study.simulation.trials))
    wrong = (1 - CONFIDENCE) / (looks * (len(study.platforms) - 1))
    return 1 / student_quantile(study.simulation.replicates - 1, 1 - wrong)


def _watched(found: Run, rule: StopRule) -> Iterator[Watched]:
    if rule.target is None:
        yield from _neighbours(found)
        return
    by_name: dict[str, list[Record]] = {}
    for record in found.records:
        by_name.setdefault(_name(record), []).append(record)
    for name in rule.statistics:
        if name not in by_name:
            raise StopRuleError(f"found the statistic '{name}', which this study does not give; expected one such as "
                                f"{', '.join(WATCHED)}, ratio.p50" + nearest(name, by_name))
        for record in by_name[name]:
            yield Watched(record.kind, record.owner, name, _relative_error(record.estimate))


def _name(record: Record) -> str:
    """How a statistic is called here: those of the cost by themselves, others after their quantity."""
    group = f"{record.group}." if record.group else ""
    if record.quantity == COST.name and not group:
        return record.statistic
    return f"{group}{record.quantity}" + (f".{record.statistic}" if record.statistic else "")


def _relative_error(estimate: Estimate) -> float:
    """Standard error ÷ |value|; of 0, such as a probability of what never happened, the width of its bounds instead."""
    return estimate.standard_error / abs(estimate.value) if estimate.value else estimate.high - estimate.low


def _neighbours(found: Run) -> Iterator[Watched]:
    """Platforms in the order of their mean costs, each with the next: how sure is the difference?"""
    names = [platform.name for platform in found.study.platforms]
    ranked = sorted(names, key=lambda name: found.estimate(name, COST.name, "mean").value)
    for one, other in pairwise(ranked):
        earlier, later = sorted((one, other), key=names.index)
        apart = found.estimate(f"{later}/{earlier}", DIFFERENCE.name, "mean")
        yield Watched("pair", f"{later}/{earlier}", "difference.mean", apart.standard_error / abs(apart.value) if apart.value
                      else math.inf, is_hopeless=apart.value == 0)  # means agree to the last bit where all trials do, else hardly
