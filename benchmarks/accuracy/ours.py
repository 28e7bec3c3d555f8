"""The engine's families as methods, and the engine itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from benchmarks.accuracy.protocol import HORIZON
from services.training.demand.baseline import forecast_baseline
from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.outcome import Stage
from services.training.demand.pooled import (
    FittedPool,
    PoolConfig,
    PoolTooSmallError,
    Rehearsed,
    fit_dated_pools,
    fit_pool,
    fold_before,
    learn_mixture,
    pool_for,
)
from services.training.demand.pooled.pools import Pools, fit_pools
from services.training.demand.pooled.rehearsal import VOTES
from services.training.demand.prediction import LEVELS, Prediction
from services.training.demand.prophet_pair import fit_pair
from services.training.demand.series import Series
from services.training.demand.train import Refused, TrainingConfig, train

_CONFIG: Final = PoolConfig(horizon_days=HORIZON)
_FOLDS: Final = (28, 14)
"""Days before the origin at which the folds are cut that weigh and calibrate. All have the pool of
the first: in later ones it would be stale, and lose to Prophet for that alone."""


class NotTrained(ValueError):
    """The engine refused a series that the protocol calls eligible."""

    def __init__(self, series: Series, refused: Refused) -> None:
        super().__init__(f"{series.location}|{series.product}: {refused.code}: {refused.message}")


def engine(series: Sequence[Series], seed: int) -> list[Prediction]:
    """What the product answers with its defaults: a job's pools, then each series' training; the
    same-weekday mean where that stays on paper."""
    config = TrainingConfig(horizon_days=HORIZON, seed=seed)
    pools = _pools(series, config)
    return [_trained(one, config, pools) for one in series]


def prophet(series: Sequence[Series], seed: int) -> list[Prediction]:
    """Prophet's posterior maximum with our priors, its two modes averaged; nothing searched."""
    return [_point_is_median(_prophet(one)) for one in series]


def pooled(series: Sequence[Series], seed: int) -> list[Prediction]:
    """The direct quantiles of the pool."""
    pool = fit_pool(series, _CONFIG, seed)
    return [_point_is_median(pool.predict(one).quantile) for one in series]


def combined(series: Sequence[Series], seed: int) -> list[Prediction]:
    """The pool's three answers and Prophet, mixed as all of the tenant's earlier folds suggest."""
    mixture = learn_mixture(_rehearsed(series, seed), VOTES)
    pool = fit_pool(series, _CONFIG, seed)
    return [_point_is_median(mixture.apply(_members(pool, one))) for one in series]


def _rehearsed(series: Sequence[Series], seed: int) -> list[Rehearsed]:
    end = max(one.data_through for one in series)
    cutoffs = (end - pd.Timedelta(days=back) for back in _FOLDS)
    # The first cut-off that leaves enough to learn from: one more pool is what folds may cost.
    quick = _CONFIG.quick()
    pools = next(filter(None, (fit_dated_pools(series, [at], quick, seed) for at in cutoffs)), [])
    rehearsed = []
    for one in series:
        for back in _FOLDS:
            fold = fold_before(one, back, HORIZON)
            pool = None if fold is None else pool_for(pools, fold.cutoff)
            if fold is not None and pool is not None:
                members = _members(pool, fold.series)
                rehearsed.append(Rehearsed(members, fold.actual, fold.scored))
    return rehearsed


def _members(pool: FittedPool, series: Series) -> tuple[Prediction, ...]:
    return (*pool.predict(series).members, _prophet(series))


def _prophet(series: Series) -> Prediction:
    return fit_pair(UnfittedProphet(), PosedDesign(prepare(series))).predict()


def _point_is_median(prediction: Prediction) -> Prediction:
    """WAPE asks for the median: no other point has a smaller expected absolute error."""
    return Prediction(prediction.median, prediction.quantiles)


def _pools(series: Sequence[Series], config: TrainingConfig) -> Pools | None:
    """As a training gets them: from bytes."""
    try:
        return Pools.from_bytes(fit_pools(series, config).to_bytes())
    except PoolTooSmallError:
        return None


def _trained(series: Series, config: TrainingConfig, pools: Pools | None) -> Prediction:
    trained = train(series, config, pools=pools)
    if isinstance(trained, Refused):
        raise NotTrained(series, trained)
    if trained.stage is Stage.PAPER:
        return _point_is_median(forecast_baseline(series))
    quantiles = trained.forecast[[str(level) for level in LEVELS]].to_numpy()
    return _point_is_median(Prediction(trained.forecast["mean"].to_numpy(), quantiles))
