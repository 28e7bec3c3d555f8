"""The pooled family: one LightGBM model across all series of a tenant, and what combines it."""

from services.training.demand.pooled.combine import combine, shrunk_weights
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.forward import (
    DatedPool,
    fit_dated_pools,
    fold_before,
    pool_for,
)
from services.training.demand.pooled.pool import (
    FittedPool,
    PooledAnswer,
    PoolTooSmallError,
    fit_pool,
)
from services.training.demand.pooled.spread import Spread
from services.training.demand.pooled.tenant import Mixture, Rehearsed, learn_mixture

__all__ = [
    "DatedPool",
    "FittedPool",
    "Mixture",
    "PoolConfig",
    "PoolTooSmallError",
    "PooledAnswer",
    "Rehearsed",
    "Spread",
    "combine",
    "fit_dated_pools",
    "fit_pool",
    "fold_before",
    "learn_mixture",
    "pool_for",
    "shrunk_weights",
]
