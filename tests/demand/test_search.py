"""The search is seeded, keeps within its budget, and leaves the default only for a real gain."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from services.training.demand.backtest import Fold, FoldForecast
from services.training.demand.config import Optimizer
from services.training.demand.prediction import LEVELS, Prediction
from services.training.demand.search import (
    Budget,
    Choice,
    OptimizerUnavailableError,
    Parameters,
    Range,
    SearchResult,
    search,
)
from tests.demand.made_series import series_of

SPACE = {
    "pull": Range(0.01, 10.0, grid=(0.1, 1.0, 5.0)),
    "kind": Choice(("plain", "fancy")),
}
DEFAULT: Parameters = {"pull": 5.0, "kind": "plain"}
FOLDS = 3
DAYS = 28
NOISE = np.random.default_rng(4).normal(0.0, 1.0, (FOLDS, DAYS))


def forecast(error: np.ndarray) -> FoldForecast:
    mean = np.full(DAYS, 100.0)
    fold = Fold(series_of([100.0] * 30), mean + np.abs(error), np.full(DAYS, True))
    return FoldForecast(fold, Prediction(mean, np.repeat(mean[:, None], len(LEVELS), axis=1)))


def towards_small_pull(point: Parameters, fold: int) -> FoldForecast:
    """The lower the pull, the better, on every day."""
    return forecast(10.0 + float(point["pull"]) + 0.1 * NOISE[fold])


def by_chance(point: Parameters, fold: int) -> FoldForecast:
    """Parameters change nothing but luck."""
    seed = abs(hash((float(point["pull"]), fold))) % 2**32
    return forecast(np.random.default_rng(seed).normal(10.0, 3.0, DAYS))


def run(
    evaluate: Callable[[Parameters, int], FoldForecast],
    optimizer: Optimizer = Optimizer.TPE,
    trials: int = 15,
    patience: int = 1000,
    spent: Callable[[], bool] = lambda: False,
    seed: int = 1,
) -> SearchResult:
    return search(
        space=SPACE,
        default=DEFAULT,
        folds=FOLDS,
        evaluate=evaluate,
        optimizer=optimizer,
        budget=Budget(trials, patience, spent),
        seed=seed,
        on_trial=lambda done: None,
    )


@pytest.mark.parametrize("optimizer", [Optimizer.TPE, Optimizer.RANDOM, Optimizer.GRID])
def test_the_default_is_the_first_trial_and_a_real_gain_is_taken(optimizer: Optimizer) -> None:
    result = run(towards_small_pull, optimizer)
    assert result.trials[0].parameters == DEFAULT
    assert [trial.number for trial in result.trials] == list(range(len(result.trials)))
    assert float(result.chosen.parameters["pull"]) < 1.0
    finished = [trial for trial in result.trials if not trial.pruned]
    assert result.chosen.loss == min(trial.loss for trial in finished)


@pytest.mark.parametrize("optimizer", [Optimizer.TPE, Optimizer.RANDOM, Optimizer.GRID])
def test_the_same_seed_gives_the_same_trials(optimizer: Optimizer) -> None:
    first, again = run(towards_small_pull, optimizer), run(towards_small_pull, optimizer)
    assert [t.to_dict() for t in first.trials] == [t.to_dict() for t in again.trials]
    other = run(towards_small_pull, optimizer, seed=2)
    assert [t.to_dict() for t in first.trials] != [t.to_dict() for t in other.trials]


def test_luck_mostly_stays_with_the_default() -> None:
    kept = [run(by_chance, trials=8, seed=seed).chosen.number == 0 for seed in range(20)]
    best = [
        min(r.trials, key=lambda trial: trial.loss).number == 0
        for r in (run(by_chance, trials=8, seed=seed) for seed in range(20))
    ]
    assert sum(kept) > sum(best)


def test_a_gain_within_its_standard_error_is_not_taken() -> None:
    def barely(point: Parameters, fold: int) -> FoldForecast:
        if point == DEFAULT:
            return forecast(np.full(DAYS, 10.0))
        return forecast(10.0 - 0.01 + np.where(np.arange(DAYS) < 14, 2.0, -2.0))

    result = run(barely, trials=5)
    assert min(trial.loss for trial in result.trials[1:]) < result.trials[0].loss
    assert result.chosen.number == 0


def test_a_grid_ends_with_its_last_point_and_tries_none_twice() -> None:
    result = run(towards_small_pull, Optimizer.GRID, trials=50)
    points = [tuple(sorted(trial.parameters.items())) for trial in result.trials]
    assert len(points) == len(set(points)) == 6


def test_trials_are_capped_and_patience_ends_the_search() -> None:
    assert len(run(by_chance, trials=7).trials) == 7

    def only_the_default_is_good(point: Parameters, fold: int) -> FoldForecast:
        return forecast(np.full(DAYS, 1.0 if point == DEFAULT else 50.0))

    assert len(run(only_the_default_is_good, patience=4, trials=30).trials) == 5


def test_a_spent_budget_still_finishes_the_default() -> None:
    result = run(towards_small_pull, spent=lambda: True)
    assert len(result.trials) == 1
    assert len(result.chosen.forecasts) == FOLDS
    assert not result.chosen.pruned


def test_the_budget_is_asked_between_fits() -> None:
    fits: list[Parameters] = []

    def counted(point: Parameters, fold: int) -> FoldForecast:
        fits.append(point)
        return towards_small_pull(point, fold)

    result = run(counted, spent=lambda: len(fits) >= 7)
    assert len(fits) == 7
    assert [trial.pruned for trial in result.trials] == [False, False, True]


def test_hopeless_trials_stop_after_a_fold() -> None:
    def bad_after_some(point: Parameters, fold: int) -> FoldForecast:
        return towards_small_pull({"pull": float(point["pull"]) ** 3, "kind": "plain"}, fold)

    result = run(bad_after_some, Optimizer.RANDOM, trials=20)
    pruned = [trial for trial in result.trials if trial.pruned]
    assert pruned
    assert all(len(trial.forecasts) < FOLDS for trial in pruned)
    assert not result.chosen.pruned


@pytest.mark.skipif(importlib.util.find_spec("cmaes") is not None, reason="cmaes is installed")
def test_an_optimizer_without_its_package_says_what_to_do() -> None:
    with pytest.raises(OptimizerUnavailableError, match=r"install it, or choose tpe"):
        run(towards_small_pull, Optimizer.CMAES)


@pytest.mark.skipif(importlib.util.find_spec("cmaes") is None, reason="cmaes is not installed")
def test_cmaes_searches_like_the_others() -> None:
    result = run(towards_small_pull, Optimizer.CMAES)
    assert result.trials[0].parameters == DEFAULT
    assert result.chosen.loss < result.trials[0].loss
