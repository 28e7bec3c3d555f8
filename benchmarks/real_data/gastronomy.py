"""Restaurants, cafés and a coffee machine."""

from pathlib import Path

from benchmarks.real_data.closed_days import days_without_rows, with_closed_days
from benchmarks.real_data.files import read_sales, read_table
from benchmarks.real_data.tenant_data import TenantData


def recruit_jp(data: Path) -> TenantData:
    """Visitors of 414 Japanese restaurants; a restaurant is closed on its days without a row."""
    sales = read_sales(data, "recruit_jp")
    stores = read_table(data, "recruit_jp", "stores.csv")
    places = stores.rename(columns={"lat": "latitude", "lon": "longitude"})
    return TenantData(
        name="recruit_jp",
        country="JP",
        subdivision=None,
        timezone="Asia/Tokyo",
        currency="JPY",
        unit="visitor",
        sales=with_closed_days(sales, days_without_rows(sales)),
        regressors=read_table(data, "recruit_jp", "calendar.csv"),
        locations=places[["location", "latitude", "longitude"]].assign(
            country="JP", subdivision=None
        ),
        known_in_advance=frozenset({"open", "public_holiday"}),
    )


def yaz_restaurant(data: Path) -> TenantData:
    """Seven main ingredients of a restaurant in Stuttgart; the regressors mark closed days."""
    sales = read_sales(data, "yaz_restaurant")
    days = read_table(data, "yaz_restaurant", "regressors.csv")
    closed = days.loc[days["is_closed"] == 1, ["date"]].assign(location="stuttgart")
    return TenantData(
        name="yaz_restaurant",
        country="DE",
        subdivision="BW",
        timezone="Europe/Berlin",
        currency="EUR",
        unit="portion",
        sales=with_closed_days(sales, closed),
        regressors=days.drop(columns="is_closed"),
        known_in_advance=frozenset({"open", "public_holiday"}),
    )


def coffee_vending(data: Path) -> TenantData:
    """Fourteen names of drinks of one machine, seven of them spellings of Cortado, as they came.

    The source names no country; its prices are taken for Ukrainian hryvnias.
    """
    return TenantData(
        name="coffee_vending",
        country="UA",
        subdivision=None,
        timezone="Europe/Kyiv",
        currency="UAH",
        unit="cup",
        sales=read_sales(data, "coffee_vending"),
    )
