"""What a model with covariates sees: demand, regressors without gaps, the calendar.

Everything here is computed from one `Series`, which holds nothing after its cut-off, so a fold
cannot see its own future. A regressor that is not known on a day to come takes its climatology:
its mean on that weekday over what was known at the cut-off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand.calendar import Holiday, holidays_of
from services.training.demand.censoring import expected_demand
from services.training.demand.neighbourhood import shared_occasions
from services.training.demand.prediction import Floats
from services.training.demand.series import Series, weekdays

Days = npt.NDArray[np.datetime64]
Weekdays = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Regressor:
    """Its values on the past days of a design and on the days ahead; `planned`: known there."""

    name: str
    past: Floats
    ahead: Floats
    planned: bool


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """`days` (n,) are the open ones with known `demand` (n,), `ahead` every day of the plan.

    Nothing holds a NaN. `dropped` regressors carry no information and are left out."""

    days: Days
    demand: Floats
    ahead: Days
    regressors: tuple[Regressor, ...]
    holidays: tuple[Holiday, ...]
    dropped: tuple[str, ...]

    @property
    def span_days(self) -> int:
        """Days from the first to the last known one, both counted."""
        return int((self.days[-1] - self.days[0]).astype(np.int64)) + 1


def planned_regressors(series: Series) -> frozenset[str]:
    """The regressors whose values are known for every open day of the plan, and those foreseen for
    any: nobody forecasts the weather of a month."""
    is_open = series.plan["open"].to_numpy()
    planned = set()
    for name in series.regressors:
        unknown = np.isnan(series.plan[name].to_numpy()[is_open])
        if not (unknown.all() if name in series.foreseen else unknown.any()):
            planned.add(name)
    return frozenset(planned)


def prepare(series: Series) -> Design:
    """The design of one series as known at its `data_through`."""
    demand = expected_demand(series.history)
    seen = ~np.isnan(demand)
    past_weekdays, ahead_weekdays = weekdays(series.history.index), weekdays(series.plan.index)
    known = planned_regressors(series)
    kept: list[Regressor] = []
    dropped: list[str] = []
    for name in series.regressors:
        observed = series.history[name].to_numpy()
        if not _informative(observed[seen]):
            dropped.append(name)
            continue
        usual = _weekday_climatology(observed, past_weekdays)
        past = _fill(observed, usual[past_weekdays])[seen]
        ahead = _fill(series.plan[name].to_numpy(), usual[ahead_weekdays])
        kept.append(Regressor(name, past, ahead, name in known))
    return Design(
        days=_days(series.history.index)[seen],
        demand=demand[seen],
        ahead=_days(series.plan.index),
        regressors=tuple(kept),
        holidays=(*holidays_of(series), *shared_occasions(series)),
        dropped=tuple(dropped),
    )


def filled(values: Floats, days: Weekdays, observed: Floats, observed_on: Weekdays) -> Floats:
    """`values` with its gaps closed by the climatology of what was `observed` so far."""
    return _fill(values, _weekday_climatology(observed, observed_on)[days])


def _days(index: pd.Index) -> Days:
    return index.to_numpy().astype("datetime64[D]")


def _fill(values: Floats, usual: Floats) -> Floats:
    return np.where(np.isnan(values), usual, values)


def _informative(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known) and known.min() < known.max())


def _weekday_climatology(observed: Floats, weekday: Weekdays) -> Floats:
    """The mean of each weekday; of all days for a weekday never observed; NaN without any day."""
    known = ~np.isnan(observed)
    if not known.any():
        return np.full(7, np.nan)
    values, days = observed[known], weekday[known]
    count, total = np.bincount(days, minlength=7), np.bincount(days, values, minlength=7)
    with np.errstate(over="ignore"):  # the solver names what overflowed
        return np.where(count > 0, total / np.maximum(count, 1), values.mean())
