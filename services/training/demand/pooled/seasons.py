"""The year's rhythm of a whole location, for the products that have not seen a year themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.training.demand.pooled.rolling import centred_mean, rolling_mean
from services.training.demand.pooled.track import Track
from services.training.demand.prediction import Floats

YEAR: Final = 364
"""Days back to the same weekday a year ago."""
_LEVEL_DAYS: Final = 28
_AROUND_DAYS: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class YearlyRhythm:
    """A location's demand by day from `first_day` on (days since 1970), all its series together."""

    first_day: int
    demand: Floats

    def change(self, origins: np.ndarray, targets: np.ndarray) -> Floats:
        """Demand around the target day a year ago, against that of the four weeks up to the origin
        a year ago; NaN where that was before the first day."""
        around = centred_mean(self.demand, _AROUND_DAYS)
        level = rolling_mean(self.demand, _LEVEL_DAYS)
        return self._at(around, targets) / self._at(level, origins)

    def _at(self, values: Floats, days: np.ndarray) -> Floats:
        positions = days - YEAR - self.first_day
        # The first level days average too few days to be a level.
        inside = (positions >= _LEVEL_DAYS) & (positions < len(values) - _AROUND_DAYS // 2)
        found = values[np.clip(positions, 0, len(values) - 1)]
        return np.where(inside & (found > 0), found, np.nan)


def rhythms_of(tracks: Iterable[Track]) -> dict[str, YearlyRhythm]:
    """The rhythm of each location."""
    by_location: dict[str, list[Track]] = {}
    for track in tracks:
        by_location.setdefault(track.location, []).append(track)
    return {location: _sum(group) for location, group in by_location.items()}


def _sum(tracks: list[Track]) -> YearlyRhythm:
    first = min(track.first_day for track in tracks)
    last = max(track.first_day + track.days_known for track in tracks)
    total, known = np.zeros(last - first), np.zeros(last - first, dtype=bool)
    for track in tracks:
        start = track.first_day - first
        own = slice(start, start + track.days_known)
        total[own] += np.nan_to_num(track.demand)
        known[own] |= ~np.isnan(track.demand)
    return YearlyRhythm(first, np.where(known, total, np.nan))
