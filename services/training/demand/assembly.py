"""From sparse daily rows, as tenants send them, to the contiguous days of a `Series`.

Closed, zero and missing are three things: a closed day's quantity is unknown; an open day without
a row sold nothing, provided the tenant's other products sold there that day; if nothing sold
there at all, the day counts as closed and unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.opening import opening_plan
from services.training.demand.series import Event, Series

ROW_COLUMNS: Final = ("date", "quantity", "open", "stockout")
_PROMOTION: Final = "promotion"


class NoSalesError(ValueError):
    """None of the rows holds a quantity, so there is no first sale for a series to begin with."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and what a series is; `country` and `subdivision` as in `Series`."""

    product: str
    location: str
    country: str
    subdivision: str | None = None


def build_series(
    place: Place,
    rows: pd.DataFrame,
    trading_days: pd.DatetimeIndex,
    horizon_days: int,
    data_through: date | None = None,
    events: tuple[Event, ...] = (),
) -> Series:
    """The series of one product at one location.

    `rows`: one row a day at most (the last one counts), columns date and quantity, and where
    known open, stockout (0/1) and regressors; NaN or an absent column is unknown. Rows after
    `data_through` (default: the last day with a quantity) fill the plan. `trading_days`: the days
    on which any of the tenant's products sold at the location. Negative quantities are read as
    zero. Raises `NoSalesError` where no row holds a quantity.
    """
    daily = _by_day(rows)
    start, end = _span(daily, data_through, place)
    history_days = pd.date_range(start, end, name="date")
    plan_days = pd.date_range(end + pd.Timedelta(days=1), periods=horizon_days, name="date")
    history = _history(daily.reindex(history_days), trading_days)
    stated = daily["open"].reindex(plan_days)
    opening = opening_plan(stated, history["open"], place.country, place.subdivision)
    plan = pd.DataFrame({"open": opening}, index=plan_days)
    for name in (str(column) for column in daily.columns if column not in ROW_COLUMNS):
        past, future = daily[name].reindex(history_days), daily[name].reindex(plan_days)
        if name == _PROMOTION:
            past, future = _unsaid_is_none(past), _unsaid_is_none(future)
        history[name], plan[name] = past, future
    return Series(
        product=place.product,
        location=place.location,
        country=place.country,
        subdivision=place.subdivision,
        history=history,
        plan=plan,
        events=events,
    )


def _by_day(rows: pd.DataFrame) -> pd.DataFrame:
    days = pd.DatetimeIndex(pd.to_datetime(rows["date"]), name="date").normalize()
    numbers = {
        str(name): rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in rows.columns
        if name != "date"
    }
    daily = pd.DataFrame(numbers, index=days)
    daily = daily[~daily.index.duplicated(keep="last")].sort_index()
    for name in ("open", "stockout"):
        if name not in daily:
            daily[name] = np.nan
    return daily


def _span(
    daily: pd.DataFrame, data_through: date | None, place: Place
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First sale (first known day, should nothing ever have sold) and last day of history."""
    known = daily["quantity"].where(daily["open"] != 0).dropna()
    if data_through is not None:
        known = known[: pd.Timestamp(data_through)]
    if known.empty:
        raise NoSalesError(
            f"{place.product!r} at {place.location!r} has no row with a quantity"
            + (f" up to {data_through}" if data_through else "")
        )
    sold = known.index[known > 0]
    start = sold[0] if len(sold) else known.index[0]
    return start, known.index[-1] if data_through is None else pd.Timestamp(data_through)


def _history(days: pd.DataFrame, trading_days: pd.DatetimeIndex) -> pd.DataFrame:
    quantity = days["quantity"].clip(lower=0.0)
    traded = pd.Series(days.index.isin(trading_days), index=days.index)
    silent = quantity.isna() & days["open"].isna()
    closed = (days["open"] == 0) | (silent & ~traded)
    quantity = quantity.mask(silent, 0.0)
    return pd.DataFrame(
        {
            "quantity": quantity.mask(closed),
            "open": ~closed,
            "stockout": (days["stockout"] > 0) & ~closed,
        }
    )


def _unsaid_is_none(values: pd.Series) -> pd.Series:
    """Who states promotions names the days that have one; without any, nothing is known."""
    return values.fillna(0.0) if values.notna().any() else values
