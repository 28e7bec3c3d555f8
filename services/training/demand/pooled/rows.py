"""Which pairs of an origin and a day to come the pool is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.track import Indices, Track
from services.training.demand.prediction import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Positions of the days of one track: `targets` lie after their `origins`, both in history."""

    origins: Indices
    targets: Indices


def training_pairs(tracks: Sequence[Track], config: PoolConfig, seed: int) -> list[Pairs]:
    """Each day with known demand at most once, with one of the origins before it.

    Origins lie on a grid up to the end of history, and every lead is met equally often. Where
    there are more than `most_rows` days a sample of the origins is kept, each with all its days:
    what an origin costs, above all its outlook, is then spent on many rows. A day of a series is
    drawn or not whatever the end of history: smaller samples are part of larger ones.
    """
    random = np.random.default_rng(seed)
    days = [_usable_days(track, config.warm_up_days) for track in tracks]
    available = sum(map(len, days))
    share = min(1.0, config.most_rows / max(available, 1))
    return [
        _pairs(track, usable, _lots(track, seed) < share, config, random)
        for track, usable in zip(tracks, days, strict=True)
    ]


def ages(track: Track, targets: Indices) -> Floats:
    """Days from each target to the track's origin."""
    return (track.origin - targets).astype(np.float64)


def _usable_days(track: Track, warm_up: int) -> Indices:
    known = np.flatnonzero(~np.isnan(track.demand))
    return known[known > warm_up]


def _lots(track: Track, seed: int) -> Floats:
    """A number in 0..1 for each day of history, the same in any history that holds the day."""
    name = crc32(f"{track.location}\0{track.product}".encode())
    end = track.first_day + track.days_known
    return np.random.default_rng([seed, name]).random(end)[track.first_day :]


def _pairs(
    track: Track,
    targets: Indices,
    drawn: npt.NDArray[np.bool_],
    config: PoolConfig,
    random: np.random.Generator,
) -> Pairs:
    apart = min(config.origins_apart, config.horizon_days)
    origins = track.origin - apart * _steps_back(track, targets, apart, config.horizon_days, random)
    kept = (origins >= config.warm_up_days) & drawn[np.maximum(origins, 0)]
    return Pairs(origins[kept], targets[kept])


def _steps_back(
    track: Track, targets: Indices, apart: int, horizon: int, random: np.random.Generator
) -> Indices:
    """For each target one of the grid's origins within the horizon before it, all as likely; as
    the number of grid steps back from the end of history."""
    nearest = (track.origin - targets) // apart + 1
    lead = targets - (track.origin - apart * nearest)
    choices = (horizon - lead) // apart + 1
    steps: Indices = nearest + np.floor(random.random(len(targets)) * choices).astype(np.intp)
    return steps
