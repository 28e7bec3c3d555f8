"""What a tenant's combinations save over the baseline: what to expect of one more of its series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from services.training.demand.backtest import FoldForecast
from services.training.demand.baseline import forecast_baseline
from services.training.demand.comparison import Gain, compare
from services.training.demand.metrics import pinball
from services.training.demand.pooled.rehearsal import Mixtures, Rehearsal
from services.training.demand.prediction import LEVELS, Floats, Prediction

_FEWEST_SERIES: Final = 5
_SMALLEST_DEVIATION: Final = 0.05
"""No tenant's series are more alike than that, whatever a few of them say."""
_COLUMNS: Final = [column for column, level in enumerate(LEVELS) if 0.1 <= level <= 0.9]


def expected_gain(mixtures: Mixtures, rehearsals: Sequence[Rehearsal]) -> Gain | None:
    """Mean and deviation, from series to series, of the share of the baseline's quantile loss that
    the combination saves; None of fewer than five series.

    The deviation is what remains of the spread of their gains without the chance of so few days in
    each (the method of moments of DerSimonian & Laird 1986), and with that of so few series."""
    gains = [gain for one in rehearsals if (gain := _gain(mixtures, one)) is not None]
    if len(gains) < _FEWEST_SERIES:
        return None
    means = np.array([gain.mean for gain in gains])
    chance = np.mean([gain.standard_error**2 for gain in gains])
    spread = float(means.var(ddof=1))
    between = max(spread - float(chance), _SMALLEST_DEVIATION**2)
    return Gain(float(means.mean()), math.sqrt(between + spread / len(gains)))


def _gain(mixtures: Mixtures, rehearsal: Rehearsal) -> Gain | None:
    """Of one series, as a share; None where Prophet or the baseline's loss is missing, or so few
    days that their chance is not known."""
    fold, rehearsed = rehearsal.fold, rehearsal.beside_prophet
    if rehearsed is None:
        return None
    before = _losses(FoldForecast(fold, forecast_baseline(fold.series)))
    usual = float(before.mean())
    if usual == 0.0:
        return None
    mixed: Prediction = mixtures.beside_prophet.apply(rehearsed.members)
    gain = compare([before / usual], [_losses(FoldForecast(fold, mixed)) / usual])
    return gain if math.isfinite(gain.standard_error) else None


def _losses(forecast: FoldForecast) -> Floats:
    levels = [LEVELS[column] for column in _COLUMNS]
    losses: Floats = pinball(forecast.actual, forecast.quantiles[:, _COLUMNS], levels).mean(axis=1)
    return losses
