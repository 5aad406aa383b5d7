"""The chart of ranges: what is drawn where."""

import re
import xml.etree.ElementTree as ET

import pytest
import studies
from hypothesis import assume, given
from hypothesis import strategies as st

import simulator
from simulator.reporting.ranges import _axis, ranges

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = studies.study()
    data["platforms"]["a"]["label"] = "A & <b> " + "very long " * 20
    return simulator.run(simulator.load(studies.write(tmp_path_factory.mktemp("ranges") / "study.yaml", data)))


def test_medians_ranges_and_labels_are_where_the_numbers_say(run):
    drawn = ET.fromstring(ranges(run))
    order = sorted("ab", key=lambda name: run.estimate(name, "cost_per_million_tokens", "p50").value)
    costs = [run.estimate(name, "cost_per_million_tokens", p).value for name in order for p in ("p5", "p95")]
    ticks = {float(text.text): float(text.get("x")) for text in drawn.iter(f"{SVG}text")
             if text.get("font-size") == "10" and not text.get("font-weight") and re.fullmatch(r"[\d.]+", text.text)}
    (low, left), *_, (high, right) = sorted(ticks.items())
    assert min(costs) * 8 > max(costs), "an axis that is not logarithmic"

    def x(value):
        return pytest.approx(left + (right - left) * (value - low) / (high - low), abs=0.02)

    wide = [line for line in drawn.iter(f"{SVG}line") if line.get("stroke-width") == "1.6"]
    assert [float(line.get(end)) for line in wide for end in ("x1", "x2")] == [x(cost) for cost in costs]
    medians = [run.estimate(name, "cost_per_million_tokens", "p50").value for name in order]
    circles = list(drawn.iter(f"{SVG}circle"))
    assert [float(circle.get("cx")) for circle in circles] == [x(median) for median in medians]
    assert float(circles[0].get("cy")) < float(circles[1].get("cy")), "the cheapest on top"
    assert any("A & <b>" in text.text for text in drawn.iter(f"{SVG}text"))


def test_the_same_run_is_drawn_in_the_same_bytes(run):
    assert ranges(run) == ranges(run)


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_ticks_are_few_round_and_on_the_axis(one, other):
    low, high = min(one, other), max(one, other)
    assume(high == low or high - low > 1e-6 * max(abs(low), abs(high)))
    axis = _axis(low, high, 100)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 12 and ticks == sorted(set(ticks))
    assert all(axis.left - 1e-6 <= axis.at(tick) <= axis.right + 1e-6 for tick in ticks)
    assert axis.left < axis.at(low) <= axis.at(high) < axis.right
    if not axis.logarithmic:
        assert len({f"{tick:,.10g}" for tick in ticks}) == len(ticks)
    else:
        assert {f"{tick:e}"[0] for tick in ticks} <= set("125")
