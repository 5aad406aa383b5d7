"""What differs between two studies, and the studies between them."""

import copy
from itertools import chain, combinations

import pytest
import studies

from simulator.study.differences import EVIDENCE, OTHER, SETTING, WORLD, between, differences
from simulator.study.reading import read_study


@pytest.fixture
def pair(tmp_path):
    """Two studies: `pair(change)` edits the data of the second."""
    import simulator

    def made(change, data=None):
        data = data or studies.study()
        other = copy.deepcopy(data)
        change(other)
        return [simulator.load(studies.write(tmp_path / f"{name}.yaml", each)) for name, each in (("one", data), ("two", other))]
    return made


def put(path, value):
    def change(data):
        for key in path[:-1]:
            data = data.setdefault(key, {})
        data[path[-1]] = value
    return change


@pytest.mark.parametrize(("path", "value", "name", "kind"), [
    (("shared", "utilization"), 0.5, "shared.utilization", WORLD),
    (("shared", "energy_price", "median"), 60, "shared.energy_price", WORLD),
    (("shared", "energy_price", "source"), "EIA", "shared.energy_price", EVIDENCE),
    (("platforms", "a", "capex", "grade"), "weak", "platforms.a.capex", EVIDENCE),
    (("platforms", "a", "throughput_factors", "delivered_share"), 0.9, "platforms.a.throughput_factors.delivered_share", WORLD),
    (("platforms", "a", "label"), "A", "platforms.a.label", OTHER), (("description",), "x", "description", OTHER),
    (("platforms", "a", "attrition"), "without_replacement", "platforms.a.attrition", WORLD),
    (("platforms", "b", "rental_price"), {"value": 2.0, "unit": "USD/GPU/hour"}, "platforms.b.rental_price", OTHER),
    (("simulation", "seed"), 4, "simulation.seed", SETTING), (("simulation", "horizon"), 9, "simulation.horizon", WORLD),
    (("sensitivity",), {"methods": ["tornado"]}, "sensitivity", OTHER),
    (("what_ifs",), {"x": {"set": {"shared.utilization": 0.3}}}, "what_ifs.x", OTHER), (("as_of",), "2026-01-01", "as_of", OTHER),
    (("correlations",), {"pairs": [["platforms.a.capex", "shared.utilization", 0.2]]}, "correlations", WORLD),
])
def test_each_kind_of_change_is_told(pair, path, value, name, kind):
    first, second = pair(put(path, value))
    (found,) = differences(first, second).changes
    assert (found.name, found.kind) == (name, kind)
    (back,) = differences(second, first).changes
    assert (back.old, back.new) == (found.new, found.old)


def test_the_same_study_has_no_changes(pair):
    first, second = pair(lambda data: None)
    assert differences(first, second).changes == ()


def test_platforms_that_one_alone_has_are_named_and_what_correlates_with_them_is_no_change(pair):
    def change(data):
        data["platforms"]["c"] = {**studies.RENTED, "rental_price": 3.0}
        data["correlations"] = {"pairs": [["platforms.c.throughput", "shared.utilization", 0.2]]}

    first, second = pair(change)
    found = differences(first, second)
    assert (found.common, found.removed, found.added, found.changes) == (("a", "b"), (), ("c",), ())
    back = differences(second, first)
    assert (back.common, back.removed, back.added) == (("a", "b"), ("c",), ())


def digest(document):
    return read_study(document, "x").digest


def test_with_all_changes_it_is_the_other_study_and_with_none_itself(pair):
    def change(data):
        data["shared"] |= {"utilization": 0.5, "energy_price": {**studies.PROCESS, "median": 60}}
        data["platforms"]["a"]["throughput_factors"]["prefix_cache"] = 1.1
        del data["platforms"]["a"]["pue"]
        data["shared"]["pue"] = 1.4

    first, second = pair(change)
    found = differences(first, second)
    assert {each.name for each in found.changes} == {
        "shared.utilization", "shared.energy_price", "shared.pue", "platforms.a.pue",
        "platforms.a.throughput_factors.prefix_cache"}
    none, everything = (read_study(between(first, second, found.common, changes), "x") for changes in ((), found.changes))
    for study, other in ((none, first), (everything, second)):
        assert {path: given.value for path, given in study.inputs().items()} == {
            path: given.value for path, given in other.inputs().items()}
    assert first.document.tree["shared"]["utilization"] != 0.5, "the first study stays as it is"


def test_what_belongs_to_a_change_that_is_not_made_is_left_out(pair):
    """Buying in place of renting, with a correlation of what only the one has: every mixture that can be read is."""
    def change(data):
        data["platforms"]["c"] = {**studies.RENTED}
        data["correlations"] = {"pairs": [["platforms.a.capex", "platforms.a.power", 0.5]]}
        data["platforms"]["a"]["power"] = {"distribution": "uniform", "low": 1, "high": 2}

    first, second = pair(change)
    found = differences(first, second)
    for made in chain.from_iterable(combinations(found.changes, size) for size in range(3)):
        document = between(first, second, found.common, made)
        assert "c" not in document.tree["platforms"]
        if {each.name for each in made} != {"correlations"}:  # of a certain power there is no rank correlation
            digest(document)
