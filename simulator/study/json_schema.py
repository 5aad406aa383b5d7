"""JSON Schema (draft 2020-12) of a study, made from the registry, for editors to complete and check against."""

from __future__ import annotations

from typing import Any

from simulator.quantities import INPUTS, RESULT, WORDS, Quantity
from simulator.study.checks import LONGEST_HORIZON
from simulator.study.correlations import FAMILIES, FEWEST_DEGREES, MOST_DEGREES
from simulator.study.distributions import DISTRIBUTIONS, PURE
from simulator.study.frontier_reading import FRONTIER_KEYS
from simulator.study.inputs import BASES, GRADES, KINDS, MONEY_RATES
from simulator.study.marginals import bounds_in_words
from simulator.study.plan import QUANTITIES as PLAN
from simulator.study.platforms import TOKEN_BASES
from simulator.study.processes import JUMPS, PROCESS_OPTIONAL, PROCESS_REQUIRED, STATIONARY
from simulator.study.reading import FEWEST_REPLICATES, MOST_REPLICATES, MOST_TRIALS, SAMPLERS
from simulator.study.schema import SCHEMA
from simulator.study.sensitivity import METHODS, TARGETS
from simulator.study.sweeps import MOST_POINTS, SCALES

_TEXT = {"type": ["string", "number"]}  # 2026 is a date and a name
_UNIT = {"type": ["string", "integer"]}  # a pure number's is 1
_EVIDENCE = {"source": _TEXT, "date": _TEXT, "grade": {"enum": list(GRADES)}, "note": _TEXT}
_AMOUNT = {"$ref": "#/$defs/amount"}
_PERCENTILE = r"^p[0-9]{1,2}(\.[0-9]+)?$"


