"""What is printed is true, whole, and never taken for markup."""

import io

import pytest
import studies
from rich.console import Console

import simulator
from simulator.reporting.terminal import summary
from simulator.reporting.wording import headline


def printed(run, width=160):
    text = io.StringIO()
    Console(file=text, width=width, markup=False).print(summary(run))
    return text.getvalue()


def rented(price, throughput, **more):
    return {"ownership": "rent", "throughput": throughput, "rental_price": price, **more}


def study_of(**platforms):
    data = studies.study(platforms=platforms)
    del data["shared"]["energy_price"]
    return data


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_costs_that_turn_negative_have_no_ratios_in_either_order(load, order):
    data = studies.study()
    data["shared"]["energy_price"] = {"distribution": "uniform", "low": -1, "high": 0.2}
    data["platforms"] = {name: data["platforms"][name] for name in order}
    run = simulator.run(load(data))
    text = printed(run)
    assert "÷" not in text and "times as much" not in text
    assert all("%)" not in line for line in text.splitlines() if line.startswith("a ")), "no shares of a sum with income in it"
    assert any("a costs nothing or less" in warning for warning in run.warnings)
    for owner, quantity in [("a/b", "ratio"), ("b/a", "ratio"), ("a", "tokens_per_dollar")]:
        with pytest.raises(KeyError):
            run.estimate(owner, quantity, "p50")
    assert run.estimate("b", "tokens_per_dollar", "p50").value > 0
    assert run.estimate(f"{order[1]}/{order[0]}", "probability_cheaper").value > 0, "who is cheaper stays meaningful"
    assert run.dataset is not None and run.summary.document
    (line,) = [line for line in text.splitlines() if line.startswith(("a − b", "b − a"))]
    low, middle, high = (float(cell) for cell in line.split()[3:6])
    assert low < middle < high and middle > 0, "the dearer median first"


def test_costs_of_zero_are_no_failure(load):
    data = study_of(a={**studies.BOUGHT, "capex": 0, "energy_price": 0}, b=rented(2, 100))
    run = simulator.run(load(data))
    assert run.estimate("a", "cost_per_million_tokens", "p95").value == 0
    assert "b cost" not in headline(run) and printed(run)


def test_ratios_read_the_same_whichever_platform_comes_first(load):
    uncertain = {"distribution": "lognormal", "p5": 90, "p95": 160}
    texts = []
    for names in (("a", "b"), ("b", "a")):
        platforms = {"a": rented(2, uncertain), "b": rented(3, uncertain)}
        text = printed(simulator.run(load(study_of(**{name: platforms[name] for name in names}))))
        texts.append(next(line for line in text.splitlines() if line.startswith("b ÷ a")).split()[3:6])
    assert texts[0] == texts[1]


def test_words_of_a_study_are_no_markup(load):
    data = study_of(a=rented(2, 100, peak_flops=5, peak_flops_basis="FP8 [/dense]", label="[red]A"), b=rented(2, 200))
    data["study"], data["description"] = "[bold]x", "[/nothing]"
    text = printed(simulator.run(load(data)))
    assert all(words in text for words in ("FP8 [/dense]", "[red]A", "[bold]x", "[/nothing]"))


def test_published_ratios_with_zeros(load):
    data = study_of(a={**studies.BOUGHT, "opex": 0, "energy_price": 0.08}, b={**studies.BOUGHT, "opex": 5, "energy_price": 0.08})
    data["published"] = [{"quantity": "opex", "of": of, "value": 2} for of in ("a/b", "b/a")]
    run = simulator.run(load(data))
    assert [figure["computed"]["value"] for figure in run.summary.document["published"]] == [0]
    assert any("the published opex of b/a is not shown" in warning for warning in run.warnings)


def test_operating_points_are_said_of_those_that_have_them(load):
    point = {"model": "DS", "precision": "fp8"}
    one = printed(simulator.run(load(study_of(a=rented(2, 100, operating_point=point), b=rented(2, 200)))))
    both = printed(simulator.run(load(study_of(a=rented(2, 100, operating_point=point),
                                               b=rented(2, 200, operating_point=point)))))
    assert "Operating point of a: DS." in one and "Operating point: DS, fp8." in both
    empty = printed(simulator.run(load(study_of(a=rented(2, 100, operating_point={}), b=rented(2, 200, operating_point={})))))
    assert "Operating point" not in empty


def test_certain_costs_have_no_chances(load):
    data = study_of(a=rented(2, 100), b=rented(2, 200))
    data["shared"]["utilization"] = 0.5
    text = printed(simulator.run(load(data)))
    assert "100 %" in text and "over" not in text and "simulated futures" not in text


def test_twelve_platforms_lose_no_digits_on_a_narrow_terminal(load):
    data = study_of(**{f"p{k}": rented(2, 100 * 1.3**k, label=f"A rather long name, number {k}") for k in range(12)})
    text = printed(simulator.run(load(data)), width=100)
    assert "…" not in text and text.count("÷") == 12


def test_regret_has_no_digits_beyond_those_of_the_cost(load):
    data = study_of(a=rented(2, {"distribution": "lognormal", "p5": 95, "p95": 150}), b=rented(4.2, 80))
    assert "0.00000" not in printed(simulator.run(load(data)))
