"""A fold knows what was known at its cut-off, and nothing that came after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.demand.backtest import Fold, plan_folds, walk_forward
from services.training.demand.baseline import forecast_baseline
from services.training.demand.features import Design, prepare
from services.training.demand.series import Series
from tests.demand.made_series import bakery_series

BOTH = {"promo": (5.0, True), "rain": (3.0, False)}


def folds_of(series: Series, horizon: int = 28) -> tuple[Fold, ...]:
    plan = plan_folds(series, horizon, search=3, contest=3)
    return plan.search + plan.contest


def after(series: Series, cutoff: pd.Timestamp, random: np.random.Generator) -> Series:
    """The same series, had everything unknowable after the cut-off come differently."""
    history = series.history.copy()
    later = history.index > cutoff
    for column in ("quantity", "rain"):
        history.loc[later, column] = random.uniform(0, 1000, later.sum())
    history.loc[later, "stockout"] = random.random(later.sum()) < 0.5
    return replace(series, history=history)


def content_of(design: Design) -> list[object]:
    return [
        *(values.tolist() for values in (design.days, design.demand, design.ahead)),
        *((r.name, r.past.tolist(), r.ahead.tolist(), r.planned) for r in design.regressors),
        design.holidays,
        design.dropped,
    ]


def test_no_forecast_depends_on_what_came_after_its_cut_off() -> None:
    series = bakery_series(days=300, regressors=BOTH)
    series.history.loc[series.history.index[::9], "stockout"] = True
    series.history.loc[series.history.index[::11], "rain"] = np.nan
    random = np.random.default_rng(3)
    for position, fold in enumerate(folds_of(series)):
        other = folds_of(after(series, fold.cutoff, random))[position]
        assert other.cutoff == fold.cutoff
        assert other.series.to_bytes() == fold.series.to_bytes()
        assert content_of(prepare(other.series)) == content_of(prepare(fold.series))
        assert not np.array_equal(other.actual, fold.actual)


def test_a_forecast_does_depend_on_what_is_planned_and_what_is_past() -> None:
    series = bakery_series(days=300, regressors=BOTH)
    fold = folds_of(series)[-1]
    changed = series.history.copy()
    changed.loc[fold.cutoff + pd.Timedelta(days=1), "promo"] = 99.0
    planned = folds_of(replace(series, history=changed))[-1]
    assert content_of(prepare(planned.series)) != content_of(prepare(fold.series))
    changed = series.history.copy()
    changed.loc[fold.cutoff, "quantity"] = 99.0
    past = folds_of(replace(series, history=changed))[-1]
    assert content_of(prepare(past.series)) != content_of(prepare(fold.series))


def test_unknown_regressors_have_no_value_after_a_cut_off_and_known_ones_have() -> None:
    series = bakery_series(days=300, regressors=BOTH)
    for fold in folds_of(series):
        assert fold.series.plan["rain"].isna().all()
        real = series.history.loc[fold.series.plan.index, "promo"]
        np.testing.assert_array_equal(fold.series.plan["promo"], real)


@settings(deadline=None, max_examples=60)
@given(days=st.integers(30, 1100), horizon=st.integers(1, 60), search=st.integers(0, 4))
def test_folds_never_share_a_day_and_the_search_ends_before_the_contest(
    days: int, horizon: int, search: int
) -> None:
    series = bakery_series(days=days, closed_weekday=None)
    plan = plan_folds(series, horizon, search=search, contest=3)
    assert 1 <= len(plan.contest) <= 3
    assert len(plan.search) <= search
    covered = [day for fold in plan.search + plan.contest for day in fold.series.plan.index]
    assert len(covered) == len(set(covered))
    assert covered == sorted(covered)
    assert plan.contest[-1].series.plan.index[-1] == series.data_through
    for fold in plan.search + plan.contest:
        assert len(fold.series.history) >= 21
        assert len(fold.actual) <= horizon


def test_long_histories_are_searched_across_the_seasons() -> None:
    plan = plan_folds(bakery_series(days=1095), 28, search=3, contest=3)
    gaps = np.diff([fold.cutoff.toordinal() for fold in plan.search])
    assert gaps.tolist() == [91, 91]
    assert [len(fold.actual) for fold in plan.contest] == [28, 28, 28]


def test_only_open_known_days_are_scored() -> None:
    series = bakery_series(days=200)
    series.history.loc[series.history.index[-3], "quantity"] = np.nan
    fold = folds_of(series)[-1]
    days = fold.series.plan.index[fold.scored]
    assert series.history.index[-3] not in days
    assert (series.history.loc[days, "open"]).all()


def test_a_sold_out_day_is_scored_on_its_expected_demand() -> None:
    series = bakery_series(days=200)
    day = series.history.index[-2]
    series.history.loc[day, "stockout"] = True
    series.history.loc[day, "quantity"] *= 0.5
    fold = folds_of(series)[-1]
    assert fold.scored[-2]
    assert fold.actual[-2] > 1.3 * series.history.loc[day, "quantity"]


def test_what_a_sold_out_day_was_worth_is_not_learnt_from_days_after_its_fold() -> None:
    series = bakery_series(days=300, regressors=BOTH)
    series.history.loc[series.history.index[::9], "stockout"] = True
    random = np.random.default_rng(4)
    for position, fold in enumerate(folds_of(series)):
        end = fold.series.plan.index[-1]
        np.testing.assert_array_equal(
            folds_of(after(series, end, random))[position].actual, fold.actual
        )


def test_folds_on_which_nothing_can_be_scored_are_left_out() -> None:
    series = bakery_series(days=200)
    series.history.iloc[-28:, series.history.columns.get_loc("quantity")] = np.nan
    assert all(fold.scored.any() for fold in folds_of(series))
    series.history["quantity"] = np.nan
    assert folds_of(series) == ()


def test_walking_forward_scores_each_fold_as_it_would_be_served() -> None:
    folds = folds_of(bakery_series(days=200))
    forecasts = walk_forward(folds, forecast_baseline)
    assert [forecast.fold for forecast in forecasts] == list(folds)
    for forecast, fold in zip(forecasts, folds, strict=True):
        expected = np.abs(fold.actual - np.maximum(forecast.prediction.median, 0.0))[fold.scored]
        assert forecast.absolute_errors == pytest.approx(expected)
