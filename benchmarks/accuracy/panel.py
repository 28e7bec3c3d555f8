"""From a tenant's rows to whole series: every day once, closed days unknown, open ones at least 0.

A series runs from its first row to the end of the data set, so that a product which is delisted
counts as demand of zero instead of vanishing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.real_data import TenantData
from services.training.demand.series import Event

_KEYS = ("date", "location", "product")


def whole_series(tenant: TenantData) -> dict[str, pd.DataFrame]:
    """Each series by its name `location|product`: index date; quantity, open and regressors."""
    last = tenant.sales["date"].max()
    beside = dict(_regressors_by_location(tenant))
    return {
        f"{location}|{product}": _days(rows.set_index("date"), beside[location], last)
        for (location, product), rows in tenant.sales.groupby(["location", "product"], sort=True)
    }


def places(tenant: TenantData) -> dict[str, tuple[str, str | None]]:
    """Country and subdivision of each location."""
    usual = (tenant.country, tenant.subdivision)
    found = dict.fromkeys(tenant.sales["location"].unique(), usual)
    for row in tenant.locations.itertuples():
        subdivision = row.subdivision if isinstance(row.subdivision, str) else None
        found[row.location] = (row.country, subdivision)
    return found


def events_at(tenant: TenantData, location: str) -> tuple[Event, ...]:
    """The tenant's own events that hold at a location."""
    events = tenant.events
    if "location" in events:
        events = events[events["location"].isna() | (events["location"] == location)]
    return tuple(
        Event(str(name), tuple(_day(moment) for moment in days["date"]))
        for name, days in events.groupby("event", sort=True)
    )


def _day(moment: pd.Timestamp) -> date:
    return moment.date()


def _regressors_by_location(tenant: TenantData) -> Iterator[tuple[str, pd.DataFrame]]:
    table = tenant.regressors
    for location in tenant.sales["location"].unique():
        here = table
        if "location" in table:
            here = table[table["location"] == location].drop(columns="location")
        here = here.drop_duplicates("date").set_index("date")
        yield location, here.drop(columns="open", errors="ignore").astype("float64")


def _days(rows: pd.DataFrame, regressors: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    index = pd.date_range(rows.index.min(), last, name="date")
    rows = rows.reindex(index)
    shut = rows["open"] == 0 if "open" in rows else pd.Series(False, index=index)
    quantity = rows["quantity"].clip(lower=0.0).fillna(0.0).mask(shut)
    frame = pd.DataFrame({"quantity": quantity, "open": ~shut, "stockout": False})
    for name in ("price", "promotion"):
        if name in rows:
            values = rows[name].astype("float64")
            frame[name] = values.fillna(0.0) if name == "promotion" else values
    kept = [name for name in regressors if regressors[name].nunique() > 1]
    return frame.join(regressors[kept].reindex(index).replace([np.inf, -np.inf], np.nan))
