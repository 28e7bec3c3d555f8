"""Running statistics of demand with unknown days left out; position i sees no day after i."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from services.training.demand.prediction import Floats

_WEEK = 7


def rolling_mean(demand: Floats, days: int) -> Floats:
    """Mean of the known among the last `days` days; NaN without any."""
    return pd.Series(demand).rolling(days, min_periods=1).mean().to_numpy()


def rolling_deviation(demand: Floats, days: int) -> Floats:
    """Sample standard deviation of the known among the last `days` days; NaN under two."""
    return pd.Series(demand).rolling(days, min_periods=2).std().to_numpy()


def level_of(demand: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean of the known days, an unknown one leaving it as it was."""
    smooth = pd.Series(demand).ewm(halflife=half_life, ignore_na=True).mean()
    return smooth.ffill().to_numpy()


def same_weekday_mean(demand: Floats, weeks: int) -> Floats:
    """Mean of the known among the last `weeks` of the day's own weekday."""
    return _by_weekday(demand, lambda own: own.rolling(weeks, min_periods=1).mean())


def same_weekday_level(demand: Floats, half_life_weeks: float) -> Floats:
    """Exponentially weighted mean of the known days of the day's own weekday."""
    return _by_weekday(
        demand, lambda own: own.ewm(halflife=half_life_weeks, ignore_na=True).mean().ffill()
    )


def centred_mean(demand: Floats, days: int) -> Floats:
    """Mean of the known days around; it looks ahead, so read it only far behind an origin."""
    return pd.Series(demand).rolling(days, center=True, min_periods=1).mean().to_numpy()


def days_since(flags: np.ndarray, most: int) -> Floats:
    """Days since the last flagged day, 0 on it; `most` where longer ago or never."""
    positions = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags, positions, -most))
    return np.minimum(positions - last, most).astype(np.float64)


def _by_weekday(demand: Floats, smooth: Callable[[pd.DataFrame], pd.DataFrame]) -> Floats:
    """All weekdays at once: a table of one a column, its last week filled up."""
    weeks = -(-len(demand) // _WEEK)
    filled = np.full(weeks * _WEEK, np.nan)
    filled[: len(demand)] = demand
    smoothed: Floats = smooth(pd.DataFrame(filled.reshape(weeks, _WEEK))).to_numpy()
    return smoothed.ravel()[: len(demand)]
