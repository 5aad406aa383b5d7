"""A named class of alternatives to what a study says of its world: what else might as well be believed, on the same draws."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from simulator.engine.evaluate import quantiles
from simulator.engine.parameters import Compiled, compile_study
from simulator.experiments.evidence import SCENARIOS, other_evidence
from simulator.study.document import setting
from simulator.study.families import Marginal, constant
from simulator.study.model import Input, Process, Study
from simulator.study.problems import Place

NONE_APPLIES = "no alternative applies: no input is correlated, graded weak or judgement, or has both a claim and a measurement"
DEGREES = 4  # of freedom of the t copula that stands against a Gaussian one
_HELD = ("weak", "judgement")  # grades of evidence of which it is asked whether their spread decides
_STILL = ("volatility", "jumps.rate")  # parameters at 0 of which a process does not move


@dataclass(frozen=True)
class Alternative:
    """What else might be believed.

    name   as results name it
    words  for a sentence: "with …" or "without …"
    study  makes the study as it would then be; raises StudyError where nothing can be so
    """

    name: str
    words: str
    study: Callable[[], Study]


def alternatives(study: Study) -> tuple[Alternative, ...]:
    """Those that apply to a study, in a fixed order: dependence, evidence left out by its grade, claims, measurements.

    A t copula is swapped for a Gaussian one and a Gaussian one for a t copula of 4 degrees of freedom, of the same rank
    correlations. Evidence of a grade is left out by holding what rests on it at its median, a price that moves at that of its
    process.
    """
    return (*_dependence(study), *_held(study), *_evidence(study))


def _dependence(study: Study) -> Iterator[Alternative]:
    correlations = study.correlations
    if correlations.inputs.members:
        copula, words = (("gaussian", "a Gaussian copula") if correlations.degrees else
                         ({"family": "t", "degrees_of_freedom": DEGREES}, f"a t copula of {DEGREES} degrees of freedom"))
        yield Alternative("other_copula", f"with {words}", partial(_with, study, "correlations.copula", copula))
    pairs = study.document.tree.get("correlations", {}).get("pairs", [])
    # Two that are tied are one thing of two names, and stay so.
    kept = [pair for pair in pairs if isinstance(pair[2], int | float) and abs(pair[2]) == 1]
    if (correlations.inputs.members or correlations.shocks.members) and len(kept) < len(pairs):
        yield Alternative("no_correlations", "without correlations", partial(_with, study, "correlations.pairs", kept))


def _with(study: Study, path: str, value: Any) -> Study:
    return study.with_settings([setting(path, value, Place("robustness"))])


def _held(study: Study) -> Iterator[Alternative]:
    for grade in _HELD:
        graded = {path for path, given in study.inputs().items() if given.evidence.grade == grade and not given.is_constant}
        if graded:
            yield Alternative(f"{grade}_at_medians", f"with all that is graded {grade} at its median",
                              partial(_at_medians, study, graded))


def _evidence(study: Study) -> Iterator[Alternative]:
    for kind in other_evidence(study):
        words = "with claims throughout" if kind == "claim" else "with measurements throughout"
        yield Alternative(SCENARIOS[kind], words, partial(study.with_evidence, kind))


def _at_medians(study: Study, paths: Collection[str]) -> Study:
    """A study in which these inputs are certain, by decree: what is correlated with them is drawn as always."""
    compiled = compile_study(study, [], [])

    def held(given: Input) -> Input:
        return replace(given, value=_certain(compiled, given)) if given.path in paths else given

    return replace(study, platforms=tuple(
        replace(platform, inputs={name: held(given) for name, given in platform.inputs.items()},
                factors=tuple(map(held, platform.factors))) for platform in study.platforms))


def _certain(compiled: Compiled, given: Input) -> Marginal | Process:
    """The median of an input, or a process whose parameters are at theirs and which has no shocks."""
    if not isinstance(given.value, Process):
        return _median(compiled, given.path)
    return replace(given.value, parameters={
        name: constant(0.0) if name in _STILL else _median(compiled, f"{given.path}.{name}") for name in given.value.parameters})


def _median(compiled: Compiled, path: str) -> Marginal:
    return constant(float(quantiles(compiled, compiled.rows.index(path), np.array([0.5]))[0]))
