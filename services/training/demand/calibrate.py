"""Quantiles that cover what they promise: conformal offsets from walk-forward residuals.

Each level's quantile is moved by the same level's quantile of the past misses (conformalised
quantile regression, Romano, Patterson & Candes 2019, one level at a time), a band of lead times
at a time, because errors grow with the lead. Misses are counted in units of the series' level at
the cut-off, so that a series that has doubled since keeps its relative width. A band with few
days borrows from all leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from services.training.demand.backtest import FoldForecast
from services.training.demand.prediction import LEVELS, Floats, Prediction

LEAD_BANDS: Final = (7, 14, 28)
"""Last lead, in days, of each band; what lies beyond belongs to the last."""
_BORROWING_DAYS: Final = 30
_FEWEST_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Calibration:
    """`offsets` has shape (bands, levels), in units of the series' level."""

    offsets: tuple[tuple[float, ...], ...]

    def apply(self, prediction: Prediction, unit: float) -> Prediction:
        """The prediction with its quantiles moved, in order and never negative; the mean stays."""
        offsets = np.array(self.offsets)[_band_of(len(prediction.mean))]
        moved = np.sort(prediction.quantiles + unit * offsets, axis=1)
        return Prediction(prediction.mean, np.maximum(moved, 0.0))

    @classmethod
    def none(cls) -> Self:
        """The calibration that moves nothing: no residuals are known."""
        return cls(tuple((0.0,) * len(LEVELS) for _ in LEAD_BANDS))


def calibrate(forecasts: Sequence[FoldForecast]) -> Calibration:
    """Offsets learnt from raw forecasts and what then happened; none from under 14 scored days."""
    misses, bands = _misses(forecasts)
    if len(misses) < _FEWEST_DAYS:
        return Calibration.none()
    overall = _offsets(misses)
    rows = []
    for band in range(len(LEAD_BANDS)):
        own = misses[bands == band]
        weight = len(own) / (len(own) + _BORROWING_DAYS)
        local = _offsets(own) if len(own) else overall
        rows.append(tuple(float(x) for x in weight * local + (1.0 - weight) * overall))
    return Calibration(tuple(rows))


def unit_of(recent_sales: Floats) -> float:
    """The level of a series: its mean known sale over the last 56 days; 1 where that is zero."""
    known = recent_sales[-56:][~np.isnan(recent_sales[-56:])]
    return float(known.mean()) if len(known) and known.mean() > 0 else 1.0


def _misses(forecasts: Sequence[FoldForecast]) -> tuple[Floats, Floats]:
    rows, bands = [np.empty((0, len(LEVELS)))], [np.empty(0)]
    for forecast in forecasts:
        fold, quantiles = forecast.fold, forecast.prediction.quantiles
        unit = unit_of(fold.series.history["quantity"].to_numpy())
        miss = (fold.actual[:, None] - quantiles) / unit
        rows.append(miss[fold.scored])
        bands.append(_band_of(len(fold.actual))[fold.scored])
    return np.concatenate(rows), np.concatenate(bands)


def _offsets(misses: Floats) -> Floats:
    """The level's quantile of each column of misses, one rank further out than in the sample."""
    count = len(misses)
    offsets = np.empty(len(LEVELS))
    for position, level in enumerate(LEVELS):
        outer = min(max(0.5 + (level - 0.5) * (count + 1) / count, 0.0), 1.0)
        offsets[position] = np.quantile(misses[:, position], outer)
    return offsets


def _band_of(days: int) -> Floats:
    leads = np.arange(1, days + 1)
    return np.minimum(np.searchsorted(LEAD_BANDS, leads), len(LEAD_BANDS) - 1)
