"""Parameter search on rolling folds: Optuna in memory, ask and tell, seeded.

Trial 0 is always the default. Folds are few and the best of many trials is also the luckiest, so
it replaces the default only when its gain exceeds two standard errors of that gain.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Final

import numpy as np

from services.training.demand.backtest import FoldForecast
from services.training.demand.comparison import compare
from services.training.demand.config import Optimizer
from services.training.demand.prediction import Floats

if TYPE_CHECKING:
    import optuna

Value = float | int | str
Parameters = dict[str, Value]
Evaluate = Callable[[Parameters, int], FoldForecast]
"""Forecast of one fold, by its number, under given parameters; or `UnusableParametersError`."""

STARTUP_TRIALS: Final = 6
_FEWEST_TO_EXPECT: Final = 10
_STANDARD_ERRORS: Final = 2.0


class UnusableParametersError(ValueError):
    """No forecast can be made under these parameters; the message says why."""


@dataclass(frozen=True, slots=True)
class Range:
    """A continuous parameter and the points a grid tries on it."""

    low: float
    high: float
    grid: tuple[float, ...]
    log: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Value, ...]


Space = Mapping[str, Range | Choice]


@dataclass(frozen=True, slots=True)
class Budget:
    """`trials` at most, the default among them; no more once the next is expected to save less
    than `least_gain` of the default's loss. `spent()` is asked between fits. `prune`: a trial
    worse than the median of the others on the folds so far is given up."""

    trials: int
    least_gain: float
    spent: Callable[[], bool]
    prune: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: `first` is tried right after the default, as far as the space knows it."""

    space: Space
    default: Parameters
    first: Parameters
    folds: int
    evaluate: Evaluate
    optimizer: Optimizer
    budget: Budget
    seed: int
    on_trial: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """`loss` is the mean absolute error over the scored days of all folds; of a pruned trial, of
    the folds it reached. A `failure` says why its parameters are unusable; then there is none."""

    number: int
    parameters: Parameters
    loss: float
    pruned: bool
    forecasts: tuple[FoldForecast, ...]
    failure: str | None = None

    @property
    def is_complete(self) -> bool:
        return not self.pruned and self.failure is None

    def to_dict(self) -> dict[str, object]:
        return {
            "number": self.number,
            "parameters": dict(self.parameters),
            "loss": None if self.failure else self.loss,
            "pruned": self.pruned,
            "failure": self.failure,
        }


@dataclass(frozen=True, slots=True)
class SearchResult:
    chosen: Trial
    trials: tuple[Trial, ...]


def search(wanted: Search) -> SearchResult:
    """The parameters to use, and every trial. The same inputs and seed give the same result
    unless the budget's clock cuts the search short. The default is tried whatever the budget.

    Raises `UnusableParametersError` where not one trial could be made."""
    from services.training.demand.samplers import distributions_of, study_of

    study = study_of(wanted.optimizer, wanted.seed)
    planned = list(_planned(wanted))
    for point in planned:
        study.enqueue_trial(point, skip_if_exists=True)
    most = len(planned) if wanted.optimizer is Optimizer.GRID else wanted.budget.trials
    distributions = distributions_of(wanted.space)
    trials: list[Trial] = []
    ratios: list[float] = []
    while len(trials) < most and not (trials and _is_over(ratios, wanted.budget)):
        trials.append(_run(study, study.ask(distributions), wanted))
        ratios.extend(_beside(trials[0], trials[-1]))
        wanted.on_trial(len(trials))
    return SearchResult(_choose(trials), tuple(trials))


