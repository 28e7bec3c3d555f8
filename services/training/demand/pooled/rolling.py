"""Running statistics of demand with unknown days left out; position i sees no day after i."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from services.training.demand.prediction import Floats

_WEEK = 7


def rolling_mean(demand: Floats, days: int) -> Floats:
    """Mean of the known among the last `days` days, down each column; NaN without any. By running
    sums, which take a tenth of the time of `pandas.rolling`."""
    known = ~np.isnan(demand)
    total = _sum_of_last(np.where(known, demand, 0.0), days)
    count = _sum_of_last(known.astype(np.float64), days)
    mean: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean


def rolling_deviation(demand: Floats, days: int) -> Floats:
    """Sample standard deviation of the known among the last `days` days; NaN under two."""
    return pd.Series(demand).rolling(days, min_periods=2).std().to_numpy()


def level_of(demand: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean of the known days, an unknown one leaving it as it was."""
    smooth = pd.Series(demand).ewm(halflife=half_life, ignore_na=True).mean()
    return smooth.ffill().to_numpy()


def same_weekday_mean(demand: Floats, weeks: int) -> Floats:
    """Mean of the known among the last `weeks` of the day's own weekday."""
    return _by_weekday(demand, lambda own: rolling_mean(own, weeks))


def same_weekday_level(demand: Floats, half_life_weeks: float) -> Floats:
    """Exponentially weighted mean of the known days of the day's own weekday."""

    def smooth(own: Floats) -> Floats:
        means = pd.DataFrame(own).ewm(halflife=half_life_weeks, ignore_na=True).mean()
        return means.ffill().to_numpy()

    return _by_weekday(demand, smooth)


def centred_mean(demand: Floats, days: int) -> Floats:
    """Mean of the known among an odd number of days around; it looks ahead, so read it only far
    behind an origin."""
    ahead = days // 2
    return rolling_mean(np.concatenate([demand, np.full(ahead, np.nan)]), days)[ahead:]


def days_since(flags: np.ndarray, most: int) -> Floats:
    """Days since the last flagged day, 0 on it; `most` where longer ago or never."""
    positions = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags, positions, -most))
    return np.minimum(positions - last, most).astype(np.float64)


def _sum_of_last(values: Floats, rows: int) -> Floats:
    # Of regressors near the largest float it is infinite, and a mean unknown.
    with np.errstate(over="ignore", invalid="ignore"):
        running = np.cumsum(values, axis=0)
        running[rows:] -= running[:-rows]
    return running


def _by_weekday(demand: Floats, smooth: Callable[[Floats], Floats]) -> Floats:
    """All weekdays at once: a table of one a column, its last week filled up."""
    weeks = -(-len(demand) // _WEEK)
    filled = np.full(weeks * _WEEK, np.nan)
    filled[: len(demand)] = demand
    return smooth(filled.reshape(weeks, _WEEK)).ravel()[: len(demand)]
