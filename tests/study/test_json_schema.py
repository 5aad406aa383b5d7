"""The JSON Schema: itself valid, true to the format's example, and as strict about names as the reader is."""

import copy
from pathlib import Path

import pytest
import studies
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from simulator.quantities import INPUTS
from simulator.study import load
from simulator.study.distributions import DISTRIBUTIONS
from simulator.study.document import read_text
from simulator.study.json_schema import study_schema

SCHEMA = study_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

# The example of the format, with the sections that this version acts on.
EXAMPLE = """\
schema: 1
study: Hopper against Blackwell
description: One line for the cover of the report.
extends:
  - ../markets/us_industrial.yaml
simulation: {trials: 65536, replicates: 32, sampler: sobol, seed: 2026, horizon: {value: 10, unit: year}}
shared:
  utilization: {distribution: beta, p5: 0.45, p95: 0.82, source: "...", grade: judgement}
  discount_rate: 0.10
  energy_price:
    process: mean_reverting
    median: {value: 41, unit: USD/MWh}
    delivery: {value: 36, unit: USD/MWh}
    reversion_rate: 2.5
    volatility: 1.05
    hedged_share: 0.5
    source: "..."
platforms:
  gb300_nvl72:
    label: NVIDIA GB300 NVL72
    vendor: NVIDIA
    ownership: buy
    operating_point: {model: DeepSeek-R1, precision: fp4, interactivity: 150, input_tokens: 8192, output_tokens: 1024,
                      token_basis: total}
    gpu_lifetime: {distribution: triangular, low: 3, mode: 5, high: 7}
    throughput: {distribution: lognormal, p5: 4700, p95: 6700}
    throughput_factors:
      delivered_share: {distribution: pert, low: 0.6, mode: 0.85, high: 1.0}
    capex: {distribution: pert, low: 47000, mode: 54000, high: 64000}
    power: {value: 2100, unit: W, date: 2026, source: "..."}
    pue: {distribution: truncated_normal, mean: 1.2, sd: 0.05, low: 1.05}
plan: {tokens_per_year: {value: 50, unit: Ttoken/year}, years: 5}
sensitivity: {methods: [tornado, shapley], target: cost_per_million_tokens}
compare_across_operating_points: true
published:
  - {quantity: cost_per_million_tokens, of: gb300_nvl72, value: 0.12, source: "...", date: 2026-01}
"""


def example():
    return copy.deepcopy(read_text(EXAMPLE, "example.yaml").tree)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_example_of_the_format_is_valid_and_loads(tmp_path):
    VALIDATOR.validate(example())
    file = tmp_path / "study.yaml"
    file.write_text(EXAMPLE.replace("extends:\n  - ../markets/us_industrial.yaml\n", ""), encoding="utf-8")
    assert load(file).platforms[0].label == "NVIDIA GB300 NVL72"


def test_the_studies_of_the_tests_are_valid():
    VALIDATOR.validate(studies.study())


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_file_is_valid_as_far_as_it_goes(file):
    assert [error.message for error in VALIDATOR.iter_errors({"schema": 1,
    **read_text(file.read_text("utf-8"), file.name).tree})] == []


def paths(tree, path=()):
    """Every key of every mapping, with the way to it."""
    for key, inside in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if isinstance(tree, dict):
            yield (*path, key)
        yield from paths(inside, (*path, key))


# Names that the user chooses: platforms and throughput factors.
FREE = {("platforms", "gb300_nvl72"), ("platforms", "gb300_nvl72", "throughput_factors", "delivered_share")}
KEYS = [path for path in paths(example()) if path not in FREE]


@pytest.mark.parametrize("path", KEYS, ids=lambda path: ".".join(map(str, path)))
def test_a_misspelt_key_is_rejected_at_every_level(path):
    tree = example()
    inside = tree
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1] + "x"] = inside.pop(path[-1])
    assert not VALIDATOR.is_valid(tree)


@pytest.mark.parametrize(("path", "value"), [
    (("simulation", "trials"), 0), (("simulation", "trials"), "many"), (("simulation", "sampler"), "sobl"),
    (("simulation", "seed"), -1),
    (("shared", "discount_rate"), "8 %"), (("shared", "discount_rate"), None),
    (("shared", "utilization"), {"distribution": "betta"}),
    (("shared", "utilization"), {"distribution": "beta", "p100": 1}), (("shared", "utilization"), {"value": "x"}),
    (("schema",), 2),
    (("platforms", "gb300_nvl72", "ownership"), "lease"), (("platforms", "gb300_nvl72", "operating_point", "token_basis"), "all"),
    (("platforms", "gb300_nvl72", "capex"), {"process": "mean_reverting", "median": 1, "reversion_rate": 1, "volatility": 1}),
    (("published",), [{"quantity": "capexx", "of": "a", "value": 1}]), (("what_ifs",), {"a": {"sett": {}}}),
    (("what_ifs",), {"a": {"cost": "much"}}), (("sweeps",), {"a": {}}),
    (("sweeps",), {"a": {"over": {"shared.utilization": {"from": 0.1, "to": 0.9}}}}), (("extends",), 5)])
def test_wrong_values_are_rejected(path, value):
    tree = example()
    inside = tree
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    assert not VALIDATOR.is_valid(tree)


def test_every_input_has_its_meaning_unit_and_bounds_for_the_editor():
    for inputs in (SCHEMA["properties"]["shared"], SCHEMA["properties"]["platforms"]["additionalProperties"]):
        for quantity in INPUTS:
            words = inputs["properties"][quantity.name]["description"]
            assert quantity.meaning in words and f"[{quantity.unit}]" in words


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_form_of_every_distribution_is_valid(name):
    kind = DISTRIBUTIONS[name]
    forms = [dict.fromkeys((*form.required, *form.optional), 1) for form in kind.forms]
    forms += [dict.fromkeys(("p5", "p97.5")[:kind.percentiles], 1)] if kind.percentiles else []
    for form in forms:
        lists = {key: [1, {"value": 2, "unit": "%"}] if key == "values" else [1, 2] for key in form if key in ("values",
        "weights")}
        VALIDATOR.validate({"schema": 1, "shared": {"utilization": {"distribution": name, **form, **lists}}})


# What the loader takes, the schema takes: an editor does not underline a study that is right.
AMOUNTS = st.floats(0.2, 0.8) | st.floats(20, 80).map(lambda v: {"value": v, "unit": "%"}) | st.just({"value": 0.5, "unit": 1})
INPUT_FORMS = AMOUNTS | st.builds(lambda low,
further: {"distribution": "uniform", "low": low, "high": low + further, "grade": "weak"},
                                  st.floats(0.2, 0.5), st.floats(0.01, 0.4))


@given(st.dictionaries(st.sampled_from(["utilization", "availability", "idle_power_fraction", "software_gain_time"]),
INPUT_FORMS),
       st.sampled_from(["x", 5, 2026.5]))
@settings(deadline=None, max_examples=50)
def test_what_loads_is_valid(tmp_path_factory, inputs, label):
    data = studies.study()
    data["platforms"]["b"] |= {**{key: value for key, value in inputs.items() if key != "software_gain_time"}, "label": label}
    load(studies.write(tmp_path_factory.mktemp("studies") / "study.yaml", data))
    VALIDATOR.validate(data)