def _run(study: optuna.Study, trial: optuna.Trial, wanted: Search) -> Trial:
    from optuna.trial import TrialState

    forecasts: list[FoldForecast] = []
    for fold in range(wanted.folds):
        try:
            forecasts.append(wanted.evaluate(trial.params, fold))
        except UnusableParametersError as error:
            study.tell(trial, state=TrialState.FAIL)
            return _trial(trial, forecasts, failure=str(error))
        trial.report(_loss(forecasts), fold)
        more = fold < wanted.folds - 1 and trial.number > 0
        hopeless = wanted.budget.prune and trial.should_prune()
        if more and (hopeless or wanted.budget.spent()):
            study.tell(trial, state=TrialState.PRUNED)
            return _trial(trial, forecasts, pruned=True)
    study.tell(trial, _loss(forecasts))
    return _trial(trial, forecasts)


def _trial(
    trial: optuna.Trial,
    forecasts: Sequence[FoldForecast],
    pruned: bool = False,
    failure: str | None = None,
) -> Trial:
    loss = math.inf if failure else _loss(forecasts)
    return Trial(trial.number, dict(trial.params), loss, pruned, tuple(forecasts), failure)


def _is_over(ratios: Sequence[float], budget: Budget) -> bool:
    return budget.spent() or _expected_gain(ratios) < budget.least_gain


def _expected_gain(ratios: Sequence[float]) -> float:
    """What one more trial should save, as a share of the default's loss, if its loss is drawn
    like those of the trials so far: the expected improvement of Jones, Schonlau & Welch (1998)."""
    if len(ratios) < _FEWEST_TO_EXPECT:
        return math.inf
    best, mean, spread = min(ratios), fmean(ratios), stdev(ratios)
    if spread == 0.0:
        return 0.0
    normal, below = NormalDist(), (best - mean) / spread
    return spread * (below * normal.cdf(below) + normal.pdf(below))


def _beside(default: Trial, trial: Trial) -> Iterator[float]:
    """The trial's loss over the default's on the folds that it reached; nothing where it failed."""
    if default.failure is None and trial.failure is None:
        reached = _loss(default.forecasts[: len(trial.forecasts)])
        if reached > 0.0:
            yield trial.loss / reached


def _choose(trials: Sequence[Trial]) -> Trial:
    default = trials[0]
    complete = [trial for trial in trials if trial.is_complete]
    if not complete:
        raise UnusableParametersError(default.failure or "no trial was completed")
    best = min(complete, key=lambda trial: trial.loss)
    if default.failure:
        return best
    gain = compare(_errors(default), _errors(best))
    return best if gain.mean > _STANDARD_ERRORS * gain.standard_error else default


def _planned(wanted: Search) -> Iterator[Parameters]:
    """Trial 0, then what is to be tried first; of a grid the other points too, in seeded order."""
    first = _within(wanted.space, wanted.default, wanted.first)
    known = [wanted.default] if first == wanted.default else [wanted.default, first]
    rest = _grid(wanted) if wanted.optimizer is Optimizer.GRID else iter(())
    points = itertools.chain(known, (point for point in rest if point not in known))
    return itertools.islice(points, wanted.budget.trials)


def _grid(wanted: Search) -> Iterator[Parameters]:
    space = wanted.space
    axes = [item.grid if isinstance(item, Range) else item.options for item in space.values()]
    points: list[Parameters] = [
        dict(zip(space, values, strict=True)) for values in itertools.product(*axes)
    ]
    for position in np.random.default_rng(wanted.seed).permutation(len(points)):
        yield points[position]


def _within(space: Space, default: Parameters, wished: Parameters) -> Parameters:
    """The wish, brought into the space; what it does not name is as in the default."""
    point = dict(default)
    for name, item in space.items():
        value = wished.get(name)
        if isinstance(item, Choice) and value in item.options:
            point[name] = value
        elif isinstance(item, Range) and isinstance(value, int | float):
            point[name] = min(max(float(value), item.low), item.high)
    return point


def _errors(trial: Trial) -> list[Floats]:
    return [forecast.absolute_errors for forecast in trial.forecasts]


def _loss(forecasts: Sequence[FoldForecast]) -> float:
    return float(np.concatenate([forecast.absolute_errors for forecast in forecasts]).mean())
