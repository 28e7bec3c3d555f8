"""What a series did on the days most like the one to come, of those its origin knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.training.demand.neighbourhood import Nearness
from services.training.demand.pooled.rolling import level_of
from services.training.demand.pooled.track import NO_DAY, Indices, Track
from services.training.demand.prediction import Floats

_WEEK = 7
_SHRINK = 2.0
_LARGEST_TO_WEEKDAY = 5.0


def analogue_features(
    track: Track, origins: Indices, targets: Indices, usual: Floats, regressors: Sequence[str]
) -> dict[str, Floats]:
    """`usual` is each day's mean of its last same weekdays, itself the last of these.

    Mean demand relative to its level on past days alike: the same occasion; the same weekday
    with the same yes-or-no regressors. And relative to what its weekday usually sold: the same
    occasion; any as near to a holiday. Shrunk towards 1 for few days; NaN without one."""
    relative, unusual = _relative(track), _to_weekday(track, usual)
    flags = _flags(track, regressors)
    kind = track.weekday * (1 << min(len(flags), 12))
    for position, flag in enumerate(flags[:12]):
        kind = kind + np.nan_to_num(flag).astype(np.int64) * (1 << position)
    kind = np.where(track.occasion == NO_DAY, kind, NO_DAY - 1 - track.weekday * 0)
    return {
        "alike_occasion": _past_mean(track.occasion, relative, origins, targets, skip=NO_DAY),
        "alike_days": _past_mean(kind, relative, origins, targets, skip=NO_DAY - 1),
        "occasion_to_weekday": _past_mean(track.occasion, unusual, origins, targets, skip=NO_DAY),
        "near_to_weekday": _past_mean(track.near, unusual, origins, targets, skip=Nearness.NONE),
    }


def _relative(track: Track) -> Floats:
    """Demand against its level of just before, so that no day is measured by itself."""
    level = level_of(track.demand, 21.0)
    before = np.concatenate([level[:1], level[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before > 0, track.demand / before, np.nan)
    return np.clip(ratio, 0.0, 10.0)


def _to_weekday(track: Track, usual: Floats) -> Floats:
    """Demand against what its weekday had usually been up to a week before."""
    before = np.concatenate([np.full(_WEEK, np.nan), usual])[: len(usual)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before > 0, track.demand / before, np.nan)
    return np.clip(ratio, 0.0, _LARGEST_TO_WEEKDAY)


def _flags(track: Track, regressors: Sequence[str]) -> list[Floats]:
    found = []
    for name in regressors:
        values = None if name in track.foreseen else track.regressors.get(name)
        if values is not None and np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
            found.append(values)
    return found


def _past_mean(
    kind: np.ndarray, relative: Floats, origins: Indices, targets: Indices, skip: int
) -> Floats:
    """Mean of `relative` over the days up to the origin of the target's kind."""
    result = np.full(len(targets), np.nan)
    known = ~np.isnan(relative)
    wanted = kind[targets]
    for value in np.unique(wanted[wanted != skip]):
        chosen = known & (kind[: len(relative)] == value)
        count = np.cumsum(chosen)
        total = np.cumsum(np.where(chosen, relative, 0.0))
        rows = wanted == value
        seen = count[origins[rows]]
        mean = (total[origins[rows]] + _SHRINK) / (seen + _SHRINK)
        result[rows] = np.where(seen > 0, mean, np.nan)
    return result
