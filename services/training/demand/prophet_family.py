"""Prophet as a family: its parameters searched once, its fits shared by all that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import assert_never

import pandas as pd

from services.training.demand import prophet_map
from services.training.demand.backtest import Fold, FoldForecast
from services.training.demand.config import Backend, Family, Optimizer
from services.training.demand.entry import Entry
from services.training.demand.features import Design, prepare
from services.training.demand.model import FittedProphet, Mode, PosedDesign, UnfittedProphet
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.prophet_json import to_dict
from services.training.demand.prophet_map import MapError
from services.training.demand.prophet_pair import MODES, ProphetPair
from services.training.demand.prophet_space import from_point, space_for, to_point
from services.training.demand.search import (
    Budget,
    Parameters,
    Search,
    Trial,
    UnusableParametersError,
    search,
)
from services.training.demand.series import Series


@dataclass(frozen=True, slots=True)
class Tuning:
    """How Prophet may be searched; `first` are parameters to try right after the default, such as
    those the product had last; `on_trial` hears the number of trials done."""

    optimizer: Optimizer
    backend: Backend
    budget: Budget
    seed: int
    first: Parameters
    on_trial: Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class TunedProphet:
    """The parameters that were found, and fits of one series under them, by its last known day:
    the families that hold Prophet ask for the same ones."""

    unfitted: UnfittedProphet
    backend: Backend
    rehearsal: tuple[FoldForecast, ...] = ()
    trials: tuple[Trial, ...] = ()
    _posed: dict[pd.Timestamp, PosedDesign] = field(default_factory=dict)
    _fits: dict[tuple[pd.Timestamp, Mode], FittedProphet] = field(default_factory=dict)

    def fit(self, series: Series) -> FittedProphet:
        """In the mode that was found."""
        return self._fit(series, self.unfitted.seasonality_mode)

    def fit_pair(self, series: Series) -> ProphetPair:
        """In both modes, the other parameters being those found."""
        return ProphetPair(*(self._fit(series, mode) for mode in MODES))

    def _fit(self, series: Series, mode: Mode) -> FittedProphet:
        day = series.data_through
        if (day, mode) not in self._fits:
            if day not in self._posed:
                self._posed[day] = PosedDesign(prepare(series))
            unfitted = replace(self.unfitted, seasonality_mode=mode)
            self._fits[day, mode] = _fit(unfitted, self._posed[day], self.backend)
        return self._fits[day, mode]


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


def prophet_entry(tuned: TunedProphet) -> Entry:
    return Entry(
        Family.PROPHET,
        asdict(tuned.unfitted),
        lambda series: PlannedProphet(tuned.fit(series)),
        tuned.rehearsal,
    )


def tune_prophet(folds: Sequence[Fold], design: Design, tuning: Tuning) -> TunedProphet:
    """The parameters that did best on `folds`; the defaults without any."""
    if not folds:
        return TunedProphet(UnfittedProphet(), tuning.backend)
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
    return TunedProphet(unfitted, tuning.backend, found.chosen.forecasts, found.trials)


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
