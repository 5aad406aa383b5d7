"""Named markets, words of platforms, prices of tokens, evidence: what is right, and what is said where it is not."""

import copy
from datetime import date

import pytest
import studies

import simulator
from simulator.study.checks import latest_day

PROCESS = {**studies.PROCESS, "source": "fit", "grade": "primary"}


def changed(*changes):
    """The study of the tests with values replaced: pairs of path and value; None takes a key away."""
    data = copy.deepcopy(studies.study())
    for path, value in changes:
        *around, last = path.split(".")
        inside = data
        for key in around:
            inside = inside.setdefault(key, {})
        if value is None:
            inside.pop(last)
        else:
            inside[last] = value
    return data


def load(tmp_path, *changes):
    return simulator.load(studies.write(tmp_path / "study.yaml", changed(*changes)))


def problems(tmp_path, *changes):
    with pytest.raises(simulator.StudyError) as error:
        load(tmp_path, *changes)
    return [f"{problem.path}: {problem.message}" for problem in error.value.problems]


ON_MARKET = (("markets.pjm", PROCESS), ("markets.ercot", {**PROCESS, "median": 30}), ("shared.energy_price", None),
             ("platforms.a.energy_price", {"market": "pjm"}))


def test_platforms_name_their_markets(tmp_path):
    study = load(tmp_path, *ON_MARKET)
    given = study.platforms[0].inputs["energy_price"]
    assert (given.path, given.evidence.grade) == ("markets.pjm", "primary")
    assert "markets.ercot is not used: no platform names it" in study.warnings
    changed_median = study.with_inputs({"markets.pjm.median": 50})
    assert changed_median.platforms[0].inputs["energy_price"].value.parameters["median"].parameters == (0.05,)
    run = simulator.run(study)
    assert run.estimate("a", "parts.energy", "mean").value > 0
    assert "markets.pjm.median" in run.dataset.input.values
    assert dict(zip(run.dataset.input.values.tolist(), run.dataset.input_units.values.tolist(), strict=True))[
        "markets.pjm.median"] == "USD/kWh"


def test_two_platforms_on_one_market_share_its_price(tmp_path):
    second = {**studies.BOUGHT, "energy_price": {"market": "pjm"}}
    study = load(tmp_path, *ON_MARKET, ("platforms.c", second))
    assert study.platforms[2].inputs["energy_price"].path == "markets.pjm"


@pytest.mark.parametrize(("more", "message"), [
    (("platforms.a.energy_price", {"market": "pjn"}), "platforms.a.energy_price.market: there is no market 'pjn' in the study; did you "
     "mean 'pjm'?"),
    (("platforms.a.energy_price", {"market": "x"}), "platforms.a.energy_price.market: there is no market 'x' in the study; its markets "
     "are pjm, ercot"),
    (("platforms.a.energy_price", {"market": "pjm", "median": 3}), "platforms.a.energy_price.median: unknown key 'median'; expected "
     "market or note"),
    (("platforms.b.rental_price", {"market": "pjm"}), "platforms.b.rental_price.market: found the market pjm, which is a price 'of: "
     "energy_price'; expected one 'of: rental_price'"),
    (("markets.pjm", {**PROCESS, "of": "capex"}), "markets.pjm.of: found the text 'capex'; expected rental_price, energy_price or "
     "token_price"),
    (("markets.pjm", {**PROCESS, "median": -1}), "markets.pjm.median: found -0.001 USD/kWh; expected above 0 and at most 10 USD/kWh"),
    (("markets", 3), "markets: found 3; expected a mapping of prices by name")])
def test_wrong_markets(tmp_path, more, message):
    found = problems(tmp_path, *ON_MARKET, more)
    assert any(message.replace("-0.001 USD/kWh", "-1 USD/MWh, which is -0.001 USD/kWh") == line or message == line for line in found)


def test_a_market_without_markets(tmp_path):
    assert problems(tmp_path, ("shared.energy_price", {"market": "pjm"})) == [
        "shared.energy_price.market: there is no market 'pjm' in the study; it has no 'markets'"]


