"""The search is seeded, keeps within its budget, and leaves the default only for a real gain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from services.training.demand.backtest import Fold, FoldForecast
from services.training.demand.config import Optimizer
from services.training.demand.prediction import LEVELS, Prediction
from services.training.demand.search import (
    Budget,
    Choice,
    Parameters,
    Range,
    Search,
    SearchResult,
    Trial,
    UnusableParametersError,
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
    least_gain: float = 0.0,
    spent: Callable[[], bool] = lambda: False,
    seed: int = 1,
    first: Parameters | None = None,
    prune: bool = True,
) -> SearchResult:
    return search(
        Search(
            space=SPACE,
            default=DEFAULT,
            first=first or {},
            folds=FOLDS,
            evaluate=evaluate,
            optimizer=optimizer,
            budget=Budget(trials, least_gain, spent, prune),
            seed=seed,
            on_trial=lambda done: None,
        )
    )


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_the_default_is_the_first_trial_and_a_real_gain_is_taken(optimizer: Optimizer) -> None:
    result = run(towards_small_pull, optimizer)
    assert result.trials[0].parameters == DEFAULT
    assert [trial.number for trial in result.trials] == list(range(len(result.trials)))
    assert float(result.chosen.parameters["pull"]) < 1.0
    finished = [trial for trial in result.trials if not trial.pruned]
    assert result.chosen.loss == min(trial.loss for trial in finished)


@pytest.mark.parametrize("optimizer", list(Optimizer))
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


def test_a_gain_within_two_standard_errors_is_not_taken() -> None:
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


def test_trials_are_capped_and_end_when_none_is_expected_to_gain() -> None:
    assert len(run(by_chance, trials=7).trials) == 7

    def only_the_default_is_good(point: Parameters, fold: int) -> FoldForecast:
        worse = 0.0 if point == DEFAULT else 49.0 + 0.01 * float(point["pull"])
        return forecast(np.full(DAYS, 1.0 + worse))

    def ever_less(point: Parameters, fold: int) -> FoldForecast:
        return forecast(np.full(DAYS, 100.0 / next(counter)))

    counter = iter(range(1, 1000))
    assert len(run(ever_less, trials=30, least_gain=0.0005).trials) == 30
    assert len(run(only_the_default_is_good, trials=30, least_gain=0.02).trials) < 30


def test_what_was_best_before_is_tried_right_after_the_default() -> None:
    before: Parameters = {"pull": 0.02, "kind": "fancy", "of another engine": 3.0}
    result = run(towards_small_pull, trials=2, first=before)
    assert result.trials[1].parameters == {"pull": 0.02, "kind": "fancy"}
    assert result.chosen.number == 1
    beyond = run(towards_small_pull, trials=2, first={"pull": 99.0, "kind": "unheard of"})
    assert beyond.trials[1].parameters == {"pull": 10.0, "kind": "plain"}


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_parameters_without_a_forecast_are_a_failed_trial(optimizer: Optimizer) -> None:
    def only_plain(point: Parameters, fold: int) -> FoldForecast:
        if point["kind"] == "fancy" and fold == 1:
            raise UnusableParametersError("fancy does not converge")
        return towards_small_pull(point, fold)

    result = run(only_plain, optimizer)
    failed = [trial for trial in result.trials if trial.failure]
    assert failed
    assert {trial.parameters["kind"] for trial in failed} == {"fancy"}
    assert failed[0].to_dict()["loss"] is None
    assert failed[0].to_dict()["failure"] == "fancy does not converge"
    assert result.chosen.parameters["kind"] == "plain"


def test_a_default_without_a_forecast_leaves_the_choice_to_the_others() -> None:
    def not_the_default(point: Parameters, fold: int) -> FoldForecast:
        if point == DEFAULT:
            raise UnusableParametersError("no")
        return towards_small_pull(point, fold)

    assert run(not_the_default).chosen.number > 0

    def never(point: Parameters, fold: int) -> FoldForecast:
        raise UnusableParametersError("never")

    with pytest.raises(UnusableParametersError, match="never"):
        run(never)


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


def test_a_trial_stops_at_the_first_fold_on_which_the_median_of_six_did_better() -> None:
    result = run(by_chance, Optimizer.RANDOM, trials=30)
    assert any(trial.pruned for trial in result.trials)
    assert {len(trial.forecasts) for trial in result.trials} == {1, 2, 3}
    for trial in result.trials:
        complete = [other for other in result.trials[: trial.number] if not other.pruned]
        worse = [
            loss_until(trial, fold) > np.median([loss_until(other, fold) for other in complete])
            for fold in range(1, len(trial.forecasts) + 1)
            if len(complete) >= 6 and fold < FOLDS
        ]
        assert worse == [False] * (len(worse) - trial.pruned) + [True] * trial.pruned


def test_nothing_is_pruned_where_that_is_not_wanted() -> None:
    result = run(by_chance, Optimizer.RANDOM, trials=30, prune=False)
    assert {len(trial.forecasts) for trial in result.trials} == {FOLDS}


@pytest.mark.parametrize("least_gain", [0.02, 0.008, 0.003])
def test_a_search_ends_with_the_first_trial_after_which_too_little_is_expected(
    least_gain: float,
) -> None:
    """The expected improvement, by drawing a million next trials."""
    result = run(by_chance, Optimizer.RANDOM, trials=200, least_gain=least_gain)
    default = result.trials[0]
    shares = [
        loss_until(trial, len(trial.forecasts)) / loss_until(default, len(trial.forecasts))
        for trial in result.trials
    ]
    draws = np.random.default_rng(0).normal(size=1_000_000)
    expected = [
        float(np.maximum(min(some) - np.mean(some) - np.std(some, ddof=1) * draws, 0.0).mean())
        for some in (shares[:count] for count in range(10, len(shares) + 1))
    ]
    assert expected[-1] < 1.01 * least_gain
    assert all(gain > 0.99 * least_gain for gain in expected[:-1])


def loss_until(trial: Trial, fold: int) -> float:
    errors = [forecast.absolute_errors for forecast in trial.forecasts[:fold]]
    return float(np.concatenate(errors).mean())


def test_hopeless_trials_stop_after_a_fold() -> None:
    def bad_after_some(point: Parameters, fold: int) -> FoldForecast:
        return towards_small_pull({"pull": float(point["pull"]) ** 3, "kind": "plain"}, fold)

    result = run(bad_after_some, Optimizer.RANDOM, trials=20)
    pruned = [trial for trial in result.trials if trial.pruned]
    assert pruned
    assert all(len(trial.forecasts) < FOLDS for trial in pruned)
    assert not result.chosen.pruned
