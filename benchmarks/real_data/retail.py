"""Shops, drugstores and a pharmacy."""

from pathlib import Path

import pandas as pd

from benchmarks.real_data.closed_days import days_without_rows, with_closed_days
from benchmarks.real_data.events import named_events
from benchmarks.real_data.files import (
    data_file,
    named_as_the_api,
    read_sales,
    read_table,
    sales_columns,
)
from benchmarks.real_data.tenant_data import TenantData


def circly_at(data: Path) -> TenantData:
    """24 articles of an Austrian retailer, scaled; closed Sundays are zeros that nothing marks."""
    days = read_table(data, "circly_at", "regressors.csv")
    return TenantData(
        name="circly_at",
        country="AT",
        subdivision=None,
        timezone="Europe/Vienna",
        currency="EUR",
        unit="scaled unit",
        sales=read_sales(data, "circly_at"),
        # A code is a name and a direction goes round: neither is a number to regress on.
        regressors=days.drop(columns=["condition_code", "wind_dir"]),
        known_in_advance=frozenset({"promotion", "public_holiday", "school_holiday"}),
    )


def rossmann(data: Path) -> TenantData:
    """Turnover of 41 drugstores; closed where `open` is 0 and where a store has no row."""
    table = read_table(data, "rossmann", "sales.csv.gz")
    closed = pd.concat([table.loc[table["open"] == 0, ["location", "date"]],
                        days_without_rows(table)])  # fmt: skip
    states = read_table(data, "rossmann", "stores.csv")[["location", "State"]]
    # One code covers Bremen and Lower Saxony, and Lower Saxony has its weather and its holidays.
    states = states.assign(subdivision=states["State"].replace("HB,NI", "NI"), country="DE")
    return TenantData(
        name="rossmann",
        country="DE",
        subdivision=None,
        timezone="Europe/Berlin",
        currency="EUR",
        unit="EUR",
        sales=with_closed_days(sales_columns(table), closed),
        regressors=_rossmann_regressors(data, table, states),
        locations=states[["location", "country", "subdivision"]],
        known_in_advance=frozenset({"promotion", "open", "school_holiday", "public_holiday"}),
    )


def _rossmann_regressors(data: Path, table: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    days = table[["date", "location", "school_holiday"]].assign(
        public_holiday=(table["state_holiday"].astype("str") != "0").astype("int64")
    )
    weather = read_table(data, "regressors", "weather_german_states_daily.csv.gz")
    weather = weather.drop(columns=["state", "events"]).rename(
        columns={"state_code": "subdivision"}
    )
    placed = days.merge(states[["location", "subdivision"]], on="location")
    joined = placed.merge(weather, on=["subdivision", "date"], how="left")
    return joined.drop(columns="subdivision")


def m5_foods(data: Path) -> TenantData:
    """One food article in five Walmart stores, with the calendar of events and SNAP days."""
    sales = read_sales(data, "m5_foods")
    calendar = read_table(data, "m5_foods", "calendar.csv")
    stores = sales[["location"]].drop_duplicates(ignore_index=True)
    stores = stores.assign(country="US", subdivision=stores["location"].str[:2])
    snap = pd.concat(
        calendar[["date"]].assign(location=location, snap=calendar[f"snap_{state}"])
        for location, _, state in stores.itertuples(index=False)
    )
    return TenantData(
        name="m5_foods",
        country="US",
        subdivision=None,
        timezone="America/Los_Angeles",
        currency="USD",
        unit="piece",
        sales=sales,
        regressors=snap.reset_index(drop=True),
        events=named_events(calendar, ["event_name_1", "event_name_2"]),
        locations=stores,
        known_in_advance=frozenset({"snap"}),
    )


def m5_total(data: Path) -> TenantData:
    """The units that all Walmart stores of the M5 competition sold."""
    return TenantData(
        name="m5_total",
        country="US",
        subdivision=None,
        timezone="America/Chicago",
        currency="USD",
        unit="piece",
        sales=read_sales(data, "m5_total"),
    )


def pharma_rs(data: Path) -> TenantData:
    """Eight drug groups of a Serbian pharmacy."""
    return TenantData(
        name="pharma_rs",
        country="RS",
        subdivision=None,
        timezone="Europe/Belgrade",
        currency="RSD",
        unit="pack",
        sales=read_sales(data, "pharma_rs"),
    )


def store_item_demand(data: Path) -> TenantData:
    """500 series, probably simulated: for load, not for accuracy. Its country is not known."""
    table = named_as_the_api(pd.read_parquet(data_file(data, "store_item_demand", "sales.parquet")))
    names = {"product": "str", "location": "str"}
    return TenantData(
        name="store_item_demand",
        country="US",
        subdivision=None,
        timezone="America/New_York",
        currency="USD",
        unit="piece",
        sales=sales_columns(table).astype(names),
    )
