"""Pools as they would have been at earlier cut-offs, and the folds that these may forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from services.training.demand.backtest import Fold, fold_at
from services.training.demand.config import Tell, untold
from services.training.demand.features import planned_regressors
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.pool import (
    FittedPool,
    Memories,
    PoolTooSmallError,
    fit_pool,
)
from services.training.demand.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class DatedPool:
    """A pool that knows nothing after `cutoff`."""

    cutoff: pd.Timestamp
    pool: FittedPool


def fit_dated_pools(
    series: Sequence[Series],
    cutoffs: Sequence[pd.Timestamp],
    config: PoolConfig,
    seed: int,
    past: Memories | None = None,
    tell: Tell = untold,
) -> list[DatedPool]:
    """One pool a cut-off, in order of time, of the series that had begun by then; none at a
    cut-off where these knew too little. A few shared cut-offs do for the folds of all series: see
    `pool_for`. `past` as in `fit_pool`: nothing in it is later than the first cut-off."""
    pools, past = [], {} if past is None else past
    for cutoff in sorted(cutoffs):
        try:
            pool = fit_pool(_known_at(series, cutoff, config), config, seed, past, tell)
        except PoolTooSmallError:
            continue
        pools.append(DatedPool(cutoff, pool))
    return pools


def pool_for(pools: Sequence[DatedPool], cutoff: pd.Timestamp) -> FittedPool | None:
    """The latest pool that knows nothing after `cutoff`; None where all know more."""
    early = [dated for dated in pools if dated.cutoff <= cutoff]
    return max(early, key=lambda dated: dated.cutoff).pool if early else None


def fold_before(series: Series, days_back: int, horizon: int) -> Fold | None:
    """The fold whose cut-off lies `days_back` days before the end of the series, or None where
    it cannot judge."""
    cutoff = len(series.history) - 1 - days_back
    if cutoff < 0:
        return None
    fold = fold_at(series, planned_regressors(series), horizon, cutoff)
    return fold if fold.can_judge else None


def _known_at(series: Sequence[Series], cutoff: pd.Timestamp, config: PoolConfig) -> list[Series]:
    known = []
    for one in series:
        row = (cutoff - one.history.index[0]).days
        if config.warm_up_days <= row < len(one.history):
            fold = fold_at(one, planned_regressors(one), config.horizon_days, row)
            known.append(fold.series)
    return known
