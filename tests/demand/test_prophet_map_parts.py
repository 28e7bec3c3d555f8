"""The pieces of the MAP solver against brute force, and Prophet's units against Prophet."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prophet import Prophet

from services.training.demand.prophet_map import BadDesignError
from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.history import Scaling, fourier, scale_history
from services.training.demand.prophet_map.lasso import minimise_lasso
from services.training.demand.prophet_map.posterior import best_variance, noise_terms

# Prophet 1.5 on pandas 3.1.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


def lasso_value(matrix: FloatArray, linear: FloatArray, weight: float, x: FloatArray) -> float:
    return float(0.5 * x @ matrix @ x - linear @ x + weight * np.abs(x).sum())


def lowest_of_all_signs(matrix: FloatArray, linear: FloatArray, weight: float) -> float:
    lowest = 0.0
    for signs in product((-1.0, 0.0, 1.0), repeat=linear.size):
        active, sign = np.flatnonzero(signs), np.array(signs)
        x = np.zeros(linear.size)
        x[active] = np.linalg.solve(
            matrix[np.ix_(active, active)], (linear - weight * sign)[active]
        )
        if (x[active] * sign[active] >= 0).all():
            lowest = min(lowest, lasso_value(matrix, linear, weight, x))
    return lowest


@given(
    seed=st.integers(0, 10_000),
    size=st.integers(1, 5),
    weight=st.floats(0.0, 3.0),
    ridge=st.sampled_from([1e-6, 1e-2, 1.0]),
)
def test_the_lasso_is_the_lowest_of_all_sign_patterns(
    seed: int, size: int, weight: float, ridge: float
) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    matrix, linear = root @ root.T + ridge * np.eye(size), rng.normal(0, 2, size)
    start = rng.choice([0.0, 1.0, -1.0], size)
    found = lasso_value(matrix, linear, weight, minimise_lasso(matrix, linear, weight, start))
    assert found == pytest.approx(lowest_of_all_signs(matrix, linear, weight), rel=1e-6, abs=1e-9)


@given(squares=st.floats(1e-6, 1e6), rows=st.integers(2, 5000))
def test_no_other_noise_scale_is_better(squares: float, rows: int) -> None:
    best = best_variance(squares, rows)
    value = noise_terms(squares, best, rows)
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert noise_terms(squares, factor * best, rows) > value


@pytest.mark.parametrize("scaling", list(Scaling))
@pytest.mark.parametrize(("days", "count", "within"), [(730, 25, 0.8), (21, 25, 0.9), (4, 5, 0.5)])
def test_units_and_features_are_prophets(
    days: int, count: int, within: float, scaling: Scaling
) -> None:
    rng = np.random.default_rng(days)
    ds = pd.date_range("2023-01-05", periods=days + 9)[
        np.r_[0 : days // 2, days // 2 + 9 : days + 9]
    ]
    frame = pd.DataFrame({"ds": ds, "y": rng.gamma(5.0, 4.0, days)})
    model = Prophet(n_changepoints=count, changepoint_range=within, scaling=scaling.value)
    theirs = model.preprocess(frame)
    ours = scale_history(ds.to_numpy(), frame["y"].to_numpy(), count, within, scaling)
    assert ours.t == pytest.approx(np.asarray(theirs.t), abs=1e-15)
    assert ours.y == pytest.approx(np.asarray(theirs.y), abs=1e-15)
    assert ours.changepoints == pytest.approx(theirs.t_change, abs=1e-15)
    assert ours.values(ours.y) == pytest.approx(frame["y"].to_numpy())
    assert ours.time(ds.to_numpy()[-1:] + np.timedelta64(28, "D"))[0] > 1.0
    waves = Prophet.fourier_series(frame["ds"], 365.25, 10)
    assert fourier(ds.to_numpy(), 365.25, 10) == pytest.approx(waves, abs=1e-12)


def test_a_history_out_of_order_or_with_unknown_values_is_refused() -> None:
    days = pd.date_range("2024-01-01", periods=3).to_numpy()
    with pytest.raises(BadDesignError, match="unknown values"):
        scale_history(days, np.array([1.0, np.nan, 2.0]))
    with pytest.raises(BadDesignError, match="not strictly increasing"):
        scale_history(days[::-1], np.ones(3))
    with pytest.raises(BadDesignError, match="needs 2 or more"):
        scale_history(days[:1], np.ones(1))
