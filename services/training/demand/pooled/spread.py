"""How much wider or narrower a tenant's quantiles have to be, from forecasts of earlier cut-offs.

One factor for all of a tenant's series, because the few folds of a single one say little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.training.demand.prediction import LEVELS, Floats, Prediction

_LOWER, _MEDIAN, _UPPER = (LEVELS.index(level) for level in (0.1, 0.5, 0.9))
_BAND: Final = 0.8
_PRIOR_DAYS: Final = 100
_NARROWEST, _WIDEST = 0.7, 1.6


@dataclass(frozen=True, slots=True)
class Spread:
    """`factor` multiplies each quantile's distance from the median."""

    factor: float

    def apply(self, prediction: Prediction) -> Prediction:
        """The prediction with its quantiles moved away from the median or towards it."""
        median = prediction.quantiles[:, _MEDIAN : _MEDIAN + 1]
        moved = median + self.factor * (prediction.quantiles - median)
        return Prediction(prediction.mean, np.maximum(moved, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A raw forecast of an earlier cut-off, and what then happened on its scored days."""

    prediction: Prediction
    actual: Floats
    scored: npt.NDArray[np.bool_]


def learn_spread(seen: Sequence[Seen]) -> Spread:
    """The factor with which the 80 % band would have held 80 % of the days, drawn towards 1 as if
    so many days more had been covered as promised; 1 without any scored day.

    The conformal score is that of Romano, Patterson & Candes (2019), relative to the band: how
    many half-widths the day lay from the median.
    """
    scores = np.concatenate([_half_widths(one) for one in seen]) if seen else np.empty(0)
    if not len(scores):
        return Spread(1.0)
    raw = float(np.quantile(scores, _BAND, method="higher"))
    trust = len(scores) / (len(scores) + _PRIOR_DAYS)
    return Spread(float(np.clip(1.0 + trust * (raw - 1.0), _NARROWEST, _WIDEST)))


def _half_widths(seen: Seen) -> Floats:
    """Distance of each scored day from the median, in half-widths of that side of the band."""
    quantiles, actual = seen.prediction.quantiles[seen.scored], seen.actual[seen.scored]
    median = quantiles[:, _MEDIAN]
    above = actual > median
    half = np.where(above, quantiles[:, _UPPER] - median, median - quantiles[:, _LOWER])
    distance = np.abs(actual - median)
    outside = np.where(distance > 0, np.inf, 0.0)
    return np.divide(distance, half, out=outside, where=half > 0)
