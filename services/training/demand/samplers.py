"""How Optuna proposes the next trial. Imported when a search begins: Optuna takes a while."""

from __future__ import annotations

from typing import Final, assert_never

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from services.training.demand.config import Optimizer
from services.training.demand.search import Range, Space

Distributions = dict[str, BaseDistribution]

# Random trials before the first proposal, and points a proposal is the best of. Searches are short:
# Optuna's 24 points cost a tenth more time and find nothing better.
_STARTUP_TRIALS: Final = 10
_CANDIDATES: Final = 8


def study_of(optimizer: Optimizer, seed: int, space: Distributions) -> optuna.Study:
    """A seeded study in memory. It prunes nothing: the search does."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        sampler=_sampler(optimizer, seed, space), pruner=optuna.pruners.NopPruner()
    )


def distributions_of(space: Space) -> Distributions:
    return {
        name: FloatDistribution(item.low, item.high, log=item.log)
        if isinstance(item, Range)
        else CategoricalDistribution(item.options)
        for name, item in space.items()
    }


class _KnownSpaceTPESampler(optuna.samplers.TPESampler):
    """TPE that is told the space, instead of working it out from all earlier trials each time."""

    def __init__(self, space: Distributions, seed: int) -> None:
        super().__init__(
            seed=seed,
            n_startup_trials=_STARTUP_TRIALS,
            n_ei_candidates=_CANDIDATES,
            constant_liar=False,  # one trial at a time: there is none under way to lie about
        )
        self._known = {name: item for name, item in space.items() if not item.single()}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> Distributions:
        return self._known


def _sampler(optimizer: Optimizer, seed: int, space: Distributions) -> optuna.samplers.BaseSampler:
    samplers = optuna.samplers
    match optimizer:
        case Optimizer.TPE:
            return _KnownSpaceTPESampler(space, seed)
        case Optimizer.RANDOM | Optimizer.GRID:
            return samplers.RandomSampler(seed=seed)
        case Optimizer.CMAES:
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case _:
            assert_never(optimizer)
