"""Small files of prices in the forms in which markets publish them."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = np.exp(np.array([3.5, 3.9, 3.6, 4.1, 3.8, 3.4, 3.7, 4.0, 3.5, 3.3, 3.6, 3.9, 3.7, 4.2, 3.8]))  # one for each month


def hours(zone, months=15, frequency="h", first="2023-01-01"):
    """Every hour (or part of one) of some local months, aware of the clock."""
    start = pd.Timestamp(first, tz=zone)
    return pd.date_range(start, start + pd.DateOffset(months=months), freq=frequency, inclusive="left")


def levels(index):
    """The level of each time's local month, and ± 10 between odd and even local hours, which a mean over whole days hides."""
    month = (index.year - index[0].year) * 12 + index.month - index[0].month
    return LEVELS[month] + np.where(index.hour % 2, 10.0, -10.0)


def means(index, prices):
    """Plain means by local month, in order: right where all rows are of one length."""
    month = np.asarray(index.year * 12 + index.month)
    return [float(np.mean(prices[month == one])) for one in np.unique(month)]


def again(index):
    return pd.Series(index.tz_localize(None)).duplicated().to_numpy()


def ercot(path, flag="Repeated Hour Flag", point="HB_NORTH"):
    """Real-time settlement point prices: quarters of delivery hours."""
    index = hours("America/Chicago", frequency="15min")
    prices = levels(index)
    pd.DataFrame({"Delivery Date": index.strftime("%m/%d/%Y"), "Delivery Hour": index.hour + 1,
                  "Delivery Interval": index.minute // 15 + 1, flag: np.where(again(index), "Y", "N"),
                  "Settlement Point Name": point, "Settlement Point Type": "HU", "Settlement Point Price": prices}).to_csv(
                      path, index=False)
    return means(index, prices)


def ercot_day_ahead(path):
    """Day-ahead settlement point prices, as they come out of ERCOT's archive."""
    index = hours("America/Chicago")
    prices = levels(index)
    pd.DataFrame({"DeliveryDate": index.strftime("%m/%d/%Y"), "HourEnding": [f"{hour + 1:02d}:00" for hour in index.hour],
                  "SettlementPoint": "LZ_WEST", "SettlementPointPrice": prices,
                  "DSTFlag": np.where(again(index), "Y", "N")}).to_csv(path, index=False)
    return means(index, prices)


def pjm(path, column="total_lmp_da"):
    index = hours("America/New_York")
    prices = levels(index)
    form = "%m/%d/%Y %I:%M:%S %p"
    pd.DataFrame({"datetime_beginning_utc": index.tz_convert("UTC").strftime(form),
                  "datetime_beginning_ept": index.strftime(form), "pnode_id": 51217, "pnode_name": "WESTERN HUB",
                  "system_energy_price_da": 0, column: prices}).to_csv(path, index=False)
    return means(index, prices)


def _mtu(begin, end, form, marked):
    if marked and begin.utcoffset() != end.utcoffset():
        return f"{begin.strftime(form)} ({begin.tzname()}) - {end.strftime(form)} ({end.tzname()})"
    return f"{begin.strftime(form)} - {end.strftime(form)}"


def entsoe(path, old=False, frequency="h"):
    index = hours("Europe/Brussels", frequency=frequency)
    prices = levels(index)
    form = "%d.%m.%Y %H:%M" if old else "%d/%m/%Y %H:%M:%S"
    times = [_mtu(begin, begin + pd.Timedelta(frequency if frequency[0].isdigit() else f"1{frequency}"), form, not old)
             for begin in index]
    columns = {"MTU (CET/CEST)": times, "Day-ahead Price [EUR/MWh]": prices, "Currency": "EUR", "BZN|DE-LU": ""} if old else {
        "MTU (CET/CEST)": times, "Area": "BZN|DE-LU", "Sequence": "Sequence 1", "Day-ahead Price (EUR/MWh)": prices,
        "Intraday Period (CET/CEST)": "", "Intraday Price (EUR/MWh)": ""}
    pd.DataFrame(columns).to_csv(path, index=False)
    return means(index, prices)


MONTHS = pd.period_range("2023-01", periods=15, freq="M")
CENTS = [round(float(level) / 5, 2) for level in LEVELS]
_TITLE = ("Average retail price of electricity, United States, industrial, monthly\n"
          "http://www.eia.gov/electricity/data/browser/#/topic/7?agg=0,1&geo=g\nMon Nov 02 2026 09:00:00 GMT-0500\n"
          "Source: U.S. Energy Information Administration\n")


def eia_api(path):
    pd.DataFrame({"period": MONTHS.astype(str), "stateid": "US", "stateDescription": "U.S. Total", "sectorid": "IND",
                  "sectorName": "industrial", "price": CENTS, "price-units": "cents per kilowatt-hour"}).to_csv(path, index=False)
    return CENTS


def eia_browser(path):
    """A series to a row, a month to a column, lines of comment above."""
    names = ",".join(month.strftime("%b %Y") for month in MONTHS)
    prices = ",".join(map(str, CENTS))
    path.write_text(f"{_TITLE}\ndescription,units,source key,{names}\nUnited States,,{',' * len(MONTHS)}\n"
                    f"United States : industrial,cents per kilowatthour,ELEC.PRICE.US-IND.M,{prices}\n")
    return CENTS


def eia_chart(path):
    """A month to a row, the last month first."""
    rows = [f"{month.strftime('%b %Y')},{price}" for month, price in zip(MONTHS, CENTS, strict=True)]
    path.write_text(_TITLE + "Month,industrial cents per kilowatthour\n" + "\n".join(rows[::-1]) + "\n")
    return CENTS
