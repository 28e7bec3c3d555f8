"""Parameter search on rolling folds: Optuna in memory, ask and tell, seeded.

Trial 0 is always the default. Folds are few and the best of many trials is also the luckiest, so
it replaces the default only when its gain exceeds two standard errors of that gain.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median
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

_FEWEST_TO_PRUNE: Final = 6
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
    worse than the median of the complete ones on the folds so far is given up."""

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
    """`losses` are the mean absolute errors over the scored days up to each fold that was reached.
    A `failure` says why its parameters are unusable."""

    number: int
    parameters: Parameters
    losses: tuple[float, ...]
    pruned: bool
    forecasts: tuple[FoldForecast, ...]
    failure: str | None = None

    @property
    def loss(self) -> float:
        """Over all folds that were reached; infinite where the parameters are unusable."""
        return math.inf if self.failure else self.losses[-1]

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

    distributions = distributions_of(wanted.space)
    study = study_of(wanted.optimizer, wanted.seed, distributions)
    planned = list(_planned(wanted))
    for point in planned:
        study.enqueue_trial(point)
    most = len(planned) if wanted.optimizer is Optimizer.GRID else wanted.budget.trials
    trials: list[Trial] = []
    ratios: list[float] = []
    while len(trials) < most and not (trials and _is_over(ratios, wanted.budget)):
        asked = study.ask(distributions)
        trials.append(_run(asked.number, asked.params, wanted, trials))
        _tell(study, asked, trials[-1])
        ratios.extend(_beside(trials[0], trials[-1]))
        wanted.on_trial(len(trials))
    return SearchResult(_choose(trials), tuple(trials))


def _run(number: int, point: Parameters, wanted: Search, before: Sequence[Trial]) -> Trial:
    """The trial at a point, as far as it is worth going and time allows; the first one wholly."""
    forecasts: list[FoldForecast] = []
    losses: list[float] = []
    total, days = 0.0, 0
    for fold in range(wanted.folds):
        try:
            forecasts.append(wanted.evaluate(point, fold))
        except UnusableParametersError as error:
            return Trial(number, point, tuple(losses), False, tuple(forecasts), str(error))
        errors = forecasts[-1].absolute_errors
        total, days = total + float(errors.sum()), days + errors.size
        losses.append(total / days)
        if fold < wanted.folds - 1 and before and _is_given_up(losses, wanted.budget, before):
            return Trial(number, point, tuple(losses), True, tuple(forecasts))
    return Trial(number, point, tuple(losses), False, tuple(forecasts))


def _is_given_up(losses: Sequence[float], budget: Budget, before: Sequence[Trial]) -> bool:
    """The budget is spent, or the median of complete trials did better on as many folds (the
    median stopping rule of Golovin et al. 2017)."""
    if budget.spent():
        return True
    if not budget.prune:
        return False
    others = [trial.losses[len(losses) - 1] for trial in before if trial.is_complete]
    return len(others) >= _FEWEST_TO_PRUNE and losses[-1] > median(others)


def _tell(study: optuna.Study, asked: optuna.Trial, trial: Trial) -> None:
    """What became of the trial; samplers rank a pruned one by how far it came, and its loss."""
    from optuna.trial import TrialState

    if trial.failure:
        study.tell(asked, state=TrialState.FAIL)
    elif trial.pruned:
        asked.report(trial.loss, len(trial.losses))
        study.tell(asked, state=TrialState.PRUNED)
    else:
        study.tell(asked, trial.loss)


def _is_over(ratios: Sequence[float], budget: Budget) -> bool:
    return budget.spent() or _expected_gain(ratios) < budget.least_gain


def _expected_gain(ratios: Sequence[float]) -> float:
    """What one more trial should save, as a share of the default's loss, if its loss is drawn
    like those of the trials so far: the expected improvement of Jones, Schonlau & Welch (1998)."""
    if len(ratios) < _FEWEST_TO_EXPECT:
        return math.inf
    best, mean, spread = min(ratios), float(np.mean(ratios)), float(np.std(ratios, ddof=1))
    if spread == 0.0:
        return 0.0
    normal, below = NormalDist(), (best - mean) / spread
    return spread * (below * normal.cdf(below) + normal.pdf(below))


def _beside(default: Trial, trial: Trial) -> Iterator[float]:
    """The trial's loss over the default's on the folds that it reached; nothing where it failed."""
    if default.failure is None and trial.failure is None:
        reached = default.losses[len(trial.losses) - 1]
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
