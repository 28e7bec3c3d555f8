"""Two grocers whose days are full of holidays: Favorita's supermarkets and Rohlik's deliveries."""

from pathlib import Path

import pandas as pd

from benchmarks.real_data.closed_days import days_without_rows, with_closed_days
from benchmarks.real_data.events import local_events
from benchmarks.real_data.files import read_sales, read_table
from benchmarks.real_data.tenant_data import TenantData

EARTHQUAKE = "Terremoto"


def favorita_tx(data: Path) -> TenantData:
    """Transactions of 25 supermarkets in Ecuador; closed on a store's days without a row."""
    sales = read_sales(data, "favorita_tx")
    holidays = read_table(data, "favorita_tx", "holidays_events.csv")
    stores = read_table(data, "favorita_tx", "stores.csv")
    oil = read_table(data, "favorita_tx", "oil.csv").rename(columns={"dcoilwtico": "oil_price"})
    # Nobody knew of the earthquake, so it is no event of the calendar.
    quake = holidays["description"].str.startswith(EARTHQUAKE)
    shaken = holidays.loc[quake, ["date"]].drop_duplicates().assign(earthquake=1)
    return TenantData(
        name="favorita_tx",
        country="EC",
        subdivision=None,
        timezone="America/Guayaquil",
        currency="USD",
        unit="transaction",
        sales=with_closed_days(sales, days_without_rows(sales)),
        regressors=_every_day(sales, oil, shaken),
        events=_ecuadorian_events(holidays[~quake], stores),
        known_in_advance=frozenset({"open"}),
    )


def _every_day(sales: pd.DataFrame, oil: pd.DataFrame, shaken: pd.DataFrame) -> pd.DataFrame:
    days = pd.DataFrame(
        {"date": pd.date_range(sales["date"].min(), sales["date"].max(), unit="us")}
    )
    joined = days.merge(oil, on="date", how="left").merge(shaken, on="date", how="left")
    return joined.assign(earthquake=joined["earthquake"].fillna(0).astype("int64"))


def _ecuadorian_events(holidays: pd.DataFrame, stores: pd.DataFrame) -> pd.DataFrame:
    """Each day as it was kept: moved holidays on their new day, local ones where they hold."""
    # A moved holiday has a row of type Transfer for the day on which it is really kept.
    kept = holidays[holidays["transferred"] == 0]
    match_day = kept["description"].str.split(":").str[0]
    named = kept.assign(name=match_day.str.removeprefix("Traslado "), scope=kept["locale_name"])
    nationwide = named[named["locale"] == "National"].assign(location=None)
    regional = named[named["locale"] == "Regional"].merge(
        stores[["location", "state"]], left_on="locale_name", right_on="state"
    )
    local = named[named["locale"] == "Local"].merge(
        stores[["location", "city"]], left_on="locale_name", right_on="city"
    )
    columns = ["date", "name", "scope", "location"]
    parts = [part[columns].astype({"location": "str"}) for part in (nationwide, regional, local)]
    return local_events(pd.concat(parts, ignore_index=True))


def rohlik(data: Path) -> TenantData:
    """Daily orders of four delivery warehouses; one is closed on its days without a row."""
    sales = read_sales(data, "rohlik")
    days = read_table(data, "rohlik", "regressors.csv.gz")
    locations = pd.DataFrame(
        {
            "location": ["Brno_1", "Frankfurt_1", "Prague_1", "Prague_3"],
            "country": ["CZ", "DE", "CZ", "CZ"],
            "subdivision": [None, "HE", None, None],
        }
    )
    return TenantData(
        name="rohlik",
        country="CZ",
        subdivision=None,
        timezone="Europe/Prague",
        currency="CZK",
        unit="order",
        sales=with_closed_days(sales, days_without_rows(sales)),
        # The holiday's name is in the public calendar; its flag stays.
        regressors=days.drop(columns="holiday_name"),
        locations=locations,
        known_in_advance=frozenset(
            {
                "open",
                "holiday",
                "shops_closed",
                "school_holidays",
                "winter_school_holidays",
                "mov_change",
            }
        ),
    )
