"""Which pairs of an origin and a day to come the pool is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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

    Origins lie on a grid up to the end of history. The days are a sample where there are more
    than `most_rows`; a lead is drawn evenly up to the horizon, and its origin moved back to the
    grid; a day that is then further ahead than the horizon is left out.
    """
    random = np.random.default_rng(seed)
    days = [_usable_days(track, config.warm_up_days) for track in tracks]
    available = sum(map(len, days))
    share = min(1.0, config.most_rows / max(available, 1))
    return [
        _pairs(track, usable, share, config, random)
        for track, usable in zip(tracks, days, strict=True)
    ]


def ages(track: Track, targets: Indices) -> Floats:
    """Days from each target to the track's origin."""
    return (track.origin - targets).astype(np.float64)


def _usable_days(track: Track, warm_up: int) -> Indices:
    known = np.flatnonzero(~np.isnan(track.demand))
    return known[known > warm_up]


def _pairs(
    track: Track, usable: Indices, share: float, config: PoolConfig, random: np.random.Generator
) -> Pairs:
    targets = usable[random.random(len(usable)) < share] if share < 1.0 else usable
    drawn = 1 + np.floor(random.random(len(targets)) * config.horizon_days).astype(np.intp)
    apart = min(config.origins_apart, config.horizon_days)
    origins = targets - drawn
    origins -= (origins - track.origin) % apart
    kept = (targets - origins <= config.horizon_days) & (origins >= config.warm_up_days)
    return Pairs(origins[kept], targets[kept])
