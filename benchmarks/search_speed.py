"""How much faster one product's search is than Prophet with Optuna: JSON with medians and ratios.

    python -m benchmarks.search_speed [--rounds 5] [--peer-rounds 1]

One product of two years of daily sales of the sample kind, made from a seed, with two regressors
known in advance. Each side runs a seeded Optuna study of its own (TPE, the same space and number of
trials, none pruned or left out) on the same folds, then a final fit of the best and a forecast of
28 days. Each process is pinned to one core, with one BLAS thread; imports are not counted. Seconds
are of processor time, child processes included, so that a busy machine does not count.

search_s          our search, fit and forecast
peer_s            the same by `prophet.Prophet` and Optuna
times_faster      the ratio of the medians
train_s           the whole of `train()` at its defaults: search, contest, fit, bundle
first_train_s     the same as the first thing a process does
train_max_rss_mb  the highest resident memory of a child that imports the core and trains once
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
import multiprocessing
import resource
from collections.abc import Callable, Sequence
from dataclasses import asdict
from statistics import median

import numpy as np
import pandas as pd

from services.training.demand.backtest import Fold, plan_folds
from services.training.demand.config import Backend, Optimizer, TrainingConfig
from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign
from services.training.demand.outcome import Trained
from services.training.demand.prediction import Floats
from services.training.demand.prophet_family import Tuning, tune_prophet
from services.training.demand.prophet_space import from_point, space_for, to_point
from services.training.demand.search import Budget
from services.training.demand.series import Series
from services.training.demand.train import train

DAYS, HORIZON, TRIALS, FOLDS, SEED = 730, 28, 30, 3, 2026


def run(rounds: int = 5, peer_rounds: int = 1) -> dict[str, object]:
    """All figures; the peer takes about ten seconds a round."""
    ours = in_child(time_search, rounds)
    peer = in_child(time_peer, peer_rounds)
    whole = in_child(time_train, rounds)
    return {
        "days": DAYS,
        "trials": TRIALS,
        "folds": FOLDS,
        "search_s": round(median(ours), 4),
        "peer_s": round(median(peer), 3),
        "times_faster": round(median(peer) / median(ours), 1),
        "train_s": round(median(whole), 4),
        "train_options": {
            name: value
            for name, value in asdict(TrainingConfig()).items()
            if name in ("search_folds", "contest_folds", "least_gain")
        },
        "train_max_rss_mb": round(in_child(peak_memory, 1)[0], 1),
        "first_train_s": round(in_child(time_cold, 1)[0], 3),
    }


def in_child(measure: Callable[[int], list[float]], rounds: int) -> list[float]:
    """The measurement in a fresh process of its own core."""
    with multiprocessing.get_context("spawn").Pool(1, initializer=pin) as pool:
        return pool.apply(measure, (rounds,))


def pin() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def time_search(rounds: int) -> list[float]:
    series = two_years()
    search_and_forecast(series)
    return [seconds(lambda: search_and_forecast(series)) for _ in range(rounds)]


def time_train(rounds: int) -> list[float]:
    train_once()
    return [seconds(train_once) for _ in range(rounds)]


def time_cold(rounds: int) -> list[float]:
    """The first training of a process whose imports of the core are done."""
    return [seconds(train_once)]


def time_peer(rounds: int) -> list[float]:
    from services.training.demand.prophet_stan import prophet_class

    prophet_class()
    series = two_years()
    return [seconds(lambda: search_and_forecast_with_prophet(series)) for _ in range(rounds)]


def peak_memory(rounds: int) -> list[float]:
    train_once()
    return [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]


def seconds(work: Callable[[], object]) -> float:
    begin = processor_time()
    work()
    return processor_time() - begin


def processor_time() -> float:
    """Seconds of this process and of those it has waited for, as Stan's."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def train_once() -> None:
    assert isinstance(train(two_years(), TrainingConfig()), Trained)


def search_and_forecast(series: Series) -> Floats:
    folds = folds_of(series)
    tuning = Tuning(
        optimizer=Optimizer.TPE,
        backend=Backend.MAP,
        budget=Budget(TRIALS, 0.0, lambda: False, prune=False),
        seed=SEED,
        first={},
        on_trial=lambda done: None,
    )
    tuned = tune_prophet(folds, prepare(series), tuning)
    assert sum(len(trial.forecasts) for trial in tuned.trials) == TRIALS * FOLDS
    return tuned.fit(series).predict().mean


def search_and_forecast_with_prophet(series: Series) -> Floats:
    import optuna

    from services.training.demand.samplers import distributions_of

    folds = folds_of(series)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    space = space_for(prepare(series))
    study.enqueue_trial(to_point(from_point({}), space))
    posed = [PosedDesign(prepare(fold.series)) for fold in folds]
    for _ in range(TRIALS):
        trial = study.ask(distributions_of(space))
        pairs = zip(posed, folds, strict=True)
        errors = [
            np.abs(fold.actual - fit_with_prophet(trial.params, design))[fold.scored]
            for design, fold in pairs
        ]
        study.tell(trial, float(np.concatenate(errors).mean()))
    return fit_with_prophet(study.best_params, PosedDesign(prepare(series)))


def fit_with_prophet(params: dict[str, float], posed: PosedDesign) -> Floats:
    from services.training.demand.prophet_stan import (
        assemble,
        frame_of,
        future_of,
        prophet_class,
    )

    model = assemble(prophet_class(), from_point(dict(params)), posed)
    model.fit(frame_of(posed.design))
    mean: Floats = model.predict(future_of(posed.design))["yhat"].to_numpy()
    return mean


def folds_of(series: Series) -> Sequence[Fold]:
    return plan_folds(series, len(series.plan), FOLDS, 1).search


def two_years() -> Series:
    random = np.random.default_rng(1)
    index = pd.date_range("2024-01-01", periods=DAYS + HORIZON, name="date")
    promotion = (random.random(len(index)) < 0.1).astype(float)
    price = 2.0 + 0.1 * (np.arange(len(index)) > 400)
    season = 1 + 0.2 * np.sin(2 * np.pi * index.day_of_year / 365.25) + 0.3 * (index.dayofweek > 4)
    level = 60 + random.normal(0, 0.15, len(index)).cumsum()
    quantity = random.poisson(level * season * (1 + 0.4 * promotion)).astype(float)
    frame = pd.DataFrame(
        {"quantity": quantity, "open": True, "stockout": False}
        | {"promotion": promotion, "price": price},
        index=index,
    )
    plan = frame.iloc[DAYS:].drop(columns=["quantity", "stockout"])
    return Series("roll", "main", "DE", "BY", frame.iloc[:DAYS], plan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="trainings timed")
    parser.add_argument("--peer-rounds", type=int, default=1, help="searches of the peer timed")
    given = parser.parse_args()
    print(json.dumps(run(given.rounds, given.peer_rounds), indent=2))


if __name__ == "__main__":
    main()
