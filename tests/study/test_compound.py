"""Mixtures and empirical distributions: as they are written, and as the mathematics has them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.quantities import INPUT
from simulator.study.compound import mixture
from simulator.study.document import read_file
from simulator.study.families import Marginal, constant
from simulator.study.marginals import read_marginal
from simulator.study.mixtures import mixture_quantiles, probabilities
from simulator.study.reader import Reader

CONTINUOUS = [
    (Marginal("uniform", (2.0, 5.0)), stats.uniform(2, 3)), (Marginal("triangular", (3.0, 5.0, 8.0)), stats.triang(0.4, 3, 5)),
    (Marginal("triangular", (1.0, 1.0, 2.0)), stats.triang(0, 1, 1)),
    (Marginal("triangular", (1.0, 2.0, 2.0)), stats.triang(1, 1, 1)),
    (Marginal("normal", (4.0, 1.5)), stats.norm(4, 1.5)), (Marginal("lognormal", (1.0, 0.7)), stats.lognorm(0.7, scale=math.e)),
    (Marginal("truncated_normal", (4.0, 2.0, 3.0, 9.0)), stats.truncnorm(-0.5, 2.5, 4, 2)),
    (Marginal("truncated_normal", (0.0, 1.0, 4.0, math.inf)), stats.truncnorm(4, math.inf)),
    (Marginal("beta", (2.0, 5.0, 1.0, 4.0)), stats.beta(2, 5, 1, 3)), (Marginal("gamma", (4.0, 0.5)), stats.gamma(4, scale=0.5)),
    (Marginal("weibull", (2.64, 7.11)), stats.weibull_min(2.64, scale=7.11)),
    (Marginal("exponential", (3.0,)), stats.expon(scale=3))]


@pytest.mark.parametrize(("marginal", "reference"), CONTINUOUS, ids=lambda case: getattr(case, "family", ""))
def test_probabilities_are_those_of_scipy(marginal, reference):
    x = np.linspace(-1, 12, 300)
    below, above = probabilities(marginal, x)
    np.testing.assert_allclose(below, reference.cdf(x), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(above, reference.sf(x), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("marginal", [
    *(marginal for marginal, _ in CONTINUOUS), Marginal("empirical", (1.0, 2.0, 2.0, 2.0, 4.0)),
    Marginal("metalog", (-math.inf, math.inf, 3.0, 1.0, 0.2)), Marginal("metalog", (0.0, 9.0, 0.3, 1.0, 0.2))],
    ids=lambda marginal: marginal.family)
def test_probabilities_lead_back_to_quantiles(marginal):
    p = np.array([1e-9, 0.01, 0.2, 0.6, 0.95])
    below, above = probabilities(marginal, np.array([marginal.quantile(float(q)) for q in p]))
    at_ties = marginal.family == "empirical"
    assert np.all(below >= p - 1e-9) and (at_ties or below == pytest.approx(p, rel=1e-6))
    np.testing.assert_allclose(below + above, 1, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 5), st.sampled_from([marginal for marginal, _ in CONTINUOUS])), min_size=2, max_size=4),
       st.floats(0.001, 0.999))
def test_quantiles_of_a_mixture_lead_back(parts, p):
    mixed = mixture([weight for weight, _ in parts], [part for _, part in parts])
    below, _ = probabilities(mixed, np.array([mixed.quantile(p)]))
    assert below[0] >= p * (1 - 1e-9)
    lower, _ = probabilities(mixed, np.array([np.nextafter(mixed.quantile(p), -math.inf)]))
    assert lower[0] <= p * (1 + 1e-9)


def test_a_mixture_of_steps():
    mixed = mixture([1, 3], [constant(1.0), Marginal("discrete", (2.0, 3.0, 0.5, 1.0))])
    assert [mixed.quantile(p) for p in (1e-12, 0.2499, 0.2501, 0.62, 0.63, 1 - 1e-12)] == [1, 1, 2, 2, 3, 3]


def test_mixtures_of_mixtures_are_flat():
    inner = mixture([1, 1], [constant(1.0), constant(2.0)])
    outer = mixture([1, 3], [inner, constant(5.0)])
    assert outer.parameters == (0.125, 0.125, 0.75) and len(outer.components) == 3
    assert mixture([2], [constant(1.0)]) == constant(1.0)


def test_the_tails_keep_their_digits():
    mixed = mixture([1, 1], [Marginal("normal", (0.0, 1.0)), Marginal("normal", (100.0, 1.0))])
    found = mixture_quantiles(mixed, np.array([5e-12, 1 - 5e-12]), np.array([1 - 5e-12, 5e-12]))
    assert found == pytest.approx([stats.norm.ppf(1e-11), 100 + stats.norm.isf(1e-11)], rel=1e-9)


# --- as they are written ---------------------------------------------------------------------------------------


def read(folder, text, quantity="power"):
    file = folder / "study.yaml"
    file.write_text(f"shared:\n  {quantity}: {text}\n", encoding="utf-8")
    document = read_file(file, str(file))
    reader = Reader(document)
    found = read_marginal(reader, document.tree["shared"][quantity], ("shared", quantity), INPUT[quantity])
    return found, reader


def right(folder, text, quantity="power"):
    found, reader = read(folder, text, quantity)
    assert not reader.problems, reader.problems
    return found


def wrong(folder, text, quantity="power"):
    found, reader = read(folder, text, quantity)
    assert found is None
    (problem,) = reader.problems
    return str(problem)


def test_a_mixture_with_units(tmp_path):
    found = right(tmp_path, "{distribution: mixture, unit: W, components: [{weight: 1, value: 1000}, "
                  "{weight: 3, distribution: uniform, low: 2000, high: {value: 3, unit: kW}}]}")
    assert found == Marginal("mixture", (0.25, 0.75), (constant(1.0), Marginal("uniform", (2.0, 3.0))))


@pytest.mark.parametrize(("text", "words"), [
    ("{distribution: mixture}", "components: is missing"), ("{distribution: mixture, components: 3}", "expected a list"),
    ("{distribution: mixture, components: []}", "expected a list"), ("{distribution: mixture, components: [1]}", "components.0"),
    ("{distribution: mixture, components: [{value: 1}]}", "components.0.weight: is missing"),
    ("{distribution: mixture, components: [{weight: 0, value: 1}]}", "above 0"),
    ("{distribution: mixture, components: [{weight: 1, value: -1}]}", "components.0: found -1"),
    ("{distribution: mixture, components: [{weight: 1, distribution: pert, low: 1}]}", "pert takes"),
    ("{distribution: mixture, component: []}", "did you mean 'components'"),
    ("{distribution: mixtur, a: 1}", "did you mean 'mixture'")])
def test_what_is_wrong_with_a_mixture(tmp_path, text, words):
    assert words in wrong(tmp_path, text)


def table(folder, text, name="data.csv"):
    (folder / name).write_text(text, encoding="utf-8")


EMPIRICAL = "{distribution: empirical, file: data.csv, column: kw}"


def test_a_column_is_linear_between_order_statistics(tmp_path):
    table(tmp_path, "month;kw\n1;3\n2;1\n\n3;2\n4;7\n")
    found = right(tmp_path, EMPIRICAL)
    assert found.parameters == (1, 2, 3, 7)
    p = np.array([0.1, 1 / 3, 0.5, 0.9])
    assert [found.quantile(float(q)) for q in p] == pytest.approx(list(np.quantile([3, 1, 2, 7], p)))


def test_a_column_has_a_unit_and_the_file_is_known(tmp_path):
    table(tmp_path, "kw\n1000\n3000\n")
    found, reader = read(tmp_path, "{distribution: empirical, file: data.csv, column: kw, unit: W}")
    assert found.parameters == (1, 3)
    (file,) = reader.data_files
    assert file.file == tmp_path / "data.csv" and file.path == ("shared", "power", "file") and len(file.digest) == 32


def test_parquet(tmp_path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"kw": [1.0, 2.0], "hole": [1.0, None], "text": ["a", "b"]}), tmp_path / "data.parquet")
    as_parquet = EMPIRICAL.replace("csv", "parquet")
    assert right(tmp_path, as_parquet).parameters == (1, 2)
    assert "row 2: hole: found nothing" in wrong(tmp_path, as_parquet.replace("column: kw", "column: hole"))
    assert "found the text 'a'" in wrong(tmp_path, as_parquet.replace("column: kw", "column: text"))


@pytest.mark.parametrize(("content", "text", "words"), [
    ("kw\n1\n2\n", "{distribution: empirical, file: data.csv}", "column: is missing"),
    ("kw\n1\n2\n", "{distribution: empirical, column: kw}", "file: is missing"),
    ("kw\n1\n2\n", EMPIRICAL.replace("kw", "kww"), "no column 'kww'; did you mean 'kw'"),
    ("a,b\n1,2\n1,2\n", EMPIRICAL, "its columns are a, b"), ("kw,kw\n1,2\n", EMPIRICAL, "2 columns 'kw'"),
    ("kw\n1\nx\n", EMPIRICAL, "data.csv:3: kw: found the text 'x'"),
    ("a,kw\n1,2\n1,\n", EMPIRICAL, "data.csv:3: kw: found nothing"),
    ("kw\n1\ninf\n", EMPIRICAL, "infinite"), ("kw\n1\n", EMPIRICAL, "found 1 value in"),
    ("kw\n2\n2\n", EMPIRICAL, "2 times the same value 2"), ("kw\n-2\n2\n", EMPIRICAL, "reaches from -2"),
    ("", EMPIRICAL, "empty file"), ("\0\1", EMPIRICAL, "binary"),
    ("kw\n1\n2\n", EMPIRICAL.replace("data.csv", "date.csv"), "'data.csv'"),
    ("kw\n1\n2\n", EMPIRICAL.replace("data.csv", "../data.csv"), "outside the folder"),
    ("kw\n1\n2\n", EMPIRICAL.replace("data.csv", "/etc/passwd"), "outside the folder"),
    ("kw\n1\n2\n", EMPIRICAL.replace("data.csv", "data.xlsx"), "no such file"),
    ("kw\n1\n2\n", EMPIRICAL.replace("column", "colum"), "did you mean 'column'")])
def test_what_is_wrong_with_a_file(tmp_path, content, text, words):
    table(tmp_path, content)
    message = wrong(tmp_path, text)
    assert words in message and "study.yaml:2" in message
