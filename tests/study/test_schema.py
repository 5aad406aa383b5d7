"""Versions of the format: what this version reads, and what it says of others."""

import pytest
import studies

import simulator
from simulator.study.schema import SCHEMA, why_unread


@pytest.mark.parametrize("found", [SCHEMA, float(SCHEMA)])
def test_this_schema_is_read(found):
    assert why_unread(found) == ""


@pytest.mark.parametrize(("found", "words"), [
    (SCHEMA + 1, f"found schema {SCHEMA + 1}, of a newer version of tco; this version ({simulator.__version__}) reads schema"),
    (10**400, "upgrade tco-simulator to read it"), (0, "found schema 0, which there never was"), (-1, "found schema -1"),
    ("1", "found the text '1'; this version reads schema 1"), (None, "found nothing"), (True, "found true"), (1.5, "found 1.5"),
    ([], "found an empty list"), (float("nan"), "found nan"), (float("inf"), "found inf")])
def test_others_are_refused_in_words(found, words):
    assert words in why_unread(found)


def test_a_study_of_a_newer_version_is_refused_with_its_place(load):
    with pytest.raises(simulator.StudyError) as caught:
        load(studies.study(schema=2))
    (problem,) = caught.value.problems
    assert str(problem).endswith("upgrade tco-simulator to read it") and problem.path == "schema" and problem.place.line == 1
