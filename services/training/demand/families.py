"""The families that enter the contest: tuned on the search folds, from then on only fitted.

An `Entry` fits a series as known at a cut-off; what comes back predicts the plan, names the
additive parts of its mean, and serialises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, assert_never

from services.training.demand import prophet_map
from services.training.demand.backtest import Fold, FoldForecast, walk_forward
from services.training.demand.baseline import Baseline, forecast_baseline
from services.training.demand.config import Backend, Family, Optimizer
from services.training.demand.features import Design, prepare
from services.training.demand.model import FittedProphet, PosedDesign, UnfittedProphet
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.prophet_json import from_dict, to_dict
from services.training.demand.prophet_map import MapError
from services.training.demand.prophet_space import from_params, from_point, space_for, to_point
from services.training.demand.search import (
    Budget,
    Parameters,
    Search,
    Trial,
    UnusableParametersError,
    search,
)
from services.training.demand.series import Series


class Fitted(Protocol):
    def predict(self) -> Prediction:
        """Raw mean and quantiles for the plan of the series it was fitted to."""

    def parts(self) -> dict[str, Floats]:
        """Additive parts of the mean over the plan, by name, in units."""

    def to_dict(self) -> dict[str, object]:
        """JSON-able; with the series, all that a replay of `predict` needs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tuned family; `rehearsal` holds its raw forecasts of the search folds."""

    family: Family
    params: dict[str, object]
    fit: Callable[[Series], Fitted]
    rehearsal: tuple[FoldForecast, ...]
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a family may search; `first` are parameters to try right after the default, such as
    those the product had last; `on_trial` hears the number of trials done."""

    optimizer: Optimizer
    backend: Backend
    budget: Budget
    seed: int
    first: Parameters
    on_trial: Callable[[int], None]


def enter(family: Family, folds: Sequence[Fold], design: Design, tuning: Tuning) -> Entry:
    """The family, tuned on `folds`; `design` tells what a model of the whole series will hold."""
    match family:
        case Family.BASELINE:
            return _enter_baseline(folds)
        case Family.PROPHET:
            return _enter_prophet(folds, design, tuning)
        case _:
            assert_never(family)


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    series: Series
    method: Baseline

    def predict(self) -> Prediction:
        return forecast_baseline(self.series, self.method)

    def parts(self) -> dict[str, Floats]:
        return {self.method.value: self.predict().mean}

    def to_dict(self) -> dict[str, object]:
        return {"method": self.method.value}


@dataclass(frozen=True, slots=True, eq=False)
class PlannedProphet:
    """A fitted Prophet as a family's answer."""

    model: FittedProphet

    def predict(self) -> Prediction:
        return self.model.predict()

    def parts(self) -> dict[str, Floats]:
        return self.model.parts()

    def to_dict(self) -> dict[str, object]:
        return to_dict(self.model)


def restore(
    family: Family, params: dict[str, object], content: dict[str, object], series: Series
) -> Fitted:
    """What `Fitted.to_dict` wrote of a family, beside the series it was fitted to."""
    match family:
        case Family.BASELINE:
            return FittedBaseline(series, Baseline(str(content["method"])))
        case Family.PROPHET:
            posed = PosedDesign(prepare(series))
            return PlannedProphet(from_dict(content, from_params(params), posed))
        case _:
            assert_never(family)


def baseline_entry(method: Baseline, folds: Sequence[Fold]) -> Entry:
    """One baseline method as an entry; it has nothing to tune."""

    def fit(series: Series) -> Fitted:
        return FittedBaseline(series, method)

    rehearsal = walk_forward(folds, lambda series: forecast_baseline(series, method))
    return Entry(Family.BASELINE, {"method": method.value}, fit, tuple(rehearsal))


def _enter_baseline(folds: Sequence[Fold]) -> Entry:
    """The better of the two baselines on the search folds; the same-weekday mean without any."""
    methods = (Baseline.SAME_WEEKDAY_MEAN, Baseline.SEASONAL_NAIVE)
    entries = [baseline_entry(method, folds) for method in methods]
    return min(entries, key=lambda entry: sum(f.absolute_errors.sum() for f in entry.rehearsal))


def _enter_prophet(folds: Sequence[Fold], design: Design, tuning: Tuning) -> Entry:
    if not folds:
        unfitted = UnfittedProphet()
        return Entry(Family.PROPHET, asdict(unfitted), _prophet_fit(unfitted, tuning.backend), ())
    space = space_for(design)
    found = search(
        Search(
            space=space,
            default=to_point(UnfittedProphet(), space),
            first=tuning.first,
            folds=len(folds),
            evaluate=_rehearsals(folds, tuning.backend),
            optimizer=tuning.optimizer,
            budget=tuning.budget,
            seed=tuning.seed,
            on_trial=tuning.on_trial,
        )
    )
    unfitted = from_point(found.chosen.parameters)
    return Entry(
        Family.PROPHET,
        asdict(unfitted),
        _prophet_fit(unfitted, tuning.backend),
        found.chosen.forecasts,
        found.trials,
    )


def _rehearsals(
    folds: Sequence[Fold], backend: Backend
) -> Callable[[Parameters, int], FoldForecast]:
    """Forecasts of a fold under given parameters, each begun from the last fit of its mode."""
    posed = [PosedDesign(prepare(fold.series)) for fold in folds]
    latest: dict[tuple[int, str], FittedProphet] = {}

    def evaluate(point: Parameters, fold: int) -> FoldForecast:
        unfitted = from_point(point)
        kin = (fold, unfitted.seasonality_mode)
        try:
            fitted = _fit(unfitted, posed[fold], backend, latest.get(kin))
        except MapError as error:
            raise UnusableParametersError(str(error)) from error
        latest[kin] = fitted
        return FoldForecast(folds[fold], fitted.predict())

    return evaluate


def _prophet_fit(unfitted: UnfittedProphet, backend: Backend) -> Callable[[Series], Fitted]:
    def fit(series: Series) -> Fitted:
        return PlannedProphet(_fit(unfitted, PosedDesign(prepare(series)), backend))

    return fit


def _fit(
    unfitted: UnfittedProphet,
    posed: PosedDesign,
    backend: Backend,
    start: FittedProphet | None = None,
) -> FittedProphet:
    match backend:
        case Backend.MAP:
            tolerance = prophet_map.EXACT if start is None else prophet_map.ROUGH
            return unfitted.fit(posed, start, tolerance)
        case Backend.STAN:
            from services.training.demand.prophet_stan import fit_with_stan

            return fit_with_stan(unfitted, posed)
        case _:
            assert_never(backend)
