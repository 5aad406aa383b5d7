"""YAML for pasting reads back as it was, and reads well."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.study import writing
from simulator.study.document import read_text
from simulator.study.writing import as_yaml, study_yaml, study_yaml_pieces

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"],
                                exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"), max_size=200)
VALUES = TEXTS | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-10**9, 10**9) | st.booleans()


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), VALUES | st.lists(st.floats(-1e9, 1e9), min_size=1)))
@example({"note": "a colon: here, a # and 'quotes' " * 9}).via("what folding has to keep")
@example({"note": "two  spaces " * 20}).via("what folding has to keep")
@example({"date": "2026-03-25", "no": "no", "number": "1.10", "nothing": "null"})
def test_it_reads_back_as_it_was(tree):
    if tree:
        assert read_text(as_yaml(tree), "x").tree == tree


def test_it_reads_well():
    text = as_yaml({"throughput": {"median": 16129, "note": "word " * 60 + "end"}, "list": [1.0, 2.5]})
    assert text.splitlines()[:3] == ["throughput:", "  median: 16129", "  note: >-"]
    assert text.splitlines()[-1] == "list: [1.0, 2.5]"
    assert max(map(len, text.splitlines())) <= 115 and not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize("key", ["operating_point", "throughput"])
def test_the_order_of_keys_is_kept(key):
    assert list(read_text(as_yaml({key: 1, "a": 2}), "x").tree) == [key, "a"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("after", [{}, {"sweeps": {"load": {"over": {"shared.utilization": [0.2, 0.4]}}}}])
def test_what_ifs_written_some_at_a_time_are_the_same_text(count, after, monkeypatch):
    monkeypatch.setattr(writing, "_WHAT_IFS_AT_ONCE", 2)
    what_ifs = {f"w{k}": {"description": "w0:\n  set: 1", "set": {"shared.utilization": {"value": k, "note": ""}, "b": [k, k]},
                          **({"extends": "w0"} if k else {})} for k in range(count)}
    tree = {"schema": 1, "study": "what_ifs:", "what_ifs": what_ifs, **after}
    pieces = list(study_yaml_pieces(tree))
    assert "".join(pieces) == study_yaml(tree) and (len(pieces) > 2) == (count > 2)
    assert list(study_yaml_pieces({"schema": 1, "what_ifs": None})) == [study_yaml({"schema": 1, "what_ifs": None})]
