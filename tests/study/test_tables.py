"""Tables are read as they stand, and a value that is wrong is told with its line."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.study import tables
from simulator.study.tables import DataError, as_text, read_csv, read_table


def table_of(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(text)
    return read_table(tmp_path / name)


@pytest.mark.parametrize("text", [
    "a,b\n1,x\n2,y\n", "a;b\n1;x\n2;y\n", "a\tb\r\n1\tx\r\n2\ty\r\n", "\ufeffa,b\n1,x\n2,y", '"a","b"\n"1","x"\n"2","y"\n',
    "# made by hand\na,b\n1,x\n2,y\n", "a , b\n 1,x \n2,y\n", "\na,b\n1,x\n\n2,y\n"])
def test_forms_of_a_table(tmp_path, text):
    table = table_of(tmp_path, text)
    assert table.names == ["a", "b"] and table.numbers("a").tolist() == [1, 2] and table.texts("b").tolist() == ["x", "y"]


@pytest.mark.parametrize("word", ["", "NA", "n/a", "N/E", "NaN", "null", "-", " "])
def test_missing_values(tmp_path, word):
    numbers = table_of(tmp_path, f"a,b\n1,x\n{word},y\n3,z\n").numbers("a")
    assert np.isnan(numbers[1]) and numbers[[0, 2]].tolist() == [1, 3]


@given(st.lists(st.sampled_from(["1.5", "2", "", "-3e2"]), min_size=1, max_size=12), st.integers(0, 11), st.booleans(),
       st.booleans())
def test_the_line_of_a_wrong_value_is_its_line(tmp_path_factory, values, position, preamble, quoted):
    """Whatever stands above it: comments, blank lines, quoted texts over several lines."""
    position = min(position, len(values))
    values = [*values[:position], "oops", *values[position:]]
    lines, wanted = (["# about"] if preamble else []) + ["a,b"], 0
    for k, value in enumerate(values):
        if k == position:
            wanted = sum(line.count("\n") + 1 for line in lines) + 1
        lines.append(f'{value},"x{chr(10) * (k % 3)}y"' if quoted else f"{value},x")
    file = tmp_path_factory.getbasetemp() / "p.csv"
    with pytest.raises(DataError) as caught:
        read_csv(file, "\n".join(lines) + "\n").numbers("a")
    assert f"p.csv:{wanted}: a: found the text 'oops'" in str(caught.value)


@given(st.text(st.sampled_from('ab1,;"\n\t #.{}'), max_size=60))
@example("#")
@example('"')
@example("a\n\"")
def test_whatever_text_it_is_it_is_read_or_refused_in_words(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "p.csv"
    try:
        table = read_csv(file, as_text(file, text.encode()))
        for name in table.names:
            table.numbers(name)
    except DataError as error:
        assert "p.csv" in str(error)


def test_lines_after_blank_ones_and_after_a_choice_of_rows(tmp_path):
    table = table_of(tmp_path, "a,b\n1,x\n\n2,y\n\n\nbad,y\n")
    with pytest.raises(DataError, match=r"t\.csv:7: a: found the text 'bad'"):
        table.numbers("a")
    with pytest.raises(DataError, match=r"t\.csv:7: a: found the text 'bad'"):
        table.where("b", "y").numbers("a")
    assert table.where("b", "x").numbers("a").tolist() == [1]


@pytest.mark.parametrize(("text", "words"), [
    ("", "empty"), (" \n\n", "empty"), ("a,b\n", "without rows"), ("a,b\n1,2\n1,2,3\n", "t.csv:3: found 3 columns; expected 2"),
    ("1,2\n3,4\n", "t.csv:1: found numbers in the first line"), ("a,b\n1,2\n\n\n5\n", "t.csv:5: found 1 column")])
def test_texts_that_are_no_table(tmp_path, text, words):
    with pytest.raises(DataError) as caught:
        table_of(tmp_path, text)
    assert words in str(caught.value)


@pytest.mark.parametrize(("value", "words"), [
    ("1,5", "decimal point"), ('"1,234.5"', "text '1,234.5'; expected a number"), ("$4", "without its unit"),
    ("4 USD", "without its unit"), ("inf", "infinite number"), ("12:30", "found the text '12:30'")])
def test_texts_that_are_no_number(tmp_path, value, words):
    with pytest.raises(DataError) as caught:
        table_of(tmp_path, f"a;b\n1;x\n{value};y\n").numbers("a")
    assert words in str(caught.value) and "t.csv:3" in str(caught.value)


def test_columns_that_are_not_there_or_twice(tmp_path):
    table = table_of(tmp_path, "price,zone,zone\n1,a,b\n")
    with pytest.raises(DataError, match="did you mean 'price'"):
        table.numbers("prices")
    with pytest.raises(DataError, match="its columns are price, zone, zone"):
        table.numbers("temperature")
    with pytest.raises(DataError, match="2 columns 'zone'"):
        table.texts("zone")


def test_parquet(tmp_path):
    columns = {"a": [1, 2, None], "b": ["x", "oops", "3"], "c": pd.to_datetime(["2024-01-01"] * 3)}
    pd.DataFrame(columns).to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert np.nansum(table.numbers("a")) == 3
    with pytest.raises(DataError, match=r"t\.parquet, row 1: b: found the text 'x'"):
        table.numbers("b")
    assert table.texts("c")[0].startswith("2024-01-01 00:00:00")


@pytest.mark.parametrize(("name", "content", "words"), [
    ("t.csv", b"\x89PNG\r\n\x00\x00", "binary"),
    ("t.csv", b"a,b\n1,\xff\n", "t.csv:2: found something else than text in UTF-8"),
    ("t.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"), ("t.parquet", b"a,b\n1,2\n", "something else than Parquet"),
    ("t.xlsx", b"PK", "save the sheet as CSV"), ("t.csv.gz", b"\x1f\x8b", "unpack it"),
    ("t.dat", b"a", "found the suffix '.dat'"),
    ("t.json", b'{"a": 1', "t.json:1: not valid JSON"), ("t.json", b'{"a": 1}', "without a list of records"),
    ("t.json", b"[]", "no records"), ("t.csv", b"x" * 5000, "more than 4,000 bytes")])
def test_files_that_are_no_data(tmp_path, monkeypatch, name, content, words):
    monkeypatch.setattr(tables, "MOST_BYTES", 4000)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)
    assert words in str(caught.value) and name in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "prices.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match="there is no such file; did you mean 'prices"):
        read_table(tmp_path / "price.csv")
    with pytest.raises(DataError, match="found a folder"):
        read_table(tmp_path)
