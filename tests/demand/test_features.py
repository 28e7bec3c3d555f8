"""Regressors: known for the plan, or of the past alone; nothing else is made up."""

from __future__ import annotations

import numpy as np
import pytest

from services.training.demand.features import Design, Regressor, planned_regressors, prepare
from tests.demand.made_series import bakery_series


def regressor(design: Design, name: str) -> Regressor:
    return next(item for item in design.regressors if item.name == name)


BOTH = {"promo": (5.0, True), "rain": (3.0, False)}


def test_a_regressor_is_planned_when_every_open_day_of_the_plan_knows_it() -> None:
    series = bakery_series(regressors=BOTH)
    assert planned_regressors(series) == {"promo"}
    series.plan.loc[~series.plan["open"], "promo"] = np.nan
    assert planned_regressors(series) == {"promo"}
    series.plan.loc[series.plan.index[series.plan["open"]][3], "promo"] = np.nan
    assert planned_regressors(series) == set()


def test_known_values_pass_and_unknown_ones_are_the_mean_of_their_weekday() -> None:
    series = bakery_series(regressors=BOTH)
    design = prepare(series)
    promo, rain = regressor(design, "promo"), regressor(design, "rain")
    assert (promo.planned, rain.planned) == (True, False)
    np.testing.assert_array_equal(promo.ahead, series.plan["promo"].to_numpy())
    past = series.history["rain"]
    for day, value in zip(series.plan.index, rain.ahead, strict=True):
        assert value == pytest.approx(past[past.index.day_of_week == day.day_of_week].mean())


def test_a_weekday_never_observed_takes_the_mean_of_all_days() -> None:
    series = bakery_series(regressors=BOTH)
    mondays = series.history.index.day_of_week == 0
    series.history.loc[mondays, "rain"] = np.nan
    expected = series.history["rain"].mean()
    ahead = regressor(prepare(series), "rain").ahead[series.plan.index.day_of_week == 0]
    assert ahead == pytest.approx(np.full(4, expected))


def test_gaps_of_the_past_are_closed_the_same_way() -> None:
    series = bakery_series(regressors=BOTH)
    gap = series.history.index[7]
    series.history.loc[gap, "rain"] = np.nan
    same = series.history["rain"][series.history.index.day_of_week == gap.day_of_week]
    design = prepare(series)
    assert regressor(design, "rain").past[design.days == gap] == pytest.approx([same.mean()])


def test_regressors_without_information_are_dropped_by_name() -> None:
    series = bakery_series(regressors=BOTH | {"flag": (0.0, True), "empty": (0.0, False)})
    series.history["flag"] = 1.0
    series.history["empty"] = np.nan
    design = prepare(series)
    assert design.dropped == ("empty", "flag")
    assert {item.name for item in design.regressors} == {"promo", "rain"}


def test_a_design_holds_open_known_days_and_no_gap() -> None:
    series = bakery_series(regressors=BOTH)
    series.history.loc[series.history.index[3], "quantity"] = np.nan
    design = prepare(series)
    known = series.history["quantity"].notna()
    np.testing.assert_array_equal(design.days, series.history.index[known].to_numpy())
    np.testing.assert_array_equal(design.ahead, series.plan.index.to_numpy())
    assert design.demand.tolist() == series.history["quantity"][known].tolist()
    for item in design.regressors:
        assert (len(item.past), len(item.ahead)) == (len(design.days), len(design.ahead))
        assert np.isfinite([*item.past, *item.ahead]).all()


def test_demand_is_what_is_modelled_where_it_sold_out() -> None:
    series = bakery_series()
    day = series.history.index[100]
    series.history.loc[day, "stockout"] = True
    series.history.loc[day, "quantity"] *= 0.5
    design = prepare(series)
    assert design.demand[design.days == day].item() > 1.3 * series.history.loc[day, "quantity"]
