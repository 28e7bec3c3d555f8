"""The two forecasts every other family has to beat, and the last rung of the serving ladder.

Seasonal naive repeats the last known same weekday; the same-weekday mean averages the last four.
Quantiles are the forecaster's own past errors. Needs numpy and pandas alone, and one known day.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.censoring import expected_demand
from services.training.demand.prediction import LEVELS, Floats, Prediction
from services.training.demand.series import Series, weekdays

_WEEK: Final = 7
_ERROR_DAYS: Final = 182
_FEWEST_ERRORS: Final = 14


class Baseline(StrEnum):
    SEASONAL_NAIVE = "seasonal_naive"
    SAME_WEEKDAY_MEAN = "same_weekday_mean"


_WEEKS_AVERAGED: Final = {Baseline.SEASONAL_NAIVE: 1, Baseline.SAME_WEEKDAY_MEAN: 4}


class NothingKnownError(ValueError):
    """No day of the history has a known quantity, so there is nothing to average."""


def forecast_baseline(series: Series, method: Baseline = Baseline.SAME_WEEKDAY_MEAN) -> Prediction:
    """The baseline's answer for `series.plan`; raises `NothingKnownError` without a known day."""
    demand = pd.Series(expected_demand(series.history), index=series.history.index)
    known = demand.dropna()
    if known.empty:
        raise NothingKnownError(
            f"{series.product!r} at {series.location!r} has no day with a known quantity"
        )
    weeks = _WEEKS_AVERAGED[method]
    weekday_means = _weekday_means(known, weeks)
    mean = weekday_means[weekdays(series.plan.index)]
    offsets = _error_quantiles(known, weeks, len(series.plan))
    quantiles = mean[:, None] + offsets[None, :]
    return Prediction(mean, quantiles).for_days(series.plan["open"].to_numpy())


def _weekday_means(known: pd.Series, weeks: int) -> Floats:
    """Mean of the last `weeks` known days of each weekday; of the last ones of any, where none."""
    values, weekday = known.to_numpy(), weekdays(known.index)
    anyway = float(values[-weeks * _WEEK :].mean())
    means = np.full(_WEEK, anyway)
    for day in np.unique(weekday):
        means[day] = values[weekday == day][-weeks:].mean()
    return means


def _error_quantiles(known: pd.Series, weeks: int, horizon: int) -> Floats:
    """Quantiles of own past errors at the leads of a horizon, one offset for each level."""
    errors = _past_errors(known, weeks, horizon)
    if len(errors) < _FEWEST_ERRORS:
        values = known.to_numpy()
        errors = values - values.mean()
    return np.quantile(errors, LEVELS)


def _past_errors(known: pd.Series, weeks: int, horizon: int) -> Floats:
    """Errors made had the forecast been issued one week, then two ... up to the horizon before."""
    collected: list[Floats] = []
    quantities, days = known.to_numpy(), weekdays(known.index)
    for weekday in range(_WEEK):
        values = quantities[days == weekday]
        means = _rolling_mean(values, weeks)
        for lead in range(1, max(1, -(-horizon // _WEEK)) + 1):
            errors = values[lead:] - means[:-lead]
            collected.append(errors[-(_ERROR_DAYS // _WEEK) :])
    errors = np.concatenate(collected)
    known_errors: Floats = errors[~np.isnan(errors)]
    return known_errors


def _rolling_mean(values: Floats, count: int) -> Floats:
    """The mean of each value and those before it, NaN where there are not as many."""
    means = np.full(len(values), np.nan)
    if len(values) >= count:
        means[count - 1 :] = np.lib.stride_tricks.sliding_window_view(values, count).mean(axis=1)
    return means
