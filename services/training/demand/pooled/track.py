"""A series as arrays over history and plan, with everything that is known of a day in advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand.calendar import holidays_of
from services.training.demand.censoring import expected_demand
from services.training.demand.foreseen import Tables, as_known
from services.training.demand.neighbourhood import Nearness, near_holidays
from services.training.demand.prediction import Floats
from services.training.demand.series import Series, weekdays

Indices = npt.NDArray[np.intp]
Ints = npt.NDArray[np.int64]

NO_DAY: Final = -1
_EPOCH: Final = pd.Timestamp("1970-01-01")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Arrays over the days of history, then of the plan; day 0 is `first_day` (days since 1970).

    `demand` (history alone) is NaN where closed or unknown, lifted where sold out; `occasion` is
    the position of the day's holiday or event among `occasions`, or `NO_DAY`; `near` what it is to
    public holidays, as `Nearness` numbers it; `regressors` are as observed, those
    `foreseen` (days, leads) also as known before.
    """

    product: str
    location: str
    first_day: int
    days_known: int
    demand: Floats
    open_days: npt.NDArray[np.bool_]
    weekday: Ints
    month_day: Ints
    year_day: Ints
    occasion: Ints
    occasions: tuple[str, ...]
    near: Ints
    regressors: dict[str, Floats]
    foreseen: Tables

    @property
    def origin(self) -> int:
        """The last day of history."""
        return self.days_known - 1

    @property
    def days(self) -> int:
        return len(self.open_days)

    def known(self, name: str, origins: Indices, days: Indices) -> Floats:
        """The regressor on each of the days as known at its origin; NaN where it was not."""
        if name not in self.regressors:
            return np.full(len(days), np.nan)
        observed = at(self.regressors[name], days)
        table = self.foreseen.get(name)
        if table is None:
            return observed
        return np.where(days <= origins, observed, as_known(table, days, days - origins))


def at(values: Floats, positions: Indices) -> Floats:
    """The values at these positions; NaN where there is no such day."""
    inside = (positions >= 0) & (positions < len(values))
    return np.where(inside, values[np.clip(positions, 0, len(values) - 1)], np.nan)


def track_of(series: Series) -> Track:
    """The track of a series' history and plan."""
    history = series.history
    index = pd.DatetimeIndex(history.index.append(series.plan.index))
    occasion, occasions = _occasions(series, index)
    regressors = {
        name: np.concatenate([history[name].to_numpy(), series.plan[name].to_numpy()])
        for name in series.regressors
    }
    return Track(
        product=series.product,
        location=series.location,
        first_day=(index[0] - _EPOCH).days,
        days_known=len(history),
        demand=expected_demand(history),
        open_days=np.concatenate([history["open"].to_numpy(), series.plan["open"].to_numpy()]),
        weekday=weekdays(index).astype(np.int64),
        month_day=index.day.to_numpy(dtype=np.int64),
        year_day=index.day_of_year.to_numpy(dtype=np.int64),
        occasion=occasion,
        occasions=occasions,
        near=_near(series, index),
        regressors=regressors,
        foreseen=series.foreseen,
    )


def _occasions(series: Series, index: pd.DatetimeIndex) -> tuple[Ints, tuple[str, ...]]:
    """The first named holiday or event of each day; a window's days are named by their distance."""
    found = np.full(len(index), NO_DAY, dtype=np.int64)
    names: dict[str, int] = {}
    first = index[0].toordinal()
    for holiday in holidays_of(series):
        position = holiday.day.toordinal() - first
        for shift in range(-holiday.before, holiday.after + 1):
            if 0 <= position + shift < len(index) and found[position + shift] == NO_DAY:
                name = f"{holiday.name} {shift:+d}" if shift else holiday.name
                found[position + shift] = names.setdefault(name, len(names))
    return found, tuple(names)


def _near(series: Series, index: pd.DatetimeIndex) -> Ints:
    found = np.full(len(index), Nearness.NONE, dtype=np.int64)
    first = index[0].toordinal()
    for year in range(index[0].year, index[-1].year + 1):
        for day, kind in near_holidays(series.country, series.subdivision, year).items():
            position = day.toordinal() - first
            if 0 <= position < len(index):
                found[position] = kind
    return found
