"""The readers keep every row of the real data sets, and say which days were closed.

Oracles: the counts in the README of the data sets, and the files themselves, read plainly.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.real_data import DATA, DATA_SETS, DataSetAbsent, TenantData, read_tenant
from benchmarks.real_data.closed_days import days_without_rows, with_closed_days
from services.training.sample.api_shapes import event_bodies, regressor_rows, sales_csv

KEYS = ["location", "product", "date"]
WEATHER = re.compile(r"temp|rain|precip|snow|wind|cloud|sun|humid|pressure|dew")


@dataclass(frozen=True)
class Stated:
    """The counts that the README states for one data set."""

    series: int
    rows: int
    first: str
    last: str


def stated(name: str) -> Stated:
    readme = DATA / "README.md"
    if not readme.is_file():
        pytest.skip(f"no real data: {readme} is absent")
    line = next(
        line for line in readme.read_text().splitlines() if line.startswith(f"- **{name}**")
    )
    counts = re.search(r"(\d+) series, ([\d,]+) rows, ([\d-]+)\.\.([\d-]+),", line)
    assert counts is not None
    series, rows, first, last = counts.groups()
    return Stated(int(series), int(rows.replace(",", "")), first, last)


def real(name: str) -> TenantData:
    try:
        return read_tenant(name)
    except DataSetAbsent as absent:
        pytest.skip(str(absent))


def plainly_read(name: str) -> pd.DataFrame:
    parquet = DATA / name / "sales.parquet"
    table = (
        pd.read_parquet(parquet) if parquet.exists() else pd.read_csv(DATA / name / "sales.csv.gz")
    )
    table = table.rename(columns={"store": "location"})
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[us]")
    return table.astype({"location": "str", "product": "str", "quantity": "float64"})


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_source_has_the_stated_series_rows_and_days_and_the_reader_keeps_them(
    name: str,
) -> None:
    sales = real(name).sales
    source = plainly_read(name)
    both = sales.merge(source, on=KEYS, how="outer", suffixes=("", "_source"), indicator=True)
    assert not sales.duplicated(KEYS).any()
    assert not (both["_merge"] == "right_only").any()
    from_source = both[both["_merge"] == "both"]
    expected = stated(name)
    assert len(from_source) == expected.rows
    assert from_source.groupby(["location", "product"]).ngroups == expected.series
    assert from_source["date"].min() == pd.Timestamp(expected.first)
    assert from_source["date"].max() == pd.Timestamp(expected.last)


@pytest.mark.parametrize("name", DATA_SETS)
def test_an_open_day_keeps_its_quantity_and_a_closed_day_has_none(name: str) -> None:
    sales = real(name).sales
    source = plainly_read(name)
    both = sales.merge(source, on=KEYS, how="left", suffixes=("", "_source"))
    is_open = both["open"] == 1 if "open" in sales else pd.Series(True, index=both.index)
    assert (both.loc[is_open, "quantity"] == both.loc[is_open, "quantity_source"]).all()
    assert both.loc[~is_open, "quantity"].isna().all()
    # What is dropped is never a sale.
    assert both.loc[~is_open, "quantity_source"].fillna(0).eq(0).all()


@pytest.mark.parametrize("name", DATA_SETS)
def test_columns_are_those_of_the_api_and_flags_are_flags(name: str) -> None:
    tenant = real(name)
    allowed = {"date", "product", "location", "quantity", "price", "promotion", "open"}
    assert set(tenant.sales.columns) <= allowed
    for flag in {"promotion", "open"} & set(tenant.sales.columns):
        assert set(tenant.sales[flag].dropna().unique()) == {0, 1}
    keys = [key for key in ("date", "location") if key in tenant.regressors]
    values = tenant.regressors.drop(columns=keys)
    assert not tenant.regressors.duplicated(keys).any()
    assert all(pd.api.types.is_numeric_dtype(values[column]) for column in values)
    if "location" in tenant.regressors:
        assert set(tenant.regressors["location"]) == set(tenant.sales["location"])


@pytest.mark.parametrize("name", DATA_SETS)
def test_what_is_known_in_advance_is_there_and_is_not_the_weather(name: str) -> None:
    tenant = real(name)
    columns = set(tenant.sales.columns) | set(tenant.regressors.columns)
    assert tenant.known_in_advance <= columns
    assert not [column for column in tenant.known_in_advance if WEATHER.search(column)]
    assert not tenant.known_in_advance & {"price", "quantity", "oil_price", "earthquake"}
    assert ("open" in tenant.known_in_advance) == ("open" in tenant.sales)


@pytest.mark.parametrize(
    ("name", "closed_days", "example"),
    [
        ("kiel_bakery", 38, "2017-12-25"),
        ("french_bakery", 37, "2021-01-13"),
        ("edinburgh_bakery", 3, "2016-12-25"),
        ("yaz_restaurant", 5, "2014-12-24"),
    ],
)
def test_a_closed_shop_is_closed_for_every_product_that_has_been_sold(
    name: str, closed_days: int, example: str
) -> None:
    sales = real(name).sales
    closed = sales[sales["open"] == 0]
    assert closed["date"].nunique() == closed_days
    that_day = set(closed.loc[closed["date"] == pd.Timestamp(example), "product"])
    before = sales.loc[sales["date"] < pd.Timestamp(example), "product"]
    assert that_day == set(before)


def test_kiel_has_ships_school_holidays_weather_and_the_kieler_woche() -> None:
    kiel = real("kiel_bakery")
    days = kiel.regressors.set_index("date")
    assert days.loc["2013-07-02", "cruise_ships"] == 1
    assert days["cruise_ships"].max() == 5
    assert days.loc["2013-07-01":"2018-07-31", "school_holiday"].notna().all()
    assert days["temp_mean_c"].count() == 2248
    body = event_bodies(kiel)["kieler-woche"]
    assert body["name"] == "Kieler Woche"
    assert "2018-06-16" in body["dates"]
    assert "locations" not in body


def test_ddop_stores_are_locations_with_their_own_weather_and_promotions() -> None:
    chain = real("ddop_bakery")
    assert chain.sales["location"].nunique() == 18
    assert chain.sales["promotion"].mean() == pytest.approx(0.0979, abs=1e-4)
    assert chain.regressors.groupby("date")["rain_mm"].nunique().max() == 5
    assert {"promotion", "school_holiday", "public_holiday"} == chain.known_in_advance


def test_rossmann_stores_have_the_holidays_and_the_weather_of_their_land() -> None:
    chain = real("rossmann")
    lands = chain.locations.set_index("location")["subdivision"]
    assert lands["r0013"] == "BY"
    assert set(lands.index) == set(chain.sales["location"])
    weather = chain.regressors.set_index("location")["temp_mean_c"]
    # There is weather for every Land but Schleswig-Holstein.
    assert set(weather.index[weather.isna()]) == set(lands.index[lands == "SH"])


def test_a_rossmann_store_under_rebuilding_is_closed_for_184_days() -> None:
    sales = real("rossmann").sales
    days = sales[sales["location"] == "r0013"].set_index("date")["open"]
    assert len(days) == 942
    assert days["2014-07-01":"2014-12-31"].eq(0).all()


def test_favorita_holidays_are_kept_on_their_new_day_and_where_they_hold() -> None:
    grocer = real("favorita_tx")
    bodies = event_bodies(grocer)
    carnival = bodies["carnaval-ecuador"]
    assert "locations" not in carnival
    assert "2017-02-27" in carnival["dates"]
    pichincha = bodies["batalla-de-pichincha-ecuador"]["dates"]
    assert "2017-05-26" in pichincha
    assert "2017-05-24" not in pichincha
    assert bodies["fundacion-de-manta-manta"]["locations"] == ["f52", "f53"]
    assert not [event for event in bodies if "terremoto" in event]
    shaken = grocer.regressors.set_index("date")["earthquake"]
    assert shaken.idxmax() == pd.Timestamp(2016, 4, 16)


def test_m5_stores_have_the_food_stamp_days_of_their_own_state() -> None:
    foods = real("m5_foods")
    days = foods.regressors.set_index(["location", "date"])["snap"]
    assert days["CA_1"].equals(days["CA_3"])
    assert not days["CA_1"].equals(days["TX_1"])
    assert event_bodies(foods)["superbowl"]["dates"][0] == "2011-02-06"


def test_recruit_restaurants_are_closed_on_days_without_visitors() -> None:
    sales = real("recruit_jp").sales
    closed = sales[sales["open"] == 0]
    assert len(closed) == 21_188
    new_year = date(2017, 1, 1)
    assert (
        closed["date"].dt.date.eq(new_year).mean()
        > 2 * closed["date"].dt.date.eq(date(2017, 1, 14)).mean()
    )


@pytest.mark.parametrize("name", ["kiel_bakery", "ddop_bakery", "french_bakery"])
def test_a_tenant_is_ready_for_the_api(name: str) -> None:
    tenant = real(name)
    lines = sales_csv(tenant).decode().splitlines()
    assert len(lines) == len(tenant.sales) + 1
    assert lines[0].split(",") == list(tenant.sales.columns)
    assert not [line for line in lines if "nan" in line.lower().split(",")]
    rows = regressor_rows(tenant)
    assert len(rows) == len(tenant.regressors)
    assert all(value == value for row in rows for value in row.values())


def test_an_absent_data_set_says_where_it_was_looked_for(tmp_path: Path) -> None:
    for name in DATA_SETS:
        with pytest.raises(DataSetAbsent, match=re.escape(str(tmp_path / name))) as raised:
            read_tenant(name, tmp_path)
        assert raised.value.name == name


def test_an_unknown_data_set_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(KeyError, match=r"no data set 'nowhere'.*kiel_bakery"):
        read_tenant("nowhere")


def test_closed_days_are_found_between_a_locations_first_and_last_row() -> None:
    def day(number: int) -> pd.Timestamp:
        return pd.Timestamp(2024, 3, number)

    sales = pd.DataFrame(
        [
            (day(1), "bread", "east", 3.0),
            (day(4), "bread", "east", 5.0),
            (day(4), "cake", "east", 1.0),
            (day(6), "cake", "east", 2.0),
            (day(2), "bread", "west", 7.0),
        ],
        columns=["date", "product", "location", "quantity"],
    ).astype({"date": "datetime64[us]"})
    closed = days_without_rows(sales)
    assert sorted(zip(closed["location"], closed["date"], strict=True)) == [
        ("east", day(2)),
        ("east", day(3)),
        ("east", day(5)),
    ]
    full = with_closed_days(sales, closed)
    added = full[full["open"] == 0]
    assert added["quantity"].isna().all()
    # Cake was not sold yet on the second and third: it gets the fifth alone.
    assert list(zip(added["product"], added["date"], strict=True)) == [
        ("bread", day(2)),
        ("bread", day(3)),
        ("bread", day(5)),
        ("cake", day(5)),
    ]
    assert full.loc[full["open"] == 1, "quantity"].sum() == 18.0
