"""Prices of every market become the monthly means that they are, whatever the clock does."""

import json

import numpy as np
import pandas as pd
import price_files
import pytest

from simulator.adapters.prices import PriceOptions, read_prices
from simulator.adapters.times import hours_in_month
from simulator.adapters.units_of_files import stated_in
from simulator.study.tables import DataError, read_table


def read(path, **options):
    return read_prices(read_table(path), PriceOptions(**options))


@pytest.mark.parametrize(("write", "kind", "unit", "options"), [
    (price_files.ercot, "ERCOT", "USD/MWh", {}), (price_files.ercot_day_ahead, "ERCOT", "USD/MWh", {}),
    (price_files.pjm, "PJM", "USD/MWh", {}), (price_files.entsoe, "ENTSO-E", "USD/MWh", {"usd_per": 1.0}),
    (lambda path: price_files.entsoe(path, old=True), "ENTSO-E", "USD/MWh", {"usd_per": 1.0}),
    (price_files.eia_api, "EIA", "cent/kWh", {}), (price_files.eia_browser, "EIA", "cent/kWh", {}),
    (price_files.eia_chart, "table", "cent/kWh", {})])
def test_each_market(tmp_path, write, kind, unit, options):
    path = tmp_path / "prices.csv"
    means = write(path)
    series = read(path, **options)
    assert (series.kind, series.unit.unit, series.unit.quantity.name) == (kind, unit, "energy_price")
    assert series.monthly.months.tolist() == list(range(636, 651)), "January 2023 to March 2024"
    assert series.monthly.means.tolist() == pytest.approx(means, rel=1e-9), "every hour counts once, the one that comes again too"
    assert not series.monthly.notes


def test_the_hour_that_comes_again_is_counted_with_its_own_price(tmp_path):
    path = tmp_path / "prices.csv"
    price_files.ercot_day_ahead(path)
    table = pd.read_csv(path)
    repeated = table.DSTFlag == "Y"
    assert repeated.sum() == 1
    before = read(path).monthly.means[10]
    table.loc[repeated, "SettlementPointPrice"] += 721.0
    table.to_csv(path, index=False)
    assert read(path).monthly.means[10] - before == pytest.approx(1.0), "November 2023 has 721 hours in Texas"


def test_hours_of_months_in_which_clocks_are_changed():
    assert [hours_in_month(month, "America/Chicago") for month in (636, 638, 646)] == [744, 743, 721]
    assert [hours_in_month(month, "Europe/Brussels") for month in (638, 645)] == [743, 745]
    assert hours_in_month(638, "") == 744


def test_an_old_file_with_the_hour_that_does_not_exist(tmp_path):
    """Old exports have a row for 02:00 on the day on which clocks are put forward, without a price."""
    path = tmp_path / "prices.csv"
    means = price_files.entsoe(path, old=True)
    lines = path.read_text().splitlines()
    position = next(k for k, line in enumerate(lines) if line.startswith("26.03.2023 03:00"))
    path.write_text("\n".join([*lines[:position], "26.03.2023 02:00 - 26.03.2023 03:00,n/e,EUR,", *lines[position:]]) + "\n")
    series = read(path, usd_per=1.0)
    assert series.monthly.means.tolist() == pytest.approx(means)
    assert "1 rows stand at hours that do not exist" in series.monthly.notes[0]


def test_the_json_of_eias_api(tmp_path):
    path = tmp_path / "eia.json"
    records = [{"period": str(month), "stateid": "US", "price": str(price), "price-units": "cents per kilowatt-hour"}
               for month, price in zip(price_files.MONTHS, price_files.CENTS, strict=True)]
    path.write_text(json.dumps({"response": {"total": "15", "data": records}, "apiVersion": "2.1.8"}))
    assert read(path).monthly.means.tolist() == pytest.approx(price_files.CENTS)


@pytest.mark.parametrize("zone", [None, "America/Denver"])
def test_parquet_with_times_of_its_own_kind(tmp_path, zone):
    index = price_files.hours("America/Denver")
    prices = price_files.levels(index)
    stamps = index if zone is None else index.tz_localize(None)
    pd.DataFrame({"timestamp": stamps, "price_usd_per_kwh": prices / 1000}).to_parquet(tmp_path / "prices.parquet")
    series = read(tmp_path / "prices.parquet", zone="America/Denver")
    assert series.unit.unit == "USD/kWh"
    assert series.monthly.means.tolist() == pytest.approx([mean / 1000 for mean in price_files.means(index, prices)])


def test_times_with_offsets_belong_to_the_months_of_their_clock(tmp_path):
    index = price_files.hours("Europe/Brussels")
    prices = price_files.levels(index)
    columns = {"time": [stamp.isoformat() for stamp in index], "USD/MWh": prices}
    pd.DataFrame(columns).to_csv(tmp_path / "prices.csv", index=False)
    assert read(tmp_path / "prices.csv").monthly.means.tolist() == pytest.approx(price_files.means(index, prices))


