"""How Optuna proposes the next trial. Imported when a search begins: Optuna takes a while."""

from __future__ import annotations

from typing import assert_never

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from services.training.demand.config import Optimizer
from services.training.demand.search import STARTUP_TRIALS, Range, Space


def study_of(optimizer: Optimizer, seed: int) -> optuna.Study:
    """A seeded study in memory that prunes trials worse than the median on the folds so far."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        sampler=_sampler(optimizer, seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=0),
    )


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    return {
        name: FloatDistribution(item.low, item.high, log=item.log)
        if isinstance(item, Range)
        else CategoricalDistribution(item.options)
        for name, item in space.items()
    }


def _sampler(optimizer: Optimizer, seed: int) -> optuna.samplers.BaseSampler:
    samplers = optuna.samplers
    match optimizer:
        case Optimizer.TPE:
            return samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
        case Optimizer.RANDOM | Optimizer.GRID:
            return samplers.RandomSampler(seed=seed)
        case Optimizer.CMAES:
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case _:
            assert_never(optimizer)