@pytest.mark.parametrize(("changes", "message"), [
    ([("shared.tax_rate", 0.3)], "platforms.a.depreciation: is missing; tax_rate needs it, here or under shared: straight_line, "
     "macrs_5 or full_expensing"),
    ([("shared.tax_rate", 0.3), ("platforms.a.depreciation", "macrs5")], "platforms.a.depreciation: found the text 'macrs5'; expected "
     "straight_line, macrs_5 or full_expensing; did you mean 'macrs_5'?"),
    ([("platforms.a.attrition", "none")], "platforms.a.attrition: found the text 'none'; expected with_replacement or "
     "without_replacement"),
    ([("platforms.a.inflation", 0.02)], "platforms.a.inflation: found the inflation of one platform; expected it under shared: all "
     "platforms are paid in the same money"),
    ([("shared.discount_rate", {"value": 0.1, "basis": "nominal"})], "shared.inflation: is missing; discount_rate is stated with "
     "'basis: nominal'"),
    ([("shared.token_price", 2), ("platforms.a.input_token_price", 1), ("platforms.a.output_token_price", 1)],
     "shared.token_price: found token_price beside input_token_price; expected one price of all tokens, or one for each kind"),
    ([("platforms.a.input_token_price", 1)], "platforms.a.output_token_price: is missing; input_token_price needs it"),
    ([("platforms.a.input_token_price", 1), ("platforms.a.output_token_price", 1)],
     "platforms.a.operating_point: is missing; separate prices of input and output tokens need its input_tokens, output_tokens and "
     "token_basis"),
    ([("platforms.a.contract_term", 1)], "platforms.a.contract_term: found an input of platforms with 'ownership: rent', but this one "
     "has 'ownership: buy'; expected it left out, or the other ownership"),
    ([("as_of", "yesterday")], "as_of: found the text 'yesterday'; expected a date such as 2026-11-25"),
    ([("evidence", "claims")], "evidence: found the text 'claims'; expected measured or claim; did you mean 'claim'?")])
def test_what_is_wrong_with_words_and_money(tmp_path, changes, message):
    assert message in problems(tmp_path, *changes)


def test_words_may_stand_in_shared_and_a_platform_overrides_them(tmp_path):
    study = load(tmp_path, ("shared.tax_rate", 0.2), ("shared.depreciation", "macrs_5"), ("platforms.c", {
        **studies.BOUGHT, "depreciation": "full_expensing", "attrition": "without_replacement", "failure_rate": 0.1}))
    assert [platform.depreciation for platform in study.platforms] == ["macrs_5", "macrs_5", "full_expensing"]
    assert study.platforms[2].attrition == "without_replacement"


# --- evidence -------------------------------------------------------------------------------------------------

def test_weak_and_old_evidence_is_named(tmp_path):
    study = load(tmp_path, ("as_of", "2026-11-25"), ("platforms.a.power", {"value": 2, "grade": "weak", "date": "2025-11"}),
                 ("platforms.a.pue", {"value": 1.2, "date": "2025-10"}), ("platforms.b.power", {"value": 2, "grade": "weak"}),
                 ("platforms.b.pue", {"value": 1.2, "date": "2024"}))
    assert [note for note in study.warnings if "evidence" in note] == [
        "weak evidence, in 2 of 14 inputs (ranges are left as stated): power of 2 platforms",
        "evidence over twelve months old on 2026-11-25, in 2 of 14 inputs (ranges are left as stated): pue of 2 platforms (2024 to "
        "2025-10)"]


def test_the_date_of_comparison_changes_no_digest(tmp_path):
    assert load(tmp_path, ("as_of", "2026-11-25")).digest == load(tmp_path, ("as_of", "2020-01-01")).digest == load(tmp_path).digest


@pytest.mark.parametrize(("text", "day"), [("2025", date(2025, 12, 31)), ("2025-02", date(2025, 2, 28)), ("2024-12", date(2024, 12, 31)),
                                           ("2025-03-07", date(2025, 3, 7)), ("last year", None), ("2025-13", None), ("", None)])
def test_the_last_day_of_a_date(text, day):
    assert latest_day(text) == day


def test_a_claim_beside_a_measurement_is_run_with_each(tmp_path):
    both = {"measured": {"distribution": "uniform", "low": 900, "high": 1100, "source": "benchmark"},
            "claim": {"value": 2000, "source": "vendor"}}
    study = load(tmp_path, ("platforms.b.throughput", both), ("platforms.b.utilization", 0.5))
    run = simulator.run(study)
    assert dict.fromkeys(record.scenario for record in run.records).keys() == {"base", "with_claims"}
    assert run.estimate("b", "cost_per_million_tokens", "p50").value == pytest.approx(2e6 / (1000 * 0.5 * 3600), rel=1e-3)
    claimed = run.estimate("b", "cost_per_million_tokens", "p50", "with_claims")
    assert claimed.value == pytest.approx(2e6 / (2000 * 0.5 * 3600), rel=1e-12)
    # All else is the same future.
    assert run.estimate("a", "cost_per_million_tokens", "p50") == run.estimate("a", "cost_per_million_tokens", "p50", "with_claims")
    assert list(run.summary.document["scenarios"]) == ["base", "with_claims"]
    assert list(run.dataset.scenario.values) == ["base", "with_claims"]
    assert any(note.startswith("with_claims: vendors' claims in place of measurements") for note in run.warnings)

    claims = simulator.run(load(tmp_path, ("platforms.b.throughput", both), ("platforms.b.utilization", 0.5), ("evidence", "claim")))
    assert claims.estimate("b", "cost_per_million_tokens", "p50") == claimed
    assert dict.fromkeys(record.scenario for record in claims.records).keys() == {"base", "with_measurements"}