def test_steps_that_change_are_weighted_by_time(tmp_path):
    """Hours at 10 for half a month of 30 days, quarters at 30 for the other half: the mean is 20, and not 26."""
    hours = pd.date_range("2024-06-01", "2024-06-16", freq="h", inclusive="left")
    quarters = pd.date_range("2024-06-16", "2024-07-01", freq="15min", inclusive="left")
    table = pd.DataFrame({"time": [*hours, *quarters], "usd_per_mwh": [10.0] * len(hours) + [30.0] * len(quarters)})
    table.to_csv(tmp_path / "prices.csv", index=False)
    series = read(tmp_path / "prices.csv")
    assert series.monthly.means.tolist() == pytest.approx([20.0]) and not series.monthly.notes


def test_days_of_which_some_are_missing(tmp_path):
    days = pd.date_range("2024-01-01", "2024-03-31", freq="D")
    kept = days[~((days.month == 2) & (days.day > 15)) & ~((days.month == 3) & (days.day == 7))]
    pd.DataFrame({"date": kept.strftime("%Y-%m-%d"), "usd_per_mwh": kept.month * 10.0}).to_csv(tmp_path / "p.csv", index=False)
    series = read(tmp_path / "p.csv")
    assert series.monthly.months.tolist() == [648, 650] and series.monthly.means.tolist() == [10, 30]
    assert "2024-02 (52%)" in series.monthly.notes[0] and "24 of 1,488 hours are missing" in series.monthly.notes[1]
    assert read(tmp_path / "p.csv", least_coverage=0.5).monthly.months.tolist() == [648, 649, 650]


def test_the_cap_cuts_hours_before_they_are_averaged(tmp_path):
    path = tmp_path / "prices.csv"
    price_files.pjm(path)
    index = price_files.hours("America/New_York")
    cut = np.minimum(price_files.levels(index), 45)
    series = read(path, cap=45)
    assert series.monthly.means.tolist() == pytest.approx(price_files.means(index, cut))
    assert any("above 45 were cut" in note for note in series.notes)


def test_negative_hours_count_and_are_mentioned(tmp_path):
    index = pd.date_range("2024-01-01", "2024-02-29 23:00", freq="h")
    prices = np.where(index.hour < 6, -20.0, 40.0)
    pd.DataFrame({"time": index, "usd_per_mwh": prices}).to_csv(tmp_path / "p.csv", index=False)
    series = read(tmp_path / "p.csv")
    assert series.monthly.means.tolist() == pytest.approx([25, 25])
    assert "360 of 1,440 values are negative" in series.notes[0]


def test_currencies_are_converted_where_a_rate_is_said(tmp_path):
    means = price_files.entsoe(tmp_path / "p.csv")
    with pytest.raises(DataError, match="--usd-per"):
        read(tmp_path / "p.csv")
    series = read(tmp_path / "p.csv", usd_per=1.08)
    assert series.monthly.means.tolist() == pytest.approx([1.08 * mean for mean in means])
    assert series.unit.unit == "USD/MWh" and "1.08 USD per EUR" in series.notes[0]


def test_a_rental_price(tmp_path):
    columns = {"month": price_files.MONTHS.astype(str), "price": price_files.LEVELS / 20}
    pd.DataFrame(columns).to_csv(tmp_path / "p.csv", index=False)
    assert read(tmp_path / "p.csv", unit="USD/GPU/hour").unit.quantity.name == "rental_price"


@pytest.mark.parametrize(("name", "unit"), [
    ("price_usd_per_mwh", "USD/MWh"), ("Day-ahead Price [EUR/MWh]", "EUR/MWh"), ("Day-ahead (EUR/MWh)", "EUR/MWh"),
    ("industrial cents per kilowatthour", "cent/kWh"), ("cents per kilowatt-hour", "cent/kWh"), ("$/MWh", "USD/MWh"),
    ("USD/kWh", "USD/kWh"), ("eur_mwh", "EUR/MWh"), ("lmp ($/MWh)", "USD/MWh"), ("ct/kWh", "cent/kWh"), ("price", ""),
    ("total_mwh", ""), ("generation per kwh", ""), ("usd", "")])
def test_units_that_names_of_columns_say(name, unit):
    assert stated_in(name) == unit


def rows(*lines):
    return "month,price,zone\n" + "\n".join(lines) + "\n"


GOOD = [f"2023-{month:02d},{30 + month},A" for month in range(1, 13)]

