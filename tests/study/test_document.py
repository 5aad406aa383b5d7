"""YAML as plain data with lines; whatever the text is, it is read or refused, and nothing else happens."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.study.document import LONGEST_KEY, MAX_BYTES, MAX_DEPTH, parse, read_file, read_text
from simulator.study.problems import Place, StudyError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-10**20, 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    lambda inside: st.lists(inside, max_size=4)
    | st.dictionaries(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), inside, max_size=4), max_leaves=20)


def tree(text):
    return read_text(text, "x.yaml").tree


def refusal(text):
    with pytest.raises(StudyError) as error:
        read_text(text, "x.yaml")
    return str(error.value)


@given(PLAIN)
def test_json_is_yaml_and_means_the_same(value):
    assert tree(json.dumps(value, ensure_ascii=False)) == value


@given(PLAIN.filter(lambda value: value not in (None, [], {})))
@settings(max_examples=50)
def test_what_another_yaml_library_writes_is_read_as_it_was(value):
    from io import StringIO

    from ruamel.yaml import YAML

    text, yaml = StringIO(), YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(value, text)
    assert tree(text.getvalue()) == value


@pytest.mark.parametrize(("text", "value"), [
    ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("1e-3", 0.001), (".5", 0.5), ("5.", 5.0),
    ("-1", -1),
    ("+3", 3), ("010", 10), ("0x1F", 31), ("0o17", 15), ("65_536", 65536), ("1_0.5", 10.5), ("~", None), ("null", None),
    ("", None),
    ("2026-01-31", "2026-01-31"), ("12:30:45", "12:30:45"), ("1__0", "1__0"), ("_1", "_1"), ("-._", "-._"), (".", "."),
    ("0b1", "0b1"),
    ("1.10", 1.1), (".inf", math.inf), ("-.INF", -math.inf), ("'5'", "5"), ('"5"', "5"), ("1e999", math.inf), ("<<", "<<"),
    ("=", "=")])
def test_scalars_are_those_of_yaml_1_2(text, value):
    found = tree(f"a: {text}\n")["a"]
    assert found == value and type(found) is type(value)


def test_not_a_number_is_one():
    assert math.isnan(tree("a: .nan")["a"])


def test_each_value_knows_its_line():
    places = read_text("a: 1\nb:\n  c: [x,\n    y]\n  d: |\n    text\n", "x.yaml").places
    lines = {path: place.line for path, place in places.items()}
    assert lines == {(): 1, ("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "c", 0): 3, ("b", "c", 1): 4, ("b", "d"): 5}
    assert places[("a",)] == Place("x.yaml", 1, written="1")


@pytest.mark.parametrize(("text", "words"), [
    ("a: 1\nb: 2\na: 3", "x.yaml:3: a: stands twice, first on line 1"), ("a: {b: 1, b: 2}", "a.b: stands twice"),
    ("a: &x 1", "the anchor '&x'"), ("&x a: 1", "the anchor '&x'"), ("a: *x", "the alias '*x'"), ("*x : 1", "plain text"),
    ("a: !!float 3", "the tag '!!float'"), ("a: !x 3", "the tag '!x'"), ("a: ! 3", "the tag '!'"),
    ("!!map {a: 1}", "the tag '!!map'"),
    ("!!python/object:os.system x", "the tag"), ("a: !!binary aGk=", "the tag '!!binary'"), ("? [a]\n: 1", "plain text"),
    ("? {a: 1}\n: 1", "plain text"), ("<<: {a: 1}", "the merge key '<<'"), ("a: 1\n---\nb: 2", "second document"),
    ("%YAML 1.1\n---\na: NO", "%YAML 1.1"),
    ("a: " + "9" * 5000, "5,000 characters"), ("a: 0x" + "f" * 5000, "characters"),
    ("k" * (LONGEST_KEY + 1) + ": 1", "a key of 101"),
    ('a: "\\0"', "cannot be printed"), ('a: "\\e[31m"', "cannot be printed"), ('a: "\\ud800"', "cannot be printed"),
    ("a: \x01", "U+0001"), ("a: '" + "x" * 20, "quotation mark that is never closed"), ("a: {b: 1", "never closed"),
    ("a: [1", "never closed"), ("a:\n  b: 1\n c: 2", "indentation"), ("a: b: c", "':' where none can stand"), ("\ta: 1", "a tab"),
    ("a: {unit: %}", "'%' at the beginning"), ('a: "\\U00110000"', "not valid YAML")])
def test_what_is_refused_says_why(text, words):
    assert words in refusal(text)


def test_all_that_is_wrong_as_yaml_is_reported_and_the_rest_is_still_read():
    document = parse("a: &x 1\nb: *x\nc: !t 3\na: 2\nd: 5", "x.yaml")
    assert [problem.place.line for problem in document.problems] == [1, 2, 3, 4]
    assert document.tree == {"a": 1, "b": None, "c": "3", "d": 5}
    assert document.wrong == {("b",), ("c",)} and document.whole


def test_a_second_name_does_not_hide_the_first_value():
    assert parse("a: 1\na: 2", "x").tree == {"a": 1}


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "? " * 5000, "- " * 5000,
"\n".join(" " * k + "a:" for k in range(400))])
def test_depth_is_bounded(text):
    assert f"nested deeper than {MAX_DEPTH} levels" in refusal(text)


@given(st.text(st.sampled_from("ab:{}[],&*!|>%@`'\"#-? \n\t.~<=0159eE_\\x\x00\x85\ufeff\ud800é"),
max_size=60) | st.text(max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        read_text(text, "x.yaml")
    except StudyError as error:
        assert error.problems and str(error)


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_any_file_is_read_or_refused(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("files") / "x.yaml"
    file.write_bytes(data)
    document = read_file(file, "x.yaml")
    assert document.problems or isinstance(document.tree, dict)


@pytest.mark.parametrize(("data", "words"), [
    (b"", "empty"), (b"\n# only a comment\n", "empty"), (b"null", "empty"), (b"a: \0", "binary"),
    (b"\x89PNG\r\n\x1a\n\0", "binary"),
    (b"a: \xff", "UTF-8"), ("a: 1".encode("utf-16"), "binary"), (b"- a", "a list of 1"), (b"7", "found 7"),
    (b"text", "the text 'text'"),
    (b"a: " + b"x" * MAX_BYTES, "more than 1,000,000 bytes")])
def test_files_that_are_no_study(tmp_path, data, words):
    file = tmp_path / "x.yaml"
    file.write_bytes(data)
    (problem,) = read_file(file, "x.yaml").problems
    assert words in problem.message and problem.place.file == "x.yaml"


def test_a_byte_order_mark_is_no_content(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read_file(file, "x.yaml").tree == {"a": 1}


def test_devices_folders_and_names_that_cannot_be(tmp_path):
    from pathlib import Path

    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for file, words in [(tmp_path, "folder"), (Path("/dev/zero"), "bytes"), (tmp_path / "a\0b", "cannot be read"),
                        (tmp_path / ("x" * 5000), "cannot be read"), (tmp_path / "loop", "cannot be read"),
                        (tmp_path / "absent" / "x.yaml", "no such file")]:
        (problem,) = read_file(file, "x.yaml").problems
        assert words in problem.message
