"""Which days to come a place will be open: as it said, else as it has kept its days so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand.calendar import UnknownRegionError, public_holidays
from services.training.demand.series import weekdays

_CLOSED_WEEKS: Final = 8
_FEWEST_CLOSED_WEEKS: Final = 4
_FEWEST_HOLIDAYS: Final = 3

Flags = npt.NDArray[np.bool_]


def opening_plan(
    stated: pd.Series, open_so_far: pd.Series, country: str, subdivision: str | None
) -> Flags:
    """Of each day of `stated` (1 open, 0 closed, NaN not said) whether it is open.

    A day of which nothing is said is open unless its weekday has lately always been closed, or it
    is a public holiday that the place has always kept. A holiday it has not lived through yet
    counts as kept where it kept all others, three of them at least."""
    usual = ~np.isin(weekdays(stated.index), _closed_weekdays(open_so_far))
    kept = _kept_holidays(stated.index, open_so_far, country, subdivision)
    said = stated.to_numpy()
    return np.where(np.isnan(said), usual & ~kept, said != 0)


def _closed_weekdays(open_so_far: pd.Series) -> list[int]:
    recent = open_so_far.iloc[-7 * _CLOSED_WEEKS :]
    groups = recent.groupby(weekdays(recent.index)).agg(["size", "any"])
    closed = groups[(groups["size"] >= _FEWEST_CLOSED_WEEKS) & ~groups["any"]]
    return [int(day) for day in closed.index]


def _kept_holidays(
    ahead: pd.Index, open_so_far: pd.Series, country: str, subdivision: str | None
) -> Flags:
    try:
        names = _names_by_day([*open_so_far.index, *ahead], country, subdivision)
    except UnknownRegionError:  # the training refuses such a series and says why
        return np.full(len(ahead), False)
    lived: dict[str, list[bool]] = defaultdict(list)
    for day in names.keys() & _days_that_tell(open_so_far):
        for name in names[day]:
            lived[name].append(bool(open_so_far[day]))
    ever = [was_open for days in lived.values() for was_open in days]
    keeps_all = len(ever) >= _FEWEST_HOLIDAYS and not any(ever)
    return np.array(
        [
            any(not any(lived[name]) if name in lived else keeps_all for name in names.get(day, ()))
            for day in ahead
        ],
        dtype=bool,
    )


def _days_that_tell(open_so_far: pd.Series) -> set[pd.Timestamp]:
    """Those whose weekday was open the week before or after: a holiday on a day of rest that was
    kept anyway says nothing."""
    around = open_so_far.shift(7, fill_value=False) | open_so_far.shift(-7, fill_value=False)
    return set(open_so_far.index[open_so_far | around])


def _names_by_day(
    days: Iterable[pd.Timestamp], country: str, subdivision: str | None
) -> dict[pd.Timestamp, list[str]]:
    names: dict[pd.Timestamp, list[str]] = defaultdict(list)
    for year in sorted({day.year for day in days}):
        for holiday in public_holidays(country, subdivision, year):
            names[pd.Timestamp(holiday.day)].append(holiday.name)
    return names
