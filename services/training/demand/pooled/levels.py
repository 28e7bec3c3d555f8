"""From the levels that have a model of their own to all `LEVELS`."""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np

from services.training.demand.pooled.config import BOOSTED_LEVELS
from services.training.demand.prediction import LEVELS, Floats

_Z: Final = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
_BOOSTED_Z: Final = np.array([NormalDist().inv_cdf(level) for level in BOOSTED_LEVELS])


def spread_over_levels(boosted: Floats) -> Floats:
    """Monotone, non-negative quantiles (days, LEVELS) from (days, BOOSTED_LEVELS).

    Linear between neighbours over the normal score, which is exact for Gaussian errors; beyond
    the outer levels the line from the median through the outermost goes on.
    """
    ordered = np.sort(np.maximum(boosted, 0.0), axis=1)
    inside = np.stack([np.interp(_Z, _BOOSTED_Z, day) for day in ordered])
    centre = ordered[:, len(BOOSTED_LEVELS) // 2 :][:, :1]
    lowest, highest = ordered[:, :1], ordered[:, -1:]
    below = centre + (lowest - centre) * (_Z / _BOOSTED_Z[0])[None, :]
    above = centre + (highest - centre) * (_Z / _BOOSTED_Z[-1])[None, :]
    tails = np.where(_BOOSTED_Z[0] > _Z, below, above)
    outside = (_BOOSTED_Z[0] > _Z) | (_BOOSTED_Z[-1] < _Z)
    spread = np.where(outside, tails, inside)
    result: Floats = np.maximum(spread, 0.0)
    return result
