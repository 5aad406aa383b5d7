"""Reading one input: a number, `{value, unit}`, a distribution, a process, or one for each kind of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.quantities import Quantity
from simulator.study.compound import mixture
from simulator.study.families import Marginal, constant
from simulator.study.marginals import read_marginal
from simulator.study.model import Evidence, Input, Process
from simulator.study.problems import Path, path_text
from simulator.study.processes import read_process
from simulator.study.reader import Reader

GRADES = ("primary", "analyst", "weak", "judgement")
EVIDENCE_KEYS = ("source", "date", "grade", "note")
KINDS = ("measured", "claim")
BASES = ("real", "nominal")
# Rates of money, which may be stated in nominal terms.
MONEY_RATES = frozenset({"discount_rate", "hosting_escalation", "token_price_decline"})
_PROBABILITY = Quantity("probability", "1", 0, 1, None, "chance that a bad component hits the platform")
_EPIDEMIC_KEYS = ("probability", "rate_multiplier")


def read_evidence(reader: Reader, value: Mapping[str, Any], path: Path) -> Evidence:
    """`source`, `date`, `grade` and `note` of an input."""
    texts = {key: reader.text(value, key, path) for key in EVIDENCE_KEYS if key in value and key != "grade"}
    grade = reader.choice(value, "grade", path, GRADES, "") if "grade" in value else ""
    return Evidence(grade=grade or "", **texts)


def read_input(reader: Reader, found: Any, path: Path, quantity: Quantity, evidence: str = KINDS[0]) -> Input | None:
    """One input; None with problems noted where it is wrong. `evidence`: which kind is used where there are both."""
    if not isinstance(found, dict):
        return _read_input(reader, found, path, quantity, evidence)
    # What-ifs share with their study what they leave alone: the mapping itself, which is not read again.
    asked = (quantity.name, evidence, reader.evidence, reader.place(path))
    known = reader.inputs_read.get(path)
    if known and known[0] is found and known[1] == asked:
        was: Input = known[2]
        return was
    refusals, files = reader.refusals, len(reader.data_files)
    given = _read_input(reader, found, path, quantity, evidence)
    if given and (refusals, files) == (reader.refusals, len(reader.data_files)):
        reader.inputs_read[path] = found, asked, given
    return given


def _read_input(reader: Reader, found: Any, path: Path, quantity: Quantity, evidence: str) -> Input | None:
    if isinstance(found, dict) and any(kind in found for kind in KINDS):
        return _read_kinds(reader, found, path, quantity, evidence)
    before = reader.refusals
    stated, is_nominal = Evidence(), False
    keys: tuple[str, ...] = EVIDENCE_KEYS
    value: Marginal | Process | None
    if isinstance(found, dict):
        stated = read_evidence(reader, found, path)
        if quantity.name in MONEY_RATES:
            keys = (*EVIDENCE_KEYS, "basis")
            is_nominal = reader.choice(found, "basis", path, BASES, "real") == "nominal"
    if isinstance(found, dict) and "process" in found:
        value = read_process(reader, found, path, quantity, keys)
    elif isinstance(found, dict) and quantity.name == "failure_epidemic" and any(key in found for key in _EPIDEMIC_KEYS):
        value = _read_epidemic(reader, found, path, quantity)
    else:
        value = read_marginal(reader, found, path, quantity, keys)
    if value is None or reader.refusals > before:
        return None
    return Input(path_text(path), quantity, value, stated, reader.place(path), is_nominal)


def _read_kinds(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity, evidence: str) -> Input | None:
    """`{measured: …, claim: …}`: both are read, and one is used: the one that `use` or the study names."""
    before = reader.refusals
    reader.known_keys(found, path, (*KINDS, "use"), "key")
    for kind in KINDS:
        if isinstance(found.get(kind), dict) and any(inner in found[kind] for inner in KINDS):
            reader.refuse((*path, kind), "found kinds of evidence inside a kind of evidence; expected a number or a distribution")
            return None
    use = reader.choice(found, "use", path, KINDS, evidence) or evidence
    for kind in KINDS:
        if kind not in found:
            reader.missing((*path, kind), "an input that names its kind of evidence has both: measured and claim")
    read = {kind: read_input(reader, found[kind], (*path, kind), quantity) for kind in KINDS if kind in found}
    chosen = read.get(reader.evidence or use)
    if chosen is None or reader.refusals > before:
        return None
    return replace(chosen, path=path_text(path), kind=reader.evidence or use)


def _read_epidemic(reader: Reader, found: Mapping[str, Any], path: Path, quantity: Quantity) -> Marginal | None:
    """`{probability, rate_multiplier}`: a factor on the failure rate that is 1, or with that probability the multiplier."""
    before = reader.refusals
    reader.known_keys(found, path, (*_EPIDEMIC_KEYS, *EVIDENCE_KEYS), "key")
    parts = {}
    for key, measured in zip(_EPIDEMIC_KEYS, (_PROBABILITY, quantity), strict=True):
        if key in found:
            parts[key] = read_marginal(reader, found[key], (*path, key), measured)
        else:
            reader.missing((*path, key), "an epidemic of failures has a probability and a rate_multiplier")
    probability, multiplier = (parts.get(key) for key in _EPIDEMIC_KEYS)
    if probability is not None and not probability.is_constant:
        reader.refuse((*path, "probability"), "found a distribution; expected a number: an uncertain probability of one event is "
                      "its mean")
    if probability is None or multiplier is None or reader.refusals > before:
        return None
    (share,) = probability.parameters
    if share in (0, 1):
        return multiplier if share else constant(1.0)
    return mixture([1 - share, share], [constant(1.0), multiplier])
