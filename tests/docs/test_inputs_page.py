"""Every example of docs/inputs.md runs, and says what the page says it does."""

import pytest
from documentation_examples import blocks

import simulator
from simulator.quantities import INPUTS, WORDS
from simulator.study.correlations import FAMILIES
from simulator.study.distributions import COMPOUND

BLOCKS = blocks("inputs.md")
FIRST, *EXAMPLES = [text for language, _, text in BLOCKS if language == "yaml"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.yaml").write_text(FIRST, encoding="utf-8")
    for language, name, text in BLOCKS:
        if language == "csv":
            (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("position", range(len(EXAMPLES)))
def test_each_example_runs_over_the_study(folder, position):
    (folder / "example.yaml").write_text("schema: 1\n" + EXAMPLES[position], encoding="utf-8")
    study = simulator.load(folder / "study.yaml", [folder / "example.yaml"], ["simulation.trials=1024"])
    bare = simulator.load(folder / "study.yaml", overrides=["simulation.trials=1024"])
    assert not [note for note in study.warnings if note not in bare.warnings and "no effect" in note]
    run = simulator.run(study)
    assert all(run.estimate(name, "cost_per_million_tokens", "p50").value > 0 for name in ("bought", "rented"))


def test_the_study_itself_runs(folder):
    assert simulator.run(simulator.load(folder / "study.yaml", overrides=["simulation.trials=1024"])).records


def test_the_page_shows_every_form():
    text = "\n".join(EXAMPLES)
    new = [quantity.name for quantity in INPUTS[28:] if quantity.name not in ("tax_rate", "depreciation_life")]
    for word in (*new, *COMPOUND, "metalog", "stationary", "jumps", "market:", "claim", "measured", "basis: nominal", "tax_rate",
                 *(name for name in WORDS), FAMILIES[1], "as_of"):
        assert word in text, word