def study_schema() -> dict[str, Any]:
    """The schema of a study as a JSON document."""
    words = {name: {"enum": list(options)} for name, options in WORDS.items()}
    inputs = {quantity.name: _input(quantity) for quantity in INPUTS} | words
    factors = {"type": "object", "description": "named multipliers on throughput",
               "additionalProperties": {"$ref": "#/$defs/input"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Study of the cost of AI tokens", "type": "object",
        "additionalProperties": False, "required": ["schema"],
        "properties": {
            "schema": {"const": SCHEMA}, "study": _TEXT, "description": _TEXT,
            "extends": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                        "description": "files merged underneath, left to right"},
            "compare_across_operating_points": {"type": "boolean"},
            "evidence": {"enum": list(KINDS), "description": "which is used where an input has both"},
            "as_of": {"type": "string", "format": "date", "description": "the date with which that of evidence is compared"},
            "published": {"type": "array", "description": "published figures, shown beside the computed ones", "items": _object({
                "quantity": {"enum": [*(quantity.name for quantity in INPUTS), *RESULT]},
                "of": {"type": "string", "description": "a platform, or two as a ratio: a/b"}, "value": {"type": "number"},
                "source": _TEXT, "date": _TEXT, "note": _TEXT},
                ["quantity", "of", "value"])},
            "plan": {"description": "what a choice is to serve, for its value in all", **_object(
                {name: {"$ref": "#/$defs/input", "description": f"{quantity.meaning} [{quantity.unit}]"}
                 for name, quantity in PLAN.items()}, list(PLAN))},
            "what_ifs": {"type": "object", "description": "named changes of the study", "additionalProperties": _object({
                "description": _TEXT, "extends": {"type": "string", "description": "the what-if whose changes come first"},
                "set": {"type": "object", "description": "paths with values, such as shared.utilization: 0.3"},
                "cost": {"description": "what it costs beyond its inputs, USD per million tokens, for all platforms or by name",
                         "anyOf": [_AMOUNT, {"type": "object", "additionalProperties": _AMOUNT}]}})},
            "sweeps": {"type": "object", "description": "inputs over ranges", "additionalProperties": _object({
                "description": _TEXT, "over": {"type": "object", "additionalProperties": {"oneOf": [
                    {"type": "array", "minItems": 2, "description": "values"},
                    _object({"from": {"type": "number"}, "to": {"type": "number"}, "points": {
                        "type": "integer", "minimum": 2, "maximum": MOST_POINTS}, "scale": {"enum": list(SCALES)},
                        "unit": _UNIT}, ["from", "to", "points"])]}}}, ["over"])},
            "sensitivity": {"description": "what tco sensitivity is to tell; all that applies where left out", **_object({
                "methods": {"type": "array", "minItems": 1, "items": {"enum": list(METHODS)}},
                "target": {"enum": list(TARGETS)}})},
            "simulation": _object({
                "trials": {"type": "integer", "minimum": 1, "maximum": MOST_TRIALS},
                "replicates": {"type": "integer", "minimum": FEWEST_REPLICATES, "maximum": MOST_REPLICATES},
                "sampler": {"enum": list(SAMPLERS)}, "antithetic": {"type": "boolean"},
                "seed": {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
                "horizon": {"$ref": "#/$defs/input", "description": f"years, at most {LONGEST_HORIZON:g}"}}),
            "markets": {"type": "object", "description": "named prices", "additionalProperties": {
                "anyOf": [{"type": "number"}, {"type": "object", "properties": {
                    "of": {"enum": [quantity.name for quantity in INPUTS if quantity.process]}}}]}},
            "shared": _object({**inputs, "throughput_factors": factors}),
            "correlations": _correlations(),
            "platforms": {"type": "object", "additionalProperties": _object({
                **inputs, "throughput_factors": factors, "label": _TEXT, "vendor": _TEXT,
                "ownership": {"enum": ["buy", "rent"]}, "peak_flops_basis": _TEXT, **_EVIDENCE,
                "frontier": {"description": "measured Pareto set of interactivity and throughput", **_object({
                    "interactivity": _points("token/s/user, rising"), "throughput": _points("token/s/GPU, falling"),
                    "spread": {"type": "number", "minimum": 0, "description": "sd of the log of the throughput"}, **_EVIDENCE},
                    list(FRONTIER_KEYS))},
                "operating_point": _object({
                    "model": _TEXT, "precision": _TEXT,
                    "interactivity": {"type": "number", "exclusiveMinimum": 0, "description": "token/s/user"},
                    "input_tokens": {"type": "integer", "minimum": 1}, "output_tokens": {"type": "integer", "minimum": 1},
                    "token_basis": {"enum": list(TOKEN_BASES)}, "note": _TEXT})})},
        },
        "$defs": {
            "amount": {"oneOf": [{"type": "number"},
                                 _object({"value": {"type": "number"}, "unit": _UNIT}, ["value"])]},
            "input": _number_or_distribution({}),
            "rate": _number_or_distribution({"basis": {"enum": list(BASES)}}),
            "process": _object({"process": {"const": "mean_reverting"}, "unit": _UNIT, **_EVIDENCE,
                                **{name: {"$ref": "#/$defs/input"} for name in (*PROCESS_REQUIRED, *PROCESS_OPTIONAL)},
                                "start": {"anyOf": [{"const": STATIONARY}, {"$ref": "#/$defs/input"}]},
                                "jumps": _object({name: {"$ref": "#/$defs/input"} for name in JUMPS}, list(JUMPS))},
                               ["process", *PROCESS_REQUIRED]),
        }}


def _number_or_distribution(more: dict[str, Any]) -> dict[str, Any]:
    """A number, with or without a unit, or a distribution; `more` may stand beside a unit."""
    beside = {"unit": _UNIT, **_EVIDENCE, **more}
    return {"oneOf": [{"type": "number"}, _object({"value": {"type": "number"}, **beside}, ["value"]),
                      *[_distribution(name, beside) for name in DISTRIBUTIONS],
                      _object({"distribution": {"const": "empirical"}, **beside, "file": _TEXT, "column": _TEXT},
                              ["distribution", "file", "column"]),
                      _object({"distribution": {"const": "mixture"}, **beside, "components": {
                          "type": "array", "minItems": 1, "items": {
                              "type": "object", "required": ["weight"],
                              "properties": {"weight": {"type": "number", "exclusiveMinimum": 0}}}}},
                              ["distribution", "components"])]}


def _correlations() -> dict[str, Any]:
    rank = {"type": "number", "minimum": -1, "maximum": 1}
    return _object({
        "copula": {"oneOf": [{"const": "gaussian"}, _object({
            "family": {"enum": list(FAMILIES)}, "degrees_of_freedom": {
                "type": "number", "minimum": FEWEST_DEGREES, "maximum": MOST_DEGREES}}, ["family"])]},
        "pairs": {"type": "array", "description": "two inputs and their rank correlation", "items": {
            "type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}, rank], "minItems": 3, "maxItems": 3}}})


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def _points(description: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 2, "items": {"type": "number", "exclusiveMinimum": 0}, "description": description}


def _input(quantity: Quantity) -> dict[str, Any]:
    number = {"$ref": f"#/$defs/{'rate' if quantity.name in MONEY_RATES else 'input'}"}
    ways: list[dict[str, Any]] = [number]
    if quantity.process:
        ways += [{"$ref": "#/$defs/process"}, _object({"market": _TEXT, "note": _TEXT}, ["market"])]
    if quantity.name == "failure_epidemic":
        ways.append(_object({"probability": number, "rate_multiplier": number, **_EVIDENCE}, ["probability", "rate_multiplier"]))
    kinds = _object({**{kind: {"anyOf": list(ways)} for kind in KINDS}, "use": {"enum": list(KINDS)}}, list(KINDS))
    return {"description": f"{quantity.meaning} [{quantity.unit}]; {bounds_in_words(quantity)}", "anyOf": [*ways, kinds]}


def _distribution(name: str, beside: dict[str, Any]) -> dict[str, Any]:
    kind = DISTRIBUTIONS[name]
    parameters: dict[str, Any] = {
        key: {"type": "number"} if key in PURE else {"$ref": "#/$defs/amount"} for key in kind.parameters()}
    for key in parameters.keys() & {"values", "weights"}:
        parameters[key] = {"type": "array", "items": parameters[key]}
    schema = _object({"distribution": {"const": name}, **beside, **parameters}, ["distribution"])
    schema["description"] = f"takes {kind.in_words()}"
    if kind.percentiles:
        schema["patternProperties"] = {_PERCENTILE: {"$ref": "#/$defs/amount"}}
    return schema
