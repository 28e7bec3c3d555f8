"""Sales in, forecast out: one series trained from its daily past to a calibrated forecast.

Pure and synchronous: no I/O, no clock but the one handed in, no global randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final, TypedDict

from services.training.demand.backtest import Fold, plan_folds
from services.training.demand.bundle import make_bundle, serve
from services.training.demand.classification import demand_class, trial_cap, volume_class
from services.training.demand.config import (
    Backend,
    Optimizer,
    Progress,
    Report,
    TrainingConfig,
    TrainingStage,
    ignore,
)
from services.training.demand.contenders import Contenders, contenders_of, without_prophet
from services.training.demand.contest import (
    Contest,
    fold_scores,
    hold_contest,
    scores_of,
    skill,
    stage_of,
)
from services.training.demand.effects import effects_of
from services.training.demand.families import enter
from services.training.demand.features import Design, prepare
from services.training.demand.findings import Subject
from services.training.demand.newcomer import is_newcomer, train_newcomer
from services.training.demand.outcome import Refused, Scores, Stage, Trained
from services.training.demand.pooled.pools import Pools
from services.training.demand.prediction import Floats
from services.training.demand.prophet_family import Tuning
from services.training.demand.prophet_map import MapError
from services.training.demand.quality import Limits, inspect_history
from services.training.demand.refusal import refusal_of
from services.training.demand.search import Budget, UnusableParametersError
from services.training.demand.series import Series

__all__ = ["Progress", "Refused", "Trained", "TrainingConfig", "train"]


_FEWEST_TRIALS: Final = 2
"""The default, and the parameters that the product had last."""


def train(
    series: Series,
    config: TrainingConfig,
    report: Report = ignore,
    clock: Callable[[], float] = perf_counter,
    pools: Pools | None = None,
) -> Trained | Refused:
    """The best family for the series, its record and its forecast of `series.plan`; or why not.

    Families that learn across series need the `pools` of `fit_pools` under the same horizon and
    folds. The same series, configuration and pools give the same result as long as `max_seconds`
    does not cut the search short; `clock` counts seconds and is read between fits.
    """
    started = clock()
    report(Progress(TrainingStage.FEATURES, 0.0))
    folds = plan_folds(series, config.horizon_days, config.search_folds, config.contest_folds)
    refusal = refusal_of(series, config, folds)
    if refusal is not None:
        if pools is not None and is_newcomer(series, config, refusal):
            return train_newcomer(series, config, pools, lambda: clock() - started)
        return refusal
    contenders = contenders_of(series, config, folds, pools)
    if isinstance(contenders, Refused):
        return contenders
    training = _Training(series, config, folds.search, report, lambda: clock() - started)
    try:
        return _train(training, contenders)
    except (MapError, UnusableParametersError) as error:
        reason = f"the model cannot be fitted: {error}"
        alone = without_prophet(contenders, reason)
        return Refused("not_solvable", reason) if alone is None else _train(training, alone)


@dataclass(frozen=True, slots=True, eq=False)
class _Training:
    series: Series
    config: TrainingConfig
    rehearsed: Sequence[Fold]
    report: Report
    elapsed: Callable[[], float]


def _train(training: _Training, contenders: Contenders) -> Trained:
    series, config, report = training.series, training.config, training.report
    design = prepare(series)
    report(Progress(TrainingStage.SEARCH, 0.0))
    tuning = _tuning(training, contenders.stake)
    entered = enter(contenders.families, training.rehearsed, design, tuning, contenders.answers)
    trials = [trial.to_dict() for trial in entered.trials]

    report(Progress(TrainingStage.EVALUATE, 0.7, len(trials)))
    contest = hold_contest(entered.entries, contenders.folds, contenders.expected)

    report(Progress(TrainingStage.FIT, 0.85, len(trials)))
    fitted = contest.best.entry.fit(series)

    report(Progress(TrainingStage.CALIBRATE, 0.95, len(trials)))
    calibration = contest.calibration
    trained = Trained(
        **_record_of(contest),
        forecast=serve(fitted, calibration, series),
        trials=trials,
        effects=effects_of(fitted, series.plan["open"].to_numpy()),
        demand_class=demand_class(_known_sales(series)).value,
        warnings=(*_warnings(series, config, design), *contenders.warnings, *_outvoted(contest)),
        bundle=make_bundle(series, config, contest.best.entry, fitted, calibration),
        seconds=training.elapsed(),
    )
    report(Progress(TrainingStage.CALIBRATE, 1.0, len(trials)))
    return trained


class _Record(TypedDict):
    family: str
    params: dict[str, object]
    scores: Scores
    baseline_scores: Scores
    skill: float
    stage: Stage
    confidence: float
    interval_coverage: float | None
    fold_scores: list[dict[str, object]]


def _record_of(contest: Contest) -> _Record:
    best, reference = contest.best, contest.reference
    scores = scores_of(best.served)
    return _Record(
        family=best.entry.family.value,
        params=best.entry.params,
        scores=scores,
        baseline_scores=scores_of(reference.served),
        skill=skill(reference, best),
        stage=stage_of(reference, best, contest.gain),
        confidence=contest.gain.probability,
        interval_coverage=scores.coverage80,
        fold_scores=fold_scores(contest.standings, reference),
    )


def _tuning(training: _Training, stake: float) -> Tuning:
    config, report, elapsed = training.config, training.report, training.elapsed
    most = trial_cap(volume_class(_known_sales(training.series)))
    cap = max(round(stake * most), _FEWEST_TRIALS)
    trials = cap if config.max_trials is None else min(cap, config.max_trials)
    return Tuning(
        optimizer=Optimizer(config.optimizer),
        backend=Backend(config.backend),
        budget=Budget(trials, config.least_gain / stake, lambda: elapsed() >= config.max_seconds),
        seed=config.seed,
        first=config.first_params or {},
        on_trial=lambda done: report(
            Progress(TrainingStage.SEARCH, min(0.05 + 0.65 * done / trials, 0.7), done)
        ),
    )


def _known_sales(series: Series) -> Floats:
    return series.history["quantity"][series.history["open"]].dropna().to_numpy()


def _outvoted(contest: Contest) -> Iterator[str]:
    if contest.own_gain.mean <= 0.0 < contest.gain.mean:
        loss = -skill(contest.reference, contest.best)
        yield (
            f"outvoted: on its own {len(contest.best.served)} folds the forecast lost {loss:.0%} "
            "to the baseline; so few days weigh less than what other products gained"
        )


def _warnings(series: Series, config: TrainingConfig, design: Design) -> tuple[str, ...]:
    limits = Limits(config.min_training_days, intermittent_allowed=True)
    findings = inspect_history(Subject(series.product, series.location), series.history, limits)
    dropped = (f"regressor {name!r} is dropped: it never varies" for name in design.dropped)
    return (*(f"{finding.code}: {finding.message}" for finding in findings), *dropped)
