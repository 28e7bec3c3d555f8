"""The two naive methods as the protocol has them; a weekday that was never open counts as 0.

Their quantiles are those of their own errors one week ahead, over the last 16 weeks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from benchmarks.accuracy.regular import by_weekday
from services.training.demand.prediction import LEVELS, Prediction
from services.training.demand.series import Series, weekdays

_ERROR_DAYS = 112

Smooth = Callable[[pd.Series], pd.Series]


def seasonal_naive(series: Sequence[Series], seed: int) -> list[Prediction]:
    """The last known same weekday again."""
    return [_forecast(one, lambda days: days.ffill()) for one in series]


def same_weekday_mean(series: Sequence[Series], seed: int) -> list[Prediction]:
    """The mean of the known among the last four same weekdays."""
    return [_forecast(one, lambda days: days.rolling(4, min_periods=1).mean()) for one in series]


def _forecast(series: Series, smooth: Smooth) -> Prediction:
    sales = series.history["quantity"]
    latest, errors = np.zeros(7), []
    for day, days in by_weekday(sales).items():
        smoothed = smooth(days)
        latest[day] = smoothed.iloc[-1] if len(days) and not np.isnan(smoothed.iloc[-1]) else 0.0
        errors.append(days - smoothed.shift(1))
    recent = pd.concat(errors).sort_index().iloc[-_ERROR_DAYS:].dropna().to_numpy()
    mean = latest[weekdays(series.plan.index)]
    offsets = np.quantile(recent, LEVELS) if len(recent) else np.zeros(len(LEVELS))
    return Prediction(mean, mean[:, None] + offsets[None, :])
