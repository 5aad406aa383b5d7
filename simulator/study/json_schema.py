"""JSON Schema (draft 2020-12) of a study, made from the registry, for editors to complete and check against."""

from __future__ import annotations

from typing import Any

from simulator.quantities import INPUTS, RESULTS, Quantity
from simulator.study.distributions import DISTRIBUTIONS, PURE
from simulator.study.frontier_reading import FRONTIER_KEYS
from simulator.study.inputs import GRADES, PROCESS_OPTIONAL, PROCESS_REQUIRED
from simulator.study.marginals import bounds_in_words
from simulator.study.reading import (
    FEWEST_REPLICATES,
    LONGEST_HORIZON,
    MOST_REPLICATES,
    MOST_TRIALS,
    SAMPLERS,
    SCHEMA,
    TOKEN_BASES,
)

_TEXT = {"type": ["string", "number"]}  # 2026 is a date and a name
_UNIT = {"type": ["string", "integer"]}  # a pure number's is 1
_EVIDENCE = {"source": _TEXT, "date": _TEXT, "grade": {"enum": list(GRADES)}, "note": _TEXT}
_PERCENTILE = r"^p[0-9]{1,2}(\.[0-9]+)?$"


def study_schema() -> dict[str, Any]:
    """The schema of a study as a JSON document."""
    inputs = {quantity.name: _input(quantity) for quantity in INPUTS}
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
            "published": {"type": "array", "description": "published figures, shown beside the computed ones", "items": _object({
                "quantity": {"enum": [*(quantity.name for quantity in INPUTS), *(result.name for result in RESULTS)]},
                "of": {"type": "string", "description": "a platform, or two as a ratio: a/b"}, "value": {"type": "number"},
                "source": _TEXT, "date": _TEXT, "note": _TEXT},
                ["quantity", "of", "value"])},
            "simulation": _object({
                "trials": {"type": "integer", "minimum": 1, "maximum": MOST_TRIALS},
                "replicates": {"type": "integer", "minimum": FEWEST_REPLICATES, "maximum": MOST_REPLICATES},
                "sampler": {"enum": list(SAMPLERS)}, "seed": {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
                "horizon": {"$ref": "#/$defs/input", "description": f"years, at most {LONGEST_HORIZON:g}"}}),
            "shared": _object({**inputs, "throughput_factors": factors}),
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
            "input": {"oneOf": [{"type": "number"},
                                _object({"value": {"type": "number"}, "unit": _UNIT, **_EVIDENCE}, ["value"]),
                                *[_distribution(name) for name in DISTRIBUTIONS]]},
            "process": _object({"process": {"const": "mean_reverting"}, "unit": _UNIT, **_EVIDENCE,
                                **{name: {"$ref": "#/$defs/input"} for name in (*PROCESS_REQUIRED, *PROCESS_OPTIONAL)}},
                               ["process", *PROCESS_REQUIRED]),
        }}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def _points(description: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 2, "items": {"type": "number", "exclusiveMinimum": 0}, "description": description}


def _input(quantity: Quantity) -> dict[str, Any]:
    ways: list[dict[str, Any]] = [{"$ref": "#/$defs/input"}]
    if quantity.process:
        ways.append({"$ref": "#/$defs/process"})
    return {"description": f"{quantity.meaning} [{quantity.unit}]; {bounds_in_words(quantity)}", "anyOf": ways}


def _distribution(name: str) -> dict[str, Any]:
    kind = DISTRIBUTIONS[name]
    parameters: dict[str, Any] = {
        key: {"type": "number"} if key in PURE else {"$ref": "#/$defs/amount"} for key in kind.parameters()}
    for key in parameters.keys() & {"values", "weights"}:
        parameters[key] = {"type": "array", "items": parameters[key]}
    schema = _object({"distribution": {"const": name}, "unit": _UNIT, **_EVIDENCE, **parameters}, ["distribution"])
    schema["description"] = f"takes {kind.in_words()}"
    if kind.percentiles:
        schema["patternProperties"] = {_PERCENTILE: {"$ref": "#/$defs/amount"}}
    return schema
