"""Closed days: a day on which nothing could be sold is unknown demand, not zero demand."""

import pandas as pd


def days_without_rows(sales: pd.DataFrame) -> pd.DataFrame:
    """The days (location, date) without any sale between a location's first and last row."""
    days = sales[["location", "date"]].drop_duplicates()
    spans = days.groupby("location")["date"].agg(["min", "max"])
    every_day = pd.concat(
        pd.DataFrame({"location": location, "date": pd.date_range(first, last, unit="us")})
        for location, first, last in spans.itertuples()
    )
    return _without(every_day, days)


def marked_closed(calendar: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """The days (location, date) whose `open` is 0 in a calendar that holds for all locations."""
    closed = calendar.loc[calendar["open"] == 0, ["date"]]
    return sales[["location"]].drop_duplicates().merge(closed, how="cross")


def with_closed_days(sales: pd.DataFrame, closed: pd.DataFrame) -> pd.DataFrame:
    """The sales with `open`, and a row without quantity for each product on each closed day.

    A product has closed days from its first row on. A quantity that the source gives for a closed
    day (a zero) is dropped.
    """
    shut = closed.drop_duplicates(["location", "date"]).assign(open=0)
    marked = sales.merge(shut, on=["location", "date"], how="left")
    marked["open"] = marked["open"].fillna(1).astype("int64")
    marked["quantity"] = marked["quantity"].where(marked["open"] == 1)
    first = sales.groupby(["location", "product"], as_index=False)["date"].min()
    rows = first.merge(shut, on="location", suffixes=("_first", ""))
    rows = rows.loc[rows["date"] > rows["date_first"], ["location", "product", "date", "open"]]
    added = _without(rows, sales[["location", "product", "date"]])
    together = pd.concat([marked, added], ignore_index=True)
    return together.sort_values(["location", "product", "date"], ignore_index=True)


def _without(rows: pd.DataFrame, present: pd.DataFrame) -> pd.DataFrame:
    joined = rows.merge(present, how="left", on=list(present.columns), indicator=True)
    return joined.loc[joined["_merge"] == "left_only"].drop(columns="_merge")