REFUSED = {
    "no unit": (rows(*GOOD), {}, "expected --unit"),
    "another unit": (rows(*GOOD), {"unit": "USD/kWh"}, "did you mean --unit USD/MWh"),
    "cents for dollars": (rows(*GOOD), {"unit": "cent/MWh"}, "expected between 200"),
    "no price": (rows(*GOOD), {"unit": "token/s"}, "money per energy"),
    "unknown unit": (rows(*GOOD), {"unit": "USD/MWhh"}, "did you mean"),
    "a currency": (rows(*GOOD), {"unit": "EUR/MWh"}, "--usd-per 1.08"),
    "a rate for USD": (rows(*GOOD), {"unit": "USD/MWh", "usd_per": 1.1}, "expected it left out"),
    "units that disagree": (rows(*GOOD).replace("price", "usd_per_mwh"), {"unit": "cent/kWh"}, "the file says USD/MWh"),
    "currencies that disagree": (rows(*GOOD).replace("price", "eur_per_mwh"), {"unit": "USD/MWh"}, "the file says EUR/MWh"),
    "a cap on months": (rows(*GOOD), {"unit": "USD/MWh", "cap": 50}, "cuts hours"),
    "two series": (rows(*GOOD, *(line.replace("A", "B").replace(",3", ",5") for line in GOOD)), {"unit": "USD/MWh"},
                   'choose it with --where "zone=…" with A or B'),
    "text for a price": (rows(*GOOD[:3], "2023-04,high,A"), {"unit": "USD/MWh"}, "p.csv:5: price: found the text 'high'"),
    "text for a month": (rows(*GOOD[:3], "later,34,A"), {"unit": "USD/MWh"}, "p.csv:5: month: found 'later'"),
    "no month": (rows(*GOOD[:3], ",34,A"), {"unit": "USD/MWh"}, "p.csv:5: month: found no time"),
    "years": (rows("2021,40,A", "2022,41,A"), {"unit": "USD/MWh"}, "found the year 2021"),
    "day or month": ("date,price\n" + "".join(f"0{day}/02/2024,4{day}\n" for day in range(1, 9)), {"unit": "USD/MWh"},
                     "day and month can be either"),
    "weeks": ("date,price\n" + "".join(f"{day.date()},40\n" for day in pd.date_range("2024-01-01", periods=30, freq="W")),
              {"unit": "USD/MWh"}, "mostly 7 days apart"),
    "no whole month": ("date,price\n" + "".join(f"2024-01-{day:02d},40\n" for day in range(1, 9)), {"unit": "USD/MWh"},
                       "no month of which 80%"),
    "no times": ("price\n40\n41\n", {"unit": "USD/MWh"}, "expected --time"),
    "no prices": ("month,a,b\n2024-01,1,2\n", {"unit": "USD/MWh"}, "expected --column"),
    "unknown zone": (rows(*GOOD), {"unit": "USD/MWh", "zone": "America/Chikago"}, "did you mean 'America/Chicago'"),
    "unknown column": (rows(*GOOD), {"unit": "USD/MWh", "column": "prices"}, "did you mean 'price'"),
    "no number at all": (rows("2023-01,n/e,A", "2023-02,n/e,A"), {"unit": "USD/MWh"}, "holds no number"),
    "a mixture of offsets": ("time,usd_per_mwh\n2024-01-01T00:00Z,40\n2024-01-01T01:00,41\n", {}, "expected them alike"),
    "hour 25": ("Delivery Date,Delivery Hour,Settlement Point Name,Settlement Point Price\n01/01/2024,25,A,1\n", {},
                "p.csv:2: Delivery Hour: found '25'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_in_words(tmp_path, case):
    text, options, words = REFUSED[case]
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "p.csv", **options)
    assert words in str(caught.value) and "p.csv" in str(caught.value)


def test_local_hours_without_a_zone_say_what_helps(tmp_path):
    index = price_files.hours("America/Chicago")
    prices = price_files.levels(index) + np.arange(len(index)) / 1000
    pd.DataFrame({"time": index.tz_localize(None), "usd_per_mwh": prices}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(DataError, match="--timezone America/Chicago"):
        read(tmp_path / "p.csv")
    series = read(tmp_path / "p.csv", zone="America/Chicago")
    assert series.monthly.means.tolist() == pytest.approx(price_files.means(index, prices))


def test_several_settlement_points_are_asked_for(tmp_path):
    price_files.ercot(tmp_path / "a.csv")
    price_files.ercot(tmp_path / "b.csv", point="LZ_WEST")
    both = tmp_path / "p.csv"
    pd.concat([pd.read_csv(tmp_path / "a.csv"), pd.read_csv(tmp_path / "b.csv")]).to_csv(both, index=False)
    with pytest.raises(DataError, match=r'--where "Settlement Point Name=VALUE", VALUE being HB_NORTH or LZ_WEST'):
        read(both)
    chosen = read_table(both).where("Settlement Point Name", "LZ_WEST")
    assert len(read_prices(chosen, PriceOptions()).monthly.months) == 15
    with pytest.raises(DataError, match="did you mean 'LZ_WEST'"):
        read_table(both).where("Settlement Point Name", "LZ_WES")


def test_equal_rows_count_once(tmp_path):
    (tmp_path / "p.csv").write_text(rows(*GOOD, *GOOD[:2]))
    series = read(tmp_path / "p.csv", unit="USD/MWh")
    assert series.monthly.means.tolist() == [30 + month for month in range(1, 13)] and "2 rows say the same" in series.notes[0]


def test_missing_months_are_gaps(tmp_path):
    (tmp_path / "p.csv").write_text(rows(*GOOD[:3], *GOOD[5:]))
    series = read(tmp_path / "p.csv", unit="USD/MWh")
    assert series.monthly.months.tolist() == [636, 637, 638, *range(641, 648)] and "2 months are missing" in series.notes[0]
