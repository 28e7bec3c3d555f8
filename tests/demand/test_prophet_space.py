"""The search is offered what can change a forecast of the series at hand, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from services.training.demand.features import prepare
from services.training.demand.model import UnfittedProphet
from services.training.demand.prophet_space import from_params, from_point, space_for, to_point
from services.training.demand.search import Range
from services.training.demand.series import Series
from tests.demand.made_series import bakery_series, series_of


def names_for(series: Series) -> set[str]:
    return set(space_for(prepare(series)))


def test_parameters_without_effect_are_not_searched() -> None:
    trend_and_week = {"changepoint_prior_scale", "seasonality_prior_scale", "seasonality_mode"}
    holidays = {"holidays_prior_scale"}
    assert names_for(bakery_series(days=200)) == trend_and_week | holidays
    assert names_for(bakery_series(days=400)) - names_for(bakery_series(days=200)) == {
        "yearly_prior_scale"
    }
    rain = bakery_series(days=200, regressors={"rain": (3.0, False)})
    assert names_for(rain) - names_for(bakery_series(days=200)) == {"past_only_regressors"}


def test_factors_are_for_demand_on_most_days() -> None:
    sales = np.random.default_rng(1).poisson(0.3, 300).astype(float)
    assert "seasonality_mode" not in names_for(series_of(sales.tolist()))
    assert "seasonality_mode" in names_for(series_of((sales + 2.0).tolist()))


def test_the_default_lies_within_the_space_and_survives_the_way_there_and_back() -> None:
    space = space_for(prepare(bakery_series(days=400, regressors={"rain": (3.0, False)})))
    point = to_point(UnfittedProphet(), space)
    assert from_point(point) == UnfittedProphet()
    for name, item in space.items():
        if isinstance(item, Range):
            assert item.low <= float(point[name]) <= item.high
            assert all(item.low <= value <= item.high for value in item.grid)
        else:
            assert point[name] in item.options


def test_parameters_that_prophet_has_not_are_named() -> None:
    with pytest.raises(ValueError, match="'patience'"):
        from_params({"patience": 3})
