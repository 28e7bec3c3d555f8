"""Prophet: an unfitted one is its parameters, a fitted one predicts, explains and serialises.

`_fit` is the one place that reaches the optimiser. Quantiles are those of Prophet's own
generative model, in closed form instead of sampled: Gaussian noise of `sigma_obs`, plus a trend
that keeps changing its rate as often and as much as it did. Sampling would draw from numpy's
global generator.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar

import numpy as np
import pandas as pd

from services.training.demand.features import Design, column_of
from services.training.demand.prediction import LEVELS, Floats, Prediction

if TYPE_CHECKING:
    from prophet import Prophet

# A day to come then has its like in the past; a year not yet closed is extrapolated at will.
_YEARLY_FROM_DAYS: Final = 365
_YEAR: Final = 365.25
_Z: Final = np.array([NormalDist().inv_cdf(level) for level in LEVELS])

Mode = Literal["additive", "multiplicative"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UnfittedProphet:
    """Prophet's parameters under Prophet's names, `yearly_order` the Fourier order of the yearly
    term, which is present from one year of history on: without it Prophet reads a season
    as a trend. `past_only_regressors`: whether regressors unknown for the plan explain the past;
    what they explain there is missing from the plan, so it has to pay."""

    changepoint_prior_scale: float = 0.05
    changepoint_range: float = 0.8
    seasonality_prior_scale: float = 10.0
    holidays_prior_scale: float = 10.0
    seasonality_mode: Mode = "additive"
    yearly_order: int = 10
    yearly_prior_scale: float = 10.0
    past_only_regressors: bool = False

    def fit(self, design: Design) -> FittedProphet:
        """Fits the open, known days of `design.past`; needs two of them."""
        model = self._assemble(design)
        frame = design.past.rename_axis("ds").reset_index()
        return FittedProphet(_fit(model, frame))

    def _assemble(self, design: Design) -> Prophet:
        model = _prophet_class()(
            yearly_seasonality=False,
            weekly_seasonality=3 if _covers_weeks(design.past) else False,
            daily_seasonality=False,
            holidays=design.holidays if len(design.holidays) else None,
            seasonality_mode=self.seasonality_mode,
            seasonality_prior_scale=self.seasonality_prior_scale,
            holidays_prior_scale=self.holidays_prior_scale,
            changepoint_prior_scale=self.changepoint_prior_scale,
            changepoint_range=self.changepoint_range,
            uncertainty_samples=0,
        )
        if covers_a_year(design.past):
            model.add_seasonality(
                "yearly", _YEAR, self.yearly_order, prior_scale=self.yearly_prior_scale
            )
        for name in design.planned + (design.past_only if self.past_only_regressors else ()):
            model.add_regressor(column_of(name))
        return model


@dataclass(frozen=True, slots=True, eq=False)
class FittedProphet:
    """A genuine fitted `prophet.Prophet`."""

    prophet: Prophet

    def predict(self, design: Design) -> Prediction:
        """Mean and quantiles for `design.future`, before any clipping or calibration."""
        frame = self._components(design)
        mean = frame["yhat"].to_numpy(dtype=np.float64)
        deviation = self._deviation(frame)
        return Prediction(mean, mean[:, None] + deviation[:, None] * _Z[None, :])

    def parts(self, design: Design) -> dict[str, Floats]:
        """Additive parts by name, in units, that sum to the mean of `predict` day by day.

        A multiplicative term counts as its share of the trend. A regressor called like one of
        Prophet's own parts goes by its column."""
        frame = self._components(design)
        trend = frame["trend"].to_numpy(dtype=np.float64)
        parts = {"trend": trend}
        for name, column in self._component_columns(design).items():
            values = frame[column].to_numpy(dtype=np.float64)
            parts[name] = values * trend if self._multiplies(column) else values
        return parts

    def to_json(self) -> str:
        """Prophet's own serialisation."""
        from prophet.serialize import model_to_json

        return str(model_to_json(self.prophet))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote; it predicts the same."""
        _prophet_class()
        from prophet.serialize import model_from_json

        model = model_from_json(text)
        model.uncertainty_samples = 0
        return cls(model)

    def _components(self, design: Design) -> pd.DataFrame:
        return self.prophet.predict(design.future.rename_axis("ds").reset_index())

    def _component_columns(self, design: Design) -> dict[str, str]:
        names = {name: name for name in self.prophet.seasonalities}
        if len(design.holidays):
            names["holidays"] = "holidays"
        for name in design.planned + design.past_only:
            column = column_of(name)
            if column in self.prophet.extra_regressors:
                names[column if name in (*names, "trend") else name] = column
        return names

    def _multiplies(self, column: str) -> bool:
        modes = _known(self.prophet.component_modes)
        return column in modes["multiplicative"]

    def _deviation(self, frame: pd.DataFrame) -> Floats:
        """Standard deviation a day. Future rate changes are a compound Poisson process, S a unit
        of scaled time and Laplace(0, b) each, so the trend's variance at t > 1 is
        S * 2 b^2 * (t - 1)^3 / 3 (Taylor & Letham 2018, section 3.1.4)."""
        model = self.prophet
        since_start = frame["ds"] - _known(model.start)
        beyond = (since_start / _known(model.t_scale)).to_numpy(dtype=np.float64) - 1.0
        laplace_scale = float(np.abs(model.params["delta"]).mean()) + 1e-8
        changes = len(_known(model.changepoints_t))
        trend = changes * 2.0 * laplace_scale**2 * np.maximum(beyond, 0.0) ** 3 / 3.0
        trend *= (1.0 + frame["multiplicative_terms"].to_numpy(dtype=np.float64)) ** 2
        noise = float(model.params["sigma_obs"].item()) ** 2
        return np.asarray(np.sqrt(trend + noise) * _known(model.y_scale), dtype=np.float64)


def _fit(model: Prophet, frame: pd.DataFrame) -> Prophet:
    """Prophet's own optimiser, with everything it writes gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="morrow-prophet-") as folder:
        model.fit(frame, output_dir=folder)
    # The folder's name would else be serialised, and make equal models differ.
    model.fit_kwargs = {}
    model.stan_fit = None
    return model


def _prophet_class() -> type[Prophet]:
    """Imported when first needed: the API process reads this package and must not pay for it."""
    logging.getLogger("prophet.plot").disabled = True
    from prophet import Prophet

    # cmdstanpy sets its logger up when imported, and would undo a level set before.
    logging.getLogger("cmdstanpy").disabled = True
    return Prophet


def covers_a_year(past: pd.DataFrame) -> bool:
    """Whether a model of these days holds a yearly term."""
    return _span_days(past) >= _YEARLY_FROM_DAYS


def _span_days(past: pd.DataFrame) -> int:
    return int((past.index[-1] - past.index[0]).days) + 1


def _covers_weeks(past: pd.DataFrame) -> bool:
    return _span_days(past) >= 15


def _known(value: T | None) -> T:
    """Prophet types what fitting sets as optional; in a fitted one it is there."""
    if value is None:
        raise ValueError("this Prophet has not been fitted")
    return value
