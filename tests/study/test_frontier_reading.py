"""A platform's frontier in a study: what it gives, and what is refused."""

import copy
import json
import math

import pytest
import studies
from jsonschema import Draft202012Validator

from simulator.study import StudyError, load
from simulator.study.document import parse
from simulator.study.json_schema import study_schema
from simulator.study.loading import with_overrides
from simulator.study.reading import read_study

FRONTIER = {"interactivity": [20, 40, 80], "throughput": [4000, 1000, 250], "spread": 0.15, "source": "measured", "date": 2026,
            "grade": "primary", "note": "n"}
POINT = {"model": "R1", "interactivity": 30}


def study(frontier=FRONTIER, point=POINT, **changes):
    data = studies.study()
    del data["platforms"]["b"]["throughput"]
    data["platforms"]["b"] |= {"frontier": copy.deepcopy(frontier), "operating_point": point, **changes}
    return data


def read(data, *overrides):
    return read_study(with_overrides(parse(json.dumps(data), "study.yaml"), overrides), "study")


def problems(data, *overrides):
    with pytest.raises(StudyError) as error:
        read(data, *overrides)
    return [f"{problem.path}: {problem.message}" for problem in error.value.problems]


def test_the_throughput_is_read_off_at_the_operating_point():
    platform = read(study()).platforms[1]
    throughput = platform.inputs["throughput"]
    assert platform.frontier.interactivity == (20, 40, 80) and platform.frontier.spread == 0.15
    assert throughput.path == "platforms.b.throughput" and throughput.evidence.source == "measured"
    assert throughput.value.parameters == pytest.approx((math.log(4000 * (30 / 20) ** -2), 0.15)), "a power law"
    assert platform.inputs["throughput"].evidence.grade == "primary"


def test_moving_the_operating_point_moves_the_throughput():
    moved = read(study()).with_inputs({"platforms.b.operating_point.interactivity": 40})
    assert moved.platforms[1].inputs["throughput"].value.parameters[0] == pytest.approx(math.log(1000))


def test_no_spread_is_a_number():
    throughput = read(study({**FRONTIER, "spread": 0})).platforms[1].inputs["throughput"]
    assert throughput.is_constant and throughput.value.parameters[0] == pytest.approx(4000 * 1.5**-2)


def test_a_throughput_that_is_stated_stands():
    data = study(throughput=777)
    assert read(data).platforms[1].inputs["throughput"].value.parameters == (777,)
    data = study(point={"interactivity": 500}, throughput=777)
    assert read(data).platforms[1].frontier is not None, "beyond the frontier a throughput has to be stated, and is"
    shared = study()
    shared["shared"]["throughput"] = 555
    assert read(shared).platforms[1].inputs["throughput"].path == "shared.throughput"


def test_a_file_that_extends_another_replaces_a_frontier_whole(tmp_path):
    studies.write(tmp_path / "base.yaml", study())
    file = studies.write(tmp_path / "over.yaml", {"extends": "base.yaml", "platforms": {"b": {"frontier": {
        "interactivity": [10, 100], "throughput": [500, 5], "spread": 0.2}}}})
    platform = load(file).platforms[1]
    assert platform.frontier.interactivity == (10, 100) and platform.inputs["throughput"].evidence.source == ""


def test_one_value_of_a_frontier_can_be_set():
    assert read(study(), "platforms.b.frontier.spread=0.3").platforms[1].frontier.spread == 0.3


@pytest.mark.parametrize(("frontier", "words"), [
    ({**FRONTIER, "throughput": [4000, 1000]}, "platforms.b.frontier.throughput: found 2 throughputs for 3 interactivities"),
    ({**FRONTIER, "interactivity": [20, 20, 80]}, "platforms.b.frontier.interactivity: found 20 after 20; expected rising"),
    ({**FRONTIER, "interactivity": [80, 40, 20]}, "found 40 after 80"),
    ({**FRONTIER, "throughput": [1000, 1000, 250]},
     "platforms.b.frontier.throughput: found 1000 at 40 token/s/user after 1000 at 20"),
    ({**FRONTIER, "throughput": [1000, 4000, 250]}, "expected a Pareto set"),
    ({**FRONTIER, "throughput": [4000, 1000, 0]}, "platforms.b.frontier.throughput.2: found 0; expected above 0"),
    ({**FRONTIER, "interactivity": [-20, 40, 80]}, "platforms.b.frontier.interactivity.0: found -20; expected above 0"),
    ({**FRONTIER, "interactivity": [20, "x", 80]}, "platforms.b.frontier.interactivity.1: found the text 'x'; expected a number"),
    ({**FRONTIER, "interactivity": [20], "throughput": [4000]}, "found a list of 1; expected a list of 2"),
    ({**FRONTIER, "interactivity": 20}, "found 20; expected a list"), ({**FRONTIER, "spread": -0.1}, "found -0.1"),
    ({**FRONTIER, "spread": 15}, "found 15; expected an sd of the log"), ({**FRONTIER, "spread": "x"}, "expected a number"),
    ({**FRONTIER, "spred": 1}, "did you mean 'spread'"), ({**FRONTIER, "grade": "guess"}, "platforms.b.frontier.grade"),
    ({key: value for key, value in FRONTIER.items() if key != "spread"}, "platforms.b.frontier.spread: is missing"),
    ([1, 2], "platforms.b.frontier: found a list of 2; expected a mapping")])
def test_what_is_no_frontier_is_one_problem(frontier, words):
    found = problems(study(frontier))
    assert any(words in problem for problem in found), found
    assert len([problem for problem in found if "platforms.b" in problem]) <= 2
    assert not any("throughput: is missing" in problem for problem in found), "what follows from it is not reported as well"


def test_both_lists_may_be_wrong():
    assert len(problems(study({"interactivity": [1, 0], "throughput": [0, 1], "spread": 0.1}))) == 2


@pytest.mark.parametrize("interactivity", [19.9, 81, 1e6])
def test_outside_the_range_is_refused_at_the_interactivity(interactivity):
    (found,) = problems(study(point={"interactivity": interactivity}))
    assert found.startswith("platforms.b.operating_point.interactivity: found") and "measured from 20 to 80 token/s/user" in found


def test_a_wrong_operating_point_is_one_problem():
    (found,) = problems(study(point={"interactivity": -1}))
    assert found.startswith("platforms.b.operating_point.interactivity: found -1")


@pytest.mark.parametrize("point", [None, {"model": "R1"}])
def test_without_an_interactivity_there_is_no_throughput(point):
    (found,) = problems(study(point=point))
    assert found.startswith("platforms.b.throughput: is missing") and "read it off the frontier" in found


def test_a_message_has_the_line(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("schema: 1\nplatforms:\n  b:\n    ownership: rent\n    rental_price: 2\n    utilization: 0.5\n"
                    "    operating_point: {interactivity: 30}\n    frontier:\n      spread: 0.1\n"
                    "      interactivity: [20, 40]\n      throughput: [1, 2]\n")
    with pytest.raises(StudyError, match=r"study.yaml:11: platforms.b.frontier.throughput: found 2 at 40"):
        load(file)


def test_the_schema_for_editors_knows_it():
    validator = Draft202012Validator(study_schema())
    validator.validate(study())
    for wrong in ({**FRONTIER, "spred": 1}, {**FRONTIER, "throughput": [1]}, {**FRONTIER, "interactivity": [0, 1]},
                  {**FRONTIER, "spread": -1}, {"interactivity": [1, 2], "throughput": [2, 1]}):
        assert not validator.is_valid(study(wrong))
