"""A Prophet on arrays: it predicts, explains, and keeps to its terms."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from services.training.demand.features import prepare
from services.training.demand.model import FittedProphet, PosedDesign, UnfittedProphet
from services.training.demand.prophet_terms import column_of
from services.training.demand.series import Event, Series
from tests.demand.made_series import bakery_series, series_of

BOTH = {"promo": (8.0, True), "rain": (3.0, False)}
FAIR = Event("fair", (date(2022, 3, 1), date(2023, 3, 1)), window_before=1)


def fitted_to(series: Series, **parameters: object) -> FittedProphet:
    return UnfittedProphet(**parameters).fit(PosedDesign(prepare(series)))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_parts_sum_to_the_mean_and_are_named(mode: str) -> None:
    series = bakery_series(days=420, regressors=BOTH, events=(FAIR,))
    fitted = fitted_to(series, seasonality_mode=mode, past_only_regressors=True)
    parts = fitted.parts()
    assert set(parts) == {"trend", "weekly", "yearly", "holidays", "promo", "rain"}
    total = np.sum(list(parts.values()), axis=0)
    np.testing.assert_allclose(total, fitted.predict().mean, rtol=1e-9)


def test_a_planned_regressor_moves_the_forecast_by_its_effect() -> None:
    series = bakery_series(days=420, regressors={"promo": (8.0, True)})
    effect = fitted_to(series).parts()["promo"]
    slope = np.polyfit(series.plan["promo"].to_numpy(), effect, 1)[0]
    assert slope == pytest.approx(8.0, abs=1.0)


def test_regressors_of_the_past_alone_are_left_out_unless_asked_for() -> None:
    series = bakery_series(days=200, regressors=BOTH)
    assert "rain" not in fitted_to(series).parts()
    assert "rain" in fitted_to(series, past_only_regressors=True).parts()


def test_the_same_design_gives_the_same_parameters_and_draws_no_random_number() -> None:
    series = bakery_series(days=200)
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr,index]
    first, again = fitted_to(series).predict(), fitted_to(series).predict()
    np.testing.assert_array_equal(first.quantiles, again.quantiles)
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_a_fit_begun_from_another_ends_where_it_would_alone(mode: str) -> None:
    posed = PosedDesign(prepare(bakery_series(days=420, regressors=BOTH)))
    wanted = UnfittedProphet(seasonality_mode=mode)  # type: ignore[arg-type]
    for other in (
        UnfittedProphet(changepoint_prior_scale=0.5),
        UnfittedProphet(changepoint_range=0.9),
        UnfittedProphet(past_only_regressors=True, yearly_order=3),
    ):
        begun = wanted.fit(posed, start=other.fit(posed)).predict().mean
        np.testing.assert_allclose(begun, wanted.fit(posed).predict().mean, rtol=1e-3)


def test_the_yearly_term_is_there_from_one_year_on() -> None:
    assert "yearly" not in fitted_to(bakery_series(days=364)).parts()
    assert "yearly" in fitted_to(bakery_series(days=365)).parts()


def test_a_year_seen_once_helps_in_the_next() -> None:
    series = bakery_series(days=460, horizon=28, noise=2.0)
    truth = 1.0 + 0.15 * np.sin(2 * np.pi * series.plan.index.day_of_year.to_numpy() / 365.25)
    assert np.corrcoef(fitted_to(series).parts()["yearly"], truth)[0, 1] > 0.8


def test_a_holiday_seen_once_is_not_learnt_by_heart() -> None:
    series = bakery_series(days=300, noise=0.0, closed_weekday=None)
    day = np.flatnonzero(series.history.index == "2022-05-26")  # Ascension Day
    series.history.iloc[day, series.history.columns.get_loc("quantity")] *= 3.0
    tight, loose = (
        fitted_to(series, holidays_prior_scale=scale).fit.beta for scale in (0.01, 10.0)
    )
    assert np.abs(tight).max() < 0.2 * np.abs(loose).max()


def test_names_that_prophet_reserves_are_only_names() -> None:
    names = dict.fromkeys(("trend", "weekly", "y", "ds", "a_delim_b"), (1.0, True))
    fitted = fitted_to(bakery_series(days=200, regressors=names))
    parts = fitted.parts()
    own = {"trend", "weekly", "holidays"}
    assert set(parts) == own | {column_of("trend"), column_of("weekly"), "y", "ds", "a_delim_b"}
    total = np.sum(list(parts.values()), axis=0)
    np.testing.assert_allclose(total, fitted.predict().mean)


def test_a_few_days_without_any_term_have_a_trend() -> None:
    fitted = fitted_to(series_of([3.0, 4.0, 5.0, float("nan"), 7.0]))
    assert "weekly" not in fitted.parts()
    assert np.isfinite(fitted.predict().quantiles).all()
