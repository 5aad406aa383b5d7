"""The example of docs/scale.md reads what `write_samples` writes."""

import studies
from documentation_examples import blocks

import simulator


def test_the_example_reads_samples(load, tmp_path, monkeypatch, capsys):
    data = studies.study()
    data["platforms"]["h100"] = data["platforms"].pop("a")
    study = load(data)
    simulator.write_samples(study, tmp_path / "trials")
    (example,) = [text for language, _, text in blocks("scale.md") if language == "python"]
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    printed = capsys.readouterr().out
    cost = simulator.run(study).estimate("h100", "cost_per_million_tokens", "p95").value
    assert f"{cost:.6f}" in printed and " 4096 " in printed and "electricity" in printed
