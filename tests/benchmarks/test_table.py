"""What the table says: goals, times in turns, the marks on the page, and the estimate of how many plain trials 0.1 % takes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmark_study import STUDY

from benchmarks import __main__ as command
from benchmarks import careful_numpy, packages, precision, resources, speed
from benchmarks.measuring import HEAD, ROOT, Goal, Row, Section, Timing, in_turns, last_line, process
from benchmarks.reference import NotCompiledError, compiler


@pytest.mark.parametrize(("ratio", "goal", "said"), [
    (1.9, Goal(1.85), ("≥ 1.85×", "reached")), (1.8, Goal(1.85), ("≥ 1.85×", "**not reached**")),
    (1.05, Goal(1.1, at_least=False), ("≤ 1.1×", "reached")), (1.2, Goal(1.1, at_least=False), ("≤ 1.1×", "**not reached**")),
    (1.2, None, ("", "")), (None, Goal(20), ("≥ 20×", ""))])
def test_a_goal_is_reached_or_not(ratio, goal, said):
    cells = Row("what", "", "", ratio, goal).cells()
    assert cells[-2:] == said
    assert len(cells) == len(HEAD)


def test_actions_take_turns():
    order: list[str] = []
    times = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 3
    assert len(times["a"].seconds) == 3


def test_the_best_counts_and_the_spread_is_told():
    timing = Timing((3.0, 2.0, 2.5))
    assert timing.best == 2
    assert timing.spread == pytest.approx(0.25)


def test_the_table_goes_between_the_marks_of_the_page():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    once = command.written("a table", page)
    assert "a table" in once
    assert command.written("another", once) == command.written("another", page)
    assert once.startswith(page[:page.index("<!--")])
    with pytest.raises(ValueError, match="found no marks"):
        command.written("a table", "a page without")


@pytest.mark.parametrize(("given", "said"), [
    (["--write", "--only", "speed"], "found --write with --only; expected the whole table"),
    (["--largest", "1_000_000"], "found --largest 1000000; expected more than 1,000,000 trials"),
    (["--packages", "no-such-python"], "found no interpreter no-such-python"),
    (["--only", "nothing"], "invalid choice: 'nothing'")])
def test_wrong_options_are_told(given, said, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["benchmarks", *given])
    with pytest.raises(SystemExit, match="2"):
        command.main()
    assert said in capsys.readouterr().err


def test_the_whole_table_is_written_with_machine_and_date(tmp_path, monkeypatch, capsys):
    page = tmp_path / "performance.md"
    page.write_text("Before.\n<!-- measured: begin -->\nlast\n<!-- measured: end -->\nAfter.\n", encoding="utf-8")
    section = Section([Row("speed", "2 trials/s", "NumPy", 2.0, Goal(20))], [Timing((1.0, 1.1, 1.2))])
    monkeypatch.setattr(command, "_PAGE", page)
    monkeypatch.setattr(command, "sections", lambda _: {"speed": lambda: section})
    monkeypatch.setattr("sys.argv", ["benchmarks", "--write"])
    command.main()
    found = page.read_text(encoding="utf-8")
    assert "| speed | 2 trials/s | NumPy | 2× | ≥ 20× | **not reached** |" in found
    assert re.search(r"Measured on \d{4}-\d\d-\d\d, \d+ cores", found)
    assert "10.0% above the best" in found
    assert found.startswith("Before.\n")
    assert found.endswith("After.\n")
    assert "last" not in found
    assert "speed" in capsys.readouterr().out


def test_growth_is_told_against_few_trials(monkeypatch):
    """Processes that are known to take 10 MiB more and half as long again a trial at each step."""
    taken = {100_000: (100, 0.1), 1_000_000: (110, 1.0), 2_000_000: (120, 3.0)}
    asked: list[int] = []

    def told(*arguments):
        asked.append(int(arguments[-1]))
        peak, took = taken[asked[-1]]
        return json.dumps({"peak": peak, "seconds": took * (1 + 0.1 * (len(asked) > 3)), "trials": asked[-1]})

    monkeypatch.setattr(resources, "process", told)
    cells = [row.cells() for row in resources.growth(2_000_000, rounds=2).rows]
    assert asked == [100_000, 1_000_000, 2_000_000, 100_000, 1_000_000]  # the longest run once
    largest = "at 2,000,000 trials; --largest 100_000_000 for the goal's"
    assert cells == [("peak memory at 1,000,000 trials", "110 MiB", "at 100,000, 100 MiB", "1.1×", "", ""),
                     (f"peak memory {largest}", "120 MiB", "at 100,000, 100 MiB", "1.2×", "≤ 1.1×", "**not reached**"),
                     (f"cost per trial {largest}", "1,500 ns", "at 1,000,000, 1,000 ns", "1.5×", "≤ 1.1×", "**not reached**")]


def test_packages_that_are_not_there_are_told(monkeypatch):
    monkeypatch.setattr(packages, "PACKAGES", ("numpy", "nowhere"))
    monkeypatch.setattr(packages, "TRIALS", 50_000)
    rows = packages.packages(sys.executable, rounds=1).rows
    assert [row.what.split()[-1] for row in rows[1:]] == ["numpy", "nowhere", "these"]
    assert rows[1].ratio > 0
    assert rows[2].cells()[1:] == ("", "not installed", "", "", "")


def test_speed_is_told_against_numpy_and_c(monkeypatch):
    monkeypatch.setattr(speed, "TRIALS", 4096)
    rows = speed.speed(rounds=1, numpy_trials=4096).rows
    goals = [str(row.goal) for row in rows if row.goal]
    assert goals == ["≥ 20×", *(["≥ 1×"] if compiles() else []), "≥ 1.85×", "≤ 0.5×"]
    assert all(row.ratio > 0 for row in rows if row.goal and row.what != "adding a platform")


def compiles():
    try:
        return bool(compiler())
    except NotCompiledError:
        return False


def test_precision_is_told_for_mean_and_p95(monkeypatch):
    monkeypatch.setattr(precision, "TARGET", 0.02)
    rows = precision.precision(STUDY, 1 << 14, seeds=1, rounds=1).rows
    assert [str(row.goal or "") for row in rows] == ["≥ 1000×", "", "≥ 100×", ""]
    assert all("2.0% standard error" in row.what and row.ratio > 0 for row in rows)


def test_plain_trials_are_those_that_bring_the_error_to_a_thousandth():
    """Against the spread of the mean and of P95 over batches of plain trials."""
    study = {**STUDY, "platforms": {"a": STUDY["platforms"]["a"], "b": STUDY["platforms"]["b"]}}
    needed = precision.plain_trials(study, 1 << 16)
    batches, size = 64, 1 << 10
    found = careful_numpy.simulate(study, batches * size, np.random.default_rng(1))
    costs = [found[name, "cost_per_million_tokens"].reshape(batches, size) for name in ("a", "b")]
    for statistic, values in (("mean", [x.mean(axis=1) for x in costs]), ("p95", [np.quantile(x, 0.95, axis=1) for x in costs])):
        spread = max(v.std() / v.mean() for v in values)
        # A standard deviation from 64 batches is known to 9 %, its square to 18 %.
        assert needed[statistic] == pytest.approx(size * (spread / 0.001) ** 2, rel=0.5)


def test_peak_memory_is_that_of_the_process_itself():
    if not Path("/proc/self/status").exists():
        pytest.skip("the system tells no peak memory")
    ballast = np.ones(200 << 17)  # 200 MiB here must not show there
    found = last_line(process("-c", resources.PEAK + 'print(json.dumps({"peak": peak()}))'))
    assert ballast.size
    assert 1 < found["peak"] < 100
