"""Prophet: an unfitted one is its parameters, a fitted one predicts, explains and serialises.

Fits are those of `prophet_map`, on arrays that all fits of one design share. Quantiles are those
of Prophet's own generative model, in closed form instead of sampled: Gaussian noise of
`sigma_obs`, plus a trend that keeps changing its rate as often and as much as it did. Sampling
would draw from numpy's global generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Final, Literal, assert_never

import numpy as np

from services.training.demand import prophet_map
from services.training.demand.features import Design
from services.training.demand.prediction import LEVELS, Floats, Prediction
from services.training.demand.prophet_map import MapFit, Priors, ScaledHistory
from services.training.demand.prophet_terms import Kind, Term, Terms, column_of, terms_of

_Z: Final = np.array([NormalDist().inv_cdf(level) for level in LEVELS])

Mode = Literal["additive", "multiplicative"]


@dataclass(frozen=True, slots=True)
class UnfittedProphet:
    """Prophet's parameters under Prophet's names, `yearly_order` the Fourier order of the yearly
    term, which is present from one year of history on: without it Prophet reads a season
    as a trend. `past_only_regressors`: whether regressors unknown for the plan explain the past;
    what they explain there is missing from the plan, so it has to pay.

    The prior scales are shares of the largest day. Prophet's own of 10 let one or two years, and a
    holiday seen once, be learnt by heart."""

    changepoint_prior_scale: float = 0.05
    changepoint_range: float = 0.8
    seasonality_prior_scale: float = 0.1
    holidays_prior_scale: float = 0.3
    seasonality_mode: Mode = "additive"
    yearly_order: int = 6
    yearly_prior_scale: float = 0.05
    past_only_regressors: bool = False

    def fit(
        self,
        posed: PosedDesign,
        start: FittedProphet | None = None,
        tolerance: float = prophet_map.EXACT,
    ) -> FittedProphet:
        """The maximum a posteriori; `start` is another fit of the same design to begin from.

        Raises `MapError` where the problem cannot be posed or solved."""
        history = posed.history(self.changepoint_range)
        same = start is not None and start.unfitted.changepoint_range == self.changepoint_range
        fit = prophet_map.solve(
            posed.matrices(self.changepoint_range),
            self.priors(posed.terms),
            np.full(posed.terms.past.shape[1], self.seasonality_mode == "multiplicative"),
            start=start.fit if start is not None and same else None,
            tolerance=tolerance,
        )
        return FittedProphet(self, posed, history, fit)

    def priors(self, terms: Terms) -> Priors:
        """A scale of 0 leaves a column out: those the model has not, and those without a value."""
        scales = np.zeros(terms.past.shape[1])
        for term in terms.terms:
            scales[self.columns_of(term)] = self._scale(term.kind)
        return prophet_map.make_priors(
            self.changepoint_prior_scale, np.where(terms.acting, scales, 0.0)
        )

    def columns_of(self, term: Term) -> slice:
        """The columns of the term that this model has: fewer of a yearly term, or none."""
        begin, end = term.columns.start, term.columns.stop
        if term.kind is Kind.YEARLY:
            end = min(end, begin + 2 * self.yearly_order)
        elif term.kind is Kind.PAST_ONLY and not self.past_only_regressors:
            end = begin
        return slice(begin, end)

    def _scale(self, kind: Kind) -> float:
        match kind:
            case Kind.YEARLY:
                return self.yearly_prior_scale
            case Kind.WEEKLY:
                return self.seasonality_prior_scale
            case Kind.HOLIDAYS | Kind.PLANNED | Kind.PAST_ONLY:
                return self.holidays_prior_scale
            case _:
                assert_never(kind)


class PosedDesign:
    """A design in the solver's arrays, computed once and shared by every fit of it."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._histories: dict[float, ScaledHistory] = {}
        self._matrices: dict[float, prophet_map.Design] = {}

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.design)

    def history(self, changepoint_range: float) -> ScaledHistory:
        if changepoint_range not in self._histories:
            self._histories[changepoint_range] = prophet_map.scale_history(
                self.design.days, self.design.demand, changepoint_range=changepoint_range
            )
        return self._histories[changepoint_range]

    def matrices(self, changepoint_range: float) -> prophet_map.Design:
        """The solver's design. It does not depend on prior scales, orders or the mode."""
        if changepoint_range not in self._matrices:
            history = self.history(changepoint_range)
            self._matrices[changepoint_range] = prophet_map.make_design(
                history.t, history.y, self.terms.past, history.changepoints
            )
        return self._matrices[changepoint_range]


@dataclass(frozen=True, slots=True, eq=False)
class FittedProphet:
    """Parameters at their maximum, in the order of the posed design's columns."""

    unfitted: UnfittedProphet
    posed: PosedDesign
    history: ScaledHistory
    fit: MapFit

    def predict(self) -> Prediction:
        """Mean and quantiles for the days ahead, before any clipping or calibration."""
        mean = self.history.values(self.fit.mean(self._time(), self.posed.terms.ahead))
        return Prediction(mean, mean[:, None] + self._deviation()[:, None] * _Z[None, :])

    def parts(self) -> dict[str, Floats]:
        """Additive parts by name, in units, that sum to the mean of `predict` day by day.

        A multiplicative term counts as its share of the trend. A regressor called like one of
        Prophet's own parts goes by its column."""
        trend = self.history.values(self.fit.trend(self._time()))
        unit = trend if self.unfitted.seasonality_mode == "multiplicative" else self.history.y_scale
        ahead, parts = self.posed.terms.ahead, {"trend": trend}
        plain = {column_of(item.name): item.name for item in self.posed.design.regressors}
        for term in self.posed.terms.terms:
            columns = self.unfitted.columns_of(term)
            if columns.start < columns.stop:
                name = plain.get(term.name, term.name)
                values = ahead[:, columns] @ self.fit.beta[columns]
                parts[term.name if name in parts else name] = values * unit
        return parts

    def _time(self) -> Floats:
        return self.history.time(self.posed.design.ahead)

    def _deviation(self) -> Floats:
        """Standard deviation a day. Future rate changes are a compound Poisson process, S a unit
        of scaled time and Laplace(0, b) each, so the trend's variance at t > 1 is
        S * 2 b^2 * (t - 1)^3 / 3 (Taylor & Letham 2018, section 3.1.4)."""
        beyond = np.maximum(self._time() - 1.0, 0.0)
        laplace_scale = float(np.abs(self.fit.delta).mean()) + 1e-8
        trend = self.fit.delta.size * 2.0 * laplace_scale**2 * beyond**3 / 3.0
        factors = self.fit.factors(self.posed.terms.ahead)
        deviation: Floats = np.sqrt(trend * factors**2 + self.fit.sigma**2) * self.history.y_scale
        return deviation
