"""What a family brings to the contest: it fits a series as known at a cut-off, and answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.training.demand.backtest import FoldForecast
from services.training.demand.calibrate import PRIOR_DAYS
from services.training.demand.config import Family
from services.training.demand.prediction import Floats, Prediction
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
    """One tuned family; `rehearsal` holds its raw forecasts of the search folds. `prior_days`:
    how many days of its own a series must bring to be heard in calibration as much as the family
    itself."""

    family: Family
    params: dict[str, object]
    fit: Callable[[Series], Fitted]
    rehearsal: tuple[FoldForecast, ...] = ()
    prior_days: int = PRIOR_DAYS
