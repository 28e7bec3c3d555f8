"""The sample bakery keeps its promises about tills, plans and seeds."""

from datetime import date

import pandas as pd
import pytest

from services.training.sample.bakery import Bakery, generate_bakery
from services.training.sample.catalogue import CATALOGUE

START = date(2023, 10, 2)
DAYS = 730
PLANNED = 28


@pytest.fixture(scope="module")
def bakery() -> Bakery:
    return generate_bakery(7, START, DAYS, planned_days=PLANNED)


@pytest.fixture(scope="module")
def past(bakery: Bakery) -> pd.DataFrame:
    return bakery.sales[bakery.sales["date"] <= pd.Timestamp(bakery.data_through)]


@pytest.fixture(scope="module")
def planned(bakery: Bakery) -> pd.DataFrame:
    return bakery.sales[bakery.sales["date"] > pd.Timestamp(bakery.data_through)]


def frames(bakery: Bakery) -> list[pd.DataFrame]:
    return [bakery.sales, bakery.regressors, bakery.products, bakery.events, bakery.demand]


def test_the_same_seed_gives_the_same_bakery(bakery: Bakery) -> None:
    again = generate_bakery(7, START, DAYS, planned_days=PLANNED)
    for ours, theirs in zip(frames(bakery), frames(again), strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_another_seed_gives_another_bakery(bakery: Bakery) -> None:
    other = generate_bakery(8, START, DAYS, planned_days=PLANNED)
    assert not other.sales["quantity"].equals(bakery.sales["quantity"])
    assert not other.regressors["temperature"].equals(bakery.regressors["temperature"])


def test_each_product_has_one_row_for_each_day_of_its_life(bakery: Bakery) -> None:
    assert not bakery.sales.duplicated(["product", "location", "date"]).any()
    for _, days in bakery.sales.groupby("product")["date"]:
        assert (days.diff().dropna() == pd.Timedelta(days=1)).all()


def test_history_ends_at_data_through_and_the_plan_follows(bakery: Bakery) -> None:
    assert bakery.sales["date"].min() == pd.Timestamp(START)
    assert pd.Timestamp(bakery.data_through) == pd.Timestamp(START) + pd.Timedelta(days=DAYS - 1)
    assert bakery.sales["date"].max() == pd.Timestamp(START) + pd.Timedelta(days=DAYS + PLANNED - 1)


def test_an_open_past_day_has_a_quantity_and_a_closed_one_has_none(past: pd.DataFrame) -> None:
    assert (past["quantity"].notna() == (past["open"] == 1)).all()
    assert (past["stockout"].notna() == (past["open"] == 1)).all()
    assert past["quantity"].min() == 0


def test_planned_days_carry_the_plan_and_no_sales(planned: pd.DataFrame) -> None:
    assert len(planned) > 0
    assert planned["quantity"].isna().all()
    assert planned["stockout"].isna().all()
    assert planned[["price", "promotion", "open"]].notna().all(axis=None)


def test_the_shop_is_closed_at_christmas_new_year_and_a_week_in_august(past: pd.DataFrame) -> None:
    open_products = past.groupby("date")["open"].sum()
    closed = [day.date() for day in open_products.index[open_products == 0]]
    for day in ("2023-12-25", "2023-12-26", "2024-01-01", "2024-12-25", "2024-12-26", "2025-01-01"):
        assert date.fromisoformat(day) in closed
    assert sum(day.month == 8 for day in closed) == 14
    assert len(closed) == 20


def test_some_products_are_not_sold_on_sundays_or_public_holidays(past: pd.DataFrame) -> None:
    bread = past[past["product"] == "farmhouse-loaf"].set_index("date")["open"]
    assert (bread[bread.index.day_of_week == 6] == 0).all()
    assert bread["2024-05-01"] == 0
    assert past.set_index(["product", "date"]).loc[("roll", "2024-05-01"), "open"] == 1


def test_a_sold_out_day_sold_what_was_baked_and_hides_the_demand(
    bakery: Bakery, past: pd.DataFrame
) -> None:
    both = past.merge(bakery.demand, on=["date", "product", "location"])
    both = both[both["open"] == 1]
    sold_out = both["stockout"] == 1
    assert (both.loc[~sold_out, "quantity"] == both.loc[~sold_out, "demand"]).all()
    assert (both.loc[sold_out, "quantity"] <= both.loc[sold_out, "demand"]).all()
    lost = (both.loc[sold_out, "demand"] - both.loc[sold_out, "quantity"]).sum()
    assert lost > 0
    batches = bakery.products.set_index("product")["batch_size"]
    baked = both.loc[sold_out]
    assert (baked["quantity"] % baked["product"].map(batches) == 0).all()


def test_between_three_and_twelve_percent_of_the_days_are_sold_out(past: pd.DataFrame) -> None:
    assert 0.03 < past["stockout"].mean() < 0.12
    made_to_order = past[past["product"].isin(["coffee", "celebration-cake"])]
    assert made_to_order["stockout"].sum() == 0


def test_products_come_and_go(bakery: Bakery, past: pd.DataFrame) -> None:
    lives = past.groupby("product")["date"].agg(["min", "max", "size"])
    assert lives.loc["roll", "size"] == DAYS
    assert lives.loc["spelt-stick", "min"] > pd.Timestamp(START) + pd.Timedelta(days=365)
    assert lives.loc["nut-swirl", "max"] < pd.Timestamp(bakery.data_through)
    assert lives.loc["pumpkin-seed-loaf", "size"] < 30
    dropped = bakery.sales[bakery.sales["product"] == "nut-swirl"]
    assert dropped["date"].max() == lives.loc["nut-swirl", "max"]


def test_just_the_intermittent_products_have_a_demand_interval_over_the_syntetos_boylan_limit(
    past: pd.DataFrame,
) -> None:
    open_days = past[past["open"] == 1]
    interval = open_days.groupby("product")["quantity"].agg(
        lambda sold: len(sold) / (sold > 0).sum()
    )
    assert set(interval.index[interval > 1.32]) == {"gluten-free-loaf", "celebration-cake"}


def test_a_promotion_cuts_the_price_by_its_depth(bakery: Bakery) -> None:
    promoted = bakery.sales[bakery.sales["promotion"] > 0]
    assert set(promoted["product"]) == {item.product for item in CATALOGUE if item.lift > 0}
    assert set(promoted["promotion"]) == {0.15, 0.2, 0.3}
    year = bakery.sales["date"].dt.year
    list_price = bakery.sales.groupby(["product", year])["price"].transform("max")
    cut = list_price * (1 - bakery.sales["promotion"])
    assert (bakery.sales["price"] - cut).abs().max() < 0.0051


def test_regressors_reach_over_the_plan_and_the_weather_only_as_far_as_a_forecast(
    bakery: Bakery,
) -> None:
    assert len(bakery.regressors) == DAYS + PLANNED
    assert bakery.regressors["school_holiday"].notna().all()
    assert set(bakery.regressors["school_holiday"]) == {0, 1}
    known = bakery.regressors["temperature"].notna()
    assert known[: DAYS + 10].all()
    assert not known[DAYS + 10 :].any()


def test_the_calendar_is_that_of_the_given_land() -> None:
    # Corpus Christi is a public holiday in Baden-Württemberg and not in Schleswig-Holstein.
    corpus_christi = pd.Timestamp(2024, 5, 30)
    for land, sold in (("BW", 0), ("SH", 1)):
        sales = generate_bakery(7, date(2024, 5, 1), 60, subdivision=land).sales
        day = sales[(sales["product"] == "sandwich") & (sales["date"] == corpus_christi)]
        assert day["open"].tolist() == [sold]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"days": 0}, "days=0"),
        ({"planned_days": -1}, "planned_days=-1"),
        ({"subdivision": "XX"}, "'XX' is not a German Land"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        generate_bakery(7, START, **arguments)


@pytest.mark.parametrize("days", [1, 8, 40])
def test_a_short_history_works_too(days: int) -> None:
    bakery = generate_bakery(1, date(2024, 12, 20), days, planned_days=0)
    assert bakery.sales["date"].nunique() == days
