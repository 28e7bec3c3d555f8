"""A sold-out day is not low demand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from services.training.demand.censoring import expected_demand
from tests.demand.made_series import bakery_series


def weekday_rank(history: pd.DataFrame) -> pd.Series:
    return history["quantity"].groupby(history.index.day_of_week).rank(pct=True)


def test_without_sold_out_days_demand_is_sales() -> None:
    history = bakery_series().history
    np.testing.assert_array_equal(expected_demand(history), history["quantity"].to_numpy())


def test_only_sold_out_days_are_lifted_and_none_is_lowered() -> None:
    history = bakery_series(days=300).history
    history["stockout"] = (weekday_rank(history) > 0.8).to_numpy()
    demand, sales = expected_demand(history), history["quantity"].to_numpy()
    sold_out = history["stockout"].to_numpy()
    np.testing.assert_array_equal(demand[~sold_out], sales[~sold_out])
    assert (demand[sold_out] >= sales[sold_out]).all()
    assert (demand[sold_out] > sales[sold_out]).mean() > 0.9


def test_lifting_recovers_most_of_what_selling_out_hid() -> None:
    true = bakery_series(days=600, level=100.0, noise=20.0, closed_weekday=None).history
    capacity = true["quantity"].groupby(true.index.day_of_week).transform("mean") * 1.1
    cut = true.copy()
    cut["stockout"] = (true["quantity"] > capacity).to_numpy()
    cut["quantity"] = np.minimum(true["quantity"], capacity)
    hidden = true["quantity"].mean() - cut["quantity"].mean()
    missing = true["quantity"].mean() - expected_demand(cut).mean()
    dropped = true["quantity"].mean() - cut["quantity"][~cut["stockout"]].mean()
    assert hidden > 3.0
    assert abs(missing) < 0.5 * hidden
    assert dropped > hidden


def test_a_weekday_that_always_sold_out_keeps_its_sales() -> None:
    history = bakery_series().history
    fridays = history.index.day_of_week == 4
    history["stockout"] = fridays
    np.testing.assert_array_equal(
        expected_demand(history)[fridays], history["quantity"].to_numpy()[fridays]
    )


def test_closed_and_unknown_days_stay_unknown() -> None:
    history = bakery_series().history
    history.loc[history.index[5], "quantity"] = np.nan
    history["stockout"] = True
    unknown = history["quantity"].isna().to_numpy()
    np.testing.assert_array_equal(np.isnan(expected_demand(history)), unknown)
