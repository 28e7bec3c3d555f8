"""Quantiles that cover what they promise: conformal offsets from walk-forward residuals.

Each level's quantile is moved by the same level's quantile of its past misses (conformalised
quantile regression, Romano, Patterson & Candes 2019, one level at a time), in units of the
forecast's own spread and a band of lead times at a time, because errors grow with the lead.

Two things keep few folds from doing harm. A fold's median miss counts with both signs: three
months say how far a forecast drifts, not which way it will. And offsets are shrunk towards none,
as if so many perfectly calibrated days had been seen too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from services.training.demand.backtest import FoldForecast
from services.training.demand.prediction import LEVELS, Floats, Prediction

LEAD_BANDS: Final = (7, 14, 28)
"""Last lead, in days, of each band; what lies beyond belongs to the last."""
PRIOR_DAYS: Final = 40
_BORROWING_DAYS: Final = 60
_FEWEST_DAYS: Final = 14
_LOWER, _UPPER = LEVELS.index(0.1), LEVELS.index(0.9)
_DEVIATIONS_APART: Final = 2.563


@dataclass(frozen=True, slots=True)
class Calibration:
    """`offsets` has shape (bands, levels), in units of a forecast's spread."""

    offsets: tuple[tuple[float, ...], ...]

    def apply(self, prediction: Prediction) -> Prediction:
        """The prediction with its quantiles moved, in order and never negative; the mean stays."""
        offsets = np.array(self.offsets)[_band_of(len(prediction.mean))]
        moved = np.sort(prediction.quantiles + _spread(prediction) * offsets, axis=1)
        return Prediction(prediction.mean, np.maximum(moved, 0.0))

    @classmethod
    def none(cls) -> Self:
        """The calibration that moves nothing: too little is known."""
        return cls(tuple((0.0,) * len(LEVELS) for _ in LEAD_BANDS))


@dataclass(frozen=True, slots=True, eq=False)
class _Misses:
    """Of the scored days: `values` (days, levels), `drift` (days,) the median of their fold, both
    in units of the forecast's spread; `bands` (days,)."""

    values: Floats
    drift: Floats
    bands: npt.NDArray[np.intp]

    def among(self, chosen: npt.NDArray[np.bool_]) -> _Misses:
        return _Misses(self.values[chosen], self.drift[chosen], self.bands[chosen])


def calibrate(forecasts: Sequence[FoldForecast], prior_days: int = PRIOR_DAYS) -> Calibration:
    """Offsets learnt from raw forecasts and what then happened, as if `prior_days` more had been
    as promised; none from under 14 scored days."""
    if sum(len(forecast.actual) for forecast in forecasts) < _FEWEST_DAYS:
        return Calibration.none()
    parts = [_misses_of(forecast) for forecast in forecasts if len(forecast.actual)]
    misses = _Misses(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.drift for part in parts]),
        np.concatenate([part.bands for part in parts]),
    )
    trust = _weight(misses, prior_days)
    overall = _offsets(misses)
    rows = []
    for band in range(len(LEAD_BANDS)):
        own = misses.among(misses.bands == band)
        share = _weight(own, _BORROWING_DAYS)
        local = _offsets(own) if share > 0.0 else overall
        rows.append(trust * (share * local + (1.0 - share) * overall))
    return Calibration(tuple(tuple(row.tolist()) for row in rows))


def _misses_of(forecast: FoldForecast) -> _Misses:
    fold, prediction = forecast.fold, forecast.prediction
    spread = _spread(prediction)
    values = (fold.actual[:, None] - prediction.quantiles)[fold.scored] / spread
    drift = float(np.median((fold.actual - prediction.median)[fold.scored])) / spread
    bands = _band_of(len(fold.actual))[fold.scored]
    return _Misses(values, np.full(len(values), drift), bands)


def _offsets(misses: _Misses) -> Floats:
    """The level's quantile of each column of misses, one rank further out than in the sample."""
    either_way = np.concatenate([misses.values, misses.values - 2.0 * misses.drift[:, None]])
    count = len(misses.values)
    outer = np.clip(0.5 + (np.array(LEVELS) - 0.5) * (count + 1) / count, 0.0, 1.0)
    return quantiles_of_columns(either_way, outer)


def quantiles_of_columns(values: Floats, levels: Floats) -> Floats:
    """The quantile of each column at its own level, linear between ranks as in `numpy.quantile`;
    which sorts anew for every level and takes ten times as long on so few rows."""
    ordered = np.sort(values, axis=0)
    ranks = levels * (len(values) - 1)
    below = np.floor(ranks).astype(np.intp)
    above = np.minimum(below + 1, len(values) - 1)
    columns = np.arange(values.shape[1])
    low, high = ordered[below, columns], ordered[above, columns]
    found: Floats = low + (ranks - below) * (high - low)
    return found


def _weight(misses: _Misses, against: int) -> float:
    return len(misses.values) / (len(misses.values) + against)


def _spread(prediction: Prediction) -> float:
    """About one standard deviation of the prediction; of one without any, a tenth of its level."""
    width = prediction.quantiles[:, _UPPER] - prediction.quantiles[:, _LOWER]
    spread = float(width.mean()) / _DEVIATIONS_APART if len(width) else 0.0
    level = float(np.abs(prediction.mean).mean()) if len(width) else 0.0
    return spread or 0.1 * level or 1.0


def _band_of(days: int) -> npt.NDArray[np.intp]:
    leads = np.arange(1, days + 1)
    return np.minimum(np.searchsorted(LEAD_BANDS, leads), len(LEAD_BANDS) - 1)
