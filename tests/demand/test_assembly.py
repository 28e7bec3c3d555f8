"""Sparse rows become days: closed, zero and missing stay three things."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from services.training.demand.assembly import NoSalesError, Place, build_series
from services.training.demand.series import Series

PLACE = Place("roll", "main", "DE", "SH")
MONDAY = pd.Timestamp("2024-01-01")


def day(offset: int) -> pd.Timestamp:
    return MONDAY + pd.Timedelta(days=offset)


def rows(*items: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(items)


def assemble(
    sent: pd.DataFrame, trading: list[int], horizon: int = 7, through: date | None = None
) -> Series:
    days = pd.DatetimeIndex([day(offset) for offset in trading])
    return build_series(PLACE, sent, days, horizon, through)


def test_a_silent_day_is_zero_only_where_others_sold() -> None:
    sent = rows({"date": day(0), "quantity": 5}, {"date": day(3), "quantity": 7})
    history = assemble(sent, trading=[0, 1, 3]).history
    assert history["quantity"].fillna(-1).tolist() == [5.0, 0.0, -1.0, 7.0]
    assert history["open"].tolist() == [True, True, False, True]


def test_a_closed_day_is_unknown_even_if_it_sold_and_others_did() -> None:
    sent = rows(
        {"date": day(0), "quantity": 5, "open": 1},
        {"date": day(1), "quantity": 3, "open": 0},
        {"date": day(2), "quantity": np.nan, "open": 0},
        {"date": day(3), "quantity": 2, "open": np.nan},
    )
    history = assemble(sent, trading=[0, 1, 2, 3]).history
    assert history["quantity"].fillna(-1).tolist() == [5.0, -1.0, -1.0, 2.0]
    assert history["open"].tolist() == [True, False, False, True]


def test_an_open_day_without_a_quantity_is_missing_not_zero() -> None:
    sent = rows(
        {"date": day(0), "quantity": 5, "open": 1},
        {"date": day(1), "quantity": np.nan, "open": 1},
        {"date": day(2), "quantity": 6, "open": 1},
    )
    history = assemble(sent, trading=[0, 1, 2]).history
    assert np.isnan(history["quantity"].iloc[1])
    assert history["open"].iloc[1]


def test_history_begins_with_the_first_sale_and_ends_with_the_last_known_day() -> None:
    sent = rows(
        {"date": day(0), "quantity": 0},
        {"date": day(2), "quantity": 4},
        {"date": day(5), "quantity": 0},
        {"date": day(8), "quantity": np.nan, "promotion": 1},
    )
    series = assemble(sent, trading=list(range(6)))
    assert series.history.index[0] == day(2)
    assert series.data_through == day(5)
    assert series.plan.index.tolist() == [day(offset) for offset in range(6, 13)]


def test_days_up_to_data_through_are_read_like_gaps() -> None:
    sent = rows({"date": day(0), "quantity": 4})
    series = assemble(sent, trading=[0, 1, 2], through=day(3).date())
    assert series.history["quantity"].fillna(-1).tolist() == [4.0, 0.0, 0.0, -1.0]


def test_negative_is_read_as_zero_and_the_last_row_of_a_day_counts() -> None:
    sent = rows(
        {"date": day(0), "quantity": 4},
        {"date": day(1), "quantity": 9},
        {"date": day(1), "quantity": -2},
    )
    assert assemble(sent, trading=[0, 1]).history["quantity"].tolist() == [4.0, 0.0]


def test_planned_rows_fill_the_plan_and_nothing_after_data_through_enters_history() -> None:
    sent = rows(
        {"date": day(0), "quantity": 4, "price": 2.0, "rain": 1.5},
        {"date": day(1), "quantity": np.nan, "price": 1.5, "rain": np.nan},
        {"date": day(2), "quantity": np.nan, "open": 0, "price": np.nan, "rain": 0.2},
    )
    plan = assemble(sent, trading=[0], horizon=3).plan
    assert plan["open"].tolist() == [True, False, True]
    assert plan["price"].fillna(-1).tolist() == [1.5, -1.0, -1.0]
    assert plan["rain"].fillna(-1).tolist() == [-1.0, 0.2, -1.0]


def test_promotions_not_mentioned_are_none_where_some_are() -> None:
    sent = rows(
        {"date": day(0), "quantity": 4, "promotion": np.nan},
        {"date": day(1), "quantity": 8, "promotion": 1},
        {"date": day(2), "quantity": 3, "promotion": np.nan},
    )
    series = assemble(sent, trading=[0, 1, 2], horizon=2)
    assert series.history["promotion"].tolist() == [0.0, 1.0, 0.0]
    assert series.plan["promotion"].isna().all()


def test_a_weekday_that_was_always_closed_is_closed_in_the_plan_unless_said_otherwise() -> None:
    open_days = [offset for offset in range(70) if offset % 7 != 6]
    sent = rows(*({"date": day(offset), "quantity": 5.0} for offset in open_days))
    plan = assemble(sent, trading=open_days, horizon=14).plan
    closed = plan.index[~plan["open"]]
    assert {stamp.day_of_week for stamp in closed} == {6}
    assert len(closed) == 2
    opening = rows({"date": closed[0], "quantity": np.nan, "open": 1})
    plan = assemble(pd.concat([sent, opening]), trading=open_days, horizon=14).plan
    assert plan["open"].loc[closed].tolist() == [True, False]


def test_rows_without_any_quantity_begin_no_series() -> None:
    with pytest.raises(NoSalesError, match="'roll' at 'main'"):
        assemble(rows({"date": day(0), "quantity": np.nan, "open": 0}), trading=[0])
    sent = rows({"date": day(0), "quantity": 3})
    with pytest.raises(NoSalesError, match="up to 2023-12-31"):
        assemble(sent, trading=[0], through=date(2023, 12, 31))


def test_an_unsold_product_begins_with_its_first_known_day() -> None:
    sent = rows(*({"date": day(offset), "quantity": 0} for offset in range(3)))
    assert len(assemble(sent, trading=[]).history) == 3
