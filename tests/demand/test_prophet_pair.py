"""Prophet in both modes: their mean, its parts, and two genuine models to store."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prophet.serialize import model_from_json

from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.prophet_pair import FLOOR, fit_pair, pair_from_dict
from services.training.demand.series import Series
from tests.demand.made_series import bakery_series, series_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:prophet")


def posed(series: Series) -> PosedDesign:
    return PosedDesign(prepare(series))


def falling() -> Series:
    """Sales that fall below zero within the plan if nobody stops them."""
    return series_of([float(max(60 - day, 0)) + day % 3 for day in range(60)], horizon=40)


@pytest.mark.parametrize("make", [lambda: bakery_series(days=300), falling])
def test_the_pair_is_the_mean_of_both_modes_and_its_parts_sum_to_it(make: object) -> None:
    assert callable(make)
    pair = fit_pair(UnfittedProphet(), posed(make()))
    prediction = pair.predict()
    each = [np.maximum(fitted.predict().mean, 0.0) for fitted in pair.both]
    np.testing.assert_allclose(prediction.mean, np.mean(each, axis=0))
    assert not np.array_equal(*each)
    together = np.sum(list(pair.parts().values()), axis=0)
    np.testing.assert_allclose(together, prediction.mean, atol=1e-9)
    assert (prediction.quantiles >= 0.0).all()


def test_what_falls_below_zero_is_held_up_by_a_part_of_its_own() -> None:
    parts = fit_pair(UnfittedProphet(), posed(falling())).parts()
    assert (parts[FLOOR] >= 0.0).all()
    assert parts[FLOOR][-1] > 0.0
    assert FLOOR not in fit_pair(UnfittedProphet(), posed(bakery_series())).parts()


def test_both_modes_survive_json_as_genuine_prophets() -> None:
    series = bakery_series(days=200, regressors={"promo": (8.0, True)})
    pair = fit_pair(UnfittedProphet(), posed(series))
    content = json.loads(json.dumps(pair.to_dict(), allow_nan=False))
    again = pair_from_dict(content, UnfittedProphet(), posed(series))
    np.testing.assert_array_equal(again.predict().quantiles, pair.predict().quantiles)
    for mode, fitted in zip(("additive", "multiplicative"), pair.both, strict=True):
        genuine = model_from_json(json.dumps(content[mode]))
        assert genuine.seasonality_mode == mode
        assert genuine.params["k"][0][0] == pytest.approx(fitted.fit.k)
