"""A series without closed days, for the methods that need one: filled as the protocol says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from services.training.demand.prediction import Floats
from services.training.demand.series import Series, weekdays

_WEEK = 7
_FILLED_FROM = 4


def regular_sales(series: Series) -> Floats:
    """Sales a day; a closed one holds the mean of the last four open same weekdays, or 0."""
    sales = series.history["quantity"].to_numpy(dtype=np.float64).copy()
    weekday = weekdays(series.history.index)
    for day in range(_WEEK):
        seen: list[float] = []
        for position in np.flatnonzero(weekday == day):
            if np.isnan(sales[position]):
                sales[position] = float(np.mean(seen[-_FILLED_FROM:])) if seen else 0.0
            else:
                seen.append(float(sales[position]))
    return sales


def by_weekday(sales: pd.Series) -> dict[int, pd.Series]:
    """The days of each weekday, in order of time."""
    weekday = weekdays(sales.index)
    return {day: sales[weekday == day] for day in range(_WEEK)}
