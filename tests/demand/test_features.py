"""Regressors: known for the plan, or of the past alone; nothing else is made up."""

from __future__ import annotations

import numpy as np
import pytest

from services.training.demand.features import column_of, planned_regressors, prepare
from tests.demand.made_series import bakery_series

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
    assert (design.planned, design.past_only) == (("promo",), ("rain",))
    np.testing.assert_array_equal(
        design.future[column_of("promo")], series.plan["promo"].to_numpy()
    )
    for day, value in design.future[column_of("rain")].items():
        past = series.history["rain"]
        same = past[past.index.day_of_week == day.day_of_week]
        assert value == pytest.approx(same.mean())


def test_gaps_of_the_past_are_closed_the_same_way() -> None:
    series = bakery_series(regressors=BOTH)
    gap = series.history.index[7]
    series.history.loc[gap, "rain"] = np.nan
    same = series.history["rain"][series.history.index.day_of_week == gap.day_of_week]
    assert prepare(series).past.loc[gap, column_of("rain")] == pytest.approx(same.mean())


def test_regressors_without_information_are_dropped_by_name() -> None:
    series = bakery_series(regressors=BOTH | {"flag": (0.0, True), "empty": (0.0, False)})
    series.history["flag"] = 1.0
    series.history["empty"] = np.nan
    design = prepare(series)
    assert design.dropped == ("empty", "flag")
    assert column_of("flag") not in design.past


def test_a_design_holds_open_known_days_and_no_gap() -> None:
    series = bakery_series(regressors=BOTH)
    series.history.loc[series.history.index[3], "quantity"] = np.nan
    design = prepare(series)
    known = series.history["quantity"].notna()
    assert design.past.index.equals(series.history.index[known])
    assert design.past["y"].tolist() == series.history["quantity"][known].tolist()
    assert not design.past.isna().any(axis=None)
    assert not design.future.isna().any(axis=None)


def test_demand_is_what_is_modelled_where_it_sold_out() -> None:
    series = bakery_series()
    day = series.history.index[100]
    series.history.loc[day, "stockout"] = True
    series.history.loc[day, "quantity"] *= 0.5
    assert prepare(series).past.loc[day, "y"] > 1.3 * series.history.loc[day, "quantity"]
