"""What is stored of a Prophet is a genuine one: Prophet itself reads, predicts and writes it."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from prophet.serialize import model_from_json, model_to_dict

from services.training.demand.features import prepare
from services.training.demand.model import FittedProphet, PosedDesign, UnfittedProphet
from services.training.demand.prediction import LEVELS
from services.training.demand.prophet_json import from_dict, to_dict
from services.training.demand.prophet_map.backend import MapProphet
from services.training.demand.prophet_stan import assemble, frame_of, future_of
from services.training.demand.series import Event, Series
from tests.demand.made_series import bakery_series, series_of

# Prophet 1.5 on pandas 3.1.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:prophet"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
    pytest.mark.filterwarnings("ignore:The 'convert_dates' keyword"),
]

BOTH = {"promo": (8.0, True), "rain": (3.0, False)}
FAIR = Event("fair", (date(2022, 3, 1), date(2023, 3, 1)), window_before=1, window_after=2)


def without_holidays() -> Series:
    return series_of([float(3 + day % 7 + day % 2) for day in range(12)])


CASES = {
    "everything, additive": (
        UnfittedProphet(past_only_regressors=True),
        lambda: bakery_series(days=420, regressors=BOTH, events=(FAIR,)),
    ),
    "multiplicative": (
        UnfittedProphet(seasonality_mode="multiplicative", changepoint_range=0.9, yearly_order=3),
        lambda: bakery_series(days=420, regressors=BOTH, events=(FAIR,)),
    ),
    "half a year": (UnfittedProphet(), lambda: bakery_series(days=180)),
    "few days": (UnfittedProphet(), lambda: bakery_series(days=24)),
    "a flag": (UnfittedProphet(), lambda: flagged(bakery_series(days=120, regressors=BOTH))),
    "no term at all": (UnfittedProphet(), without_holidays),
}


def flagged(series: Series) -> Series:
    for frame in (series.history, series.plan):
        frame["promo"] = (frame["promo"] > 0).astype(float)
    return series


def case(name: str) -> FittedProphet:
    unfitted, make = CASES[name]
    return unfitted.fit(PosedDesign(prepare(make())))


def genuine(fitted: FittedProphet) -> MapProphet:
    """Prophet's own preprocessing of the same model, fitted by the same solver."""
    model = assemble(MapProphet, fitted.unfitted, fitted.posed)
    model.fit(frame_of(fitted.posed.design)[["ds", "y", *model.extra_regressors]])
    return model


@pytest.mark.parametrize("name", CASES)
def test_prophet_predicts_the_same_from_it(name: str) -> None:
    fitted = case(name)
    read = model_from_json(json.dumps(to_dict(fitted)))
    frame = read.predict(future_of(fitted.posed.design))
    np.testing.assert_allclose(frame["yhat"], fitted.predict().mean, rtol=1e-7)
    np.testing.assert_allclose(frame["trend"], fitted.parts()["trend"], rtol=1e-7)
    if "weekly" in fitted.parts() and fitted.unfitted.seasonality_mode == "additive":
        np.testing.assert_allclose(frame["weekly"], fitted.parts()["weekly"], atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_prophet_would_have_written(name: str) -> None:
    fitted = case(name)
    ours, theirs = to_dict(fitted), model_to_dict(genuine(fitted))
    assert set(ours) == set(theirs)
    assert ours["component_modes"] == theirs["component_modes"]
    for key in sorted(set(ours) - {"params", "component_modes"}):
        check_alike(key, plain(ours[key]), plain(theirs[key]))
    assert {k: np.shape(v) for k, v in ours["params"].items()} == {  # type: ignore[attr-defined]
        k: np.shape(v) for k, v in theirs["params"].items()
    }
    assert ours["params"]["lp__"][0][0] == pytest.approx(  # type: ignore[index]
        theirs["params"]["lp__"][0][0], rel=1e-6
    )


def plain(value: object) -> object:
    """Frames are kept as JSON within the JSON."""
    return json.loads(value) if isinstance(value, str) and value[:1] == "{" else value


def check_alike(key: str, ours: object, theirs: object) -> None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert list(ours) == list(theirs), key
        for name in ours:
            check_alike(f"{key}.{name}", ours[name], theirs[name])
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), key
        for one, other in zip(ours, theirs, strict=True):
            check_alike(key, one, other)
    elif isinstance(ours, float) and isinstance(theirs, float | int):
        assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-9), key
    else:
        assert ours == theirs, key


@pytest.mark.parametrize("name", CASES)
def test_reading_it_gives_the_same_model_back(name: str) -> None:
    fitted = case(name)
    text = json.dumps(to_dict(fitted), allow_nan=False)
    posed = PosedDesign(fitted.posed.design)
    again = from_dict(json.loads(text), fitted.unfitted, posed)
    np.testing.assert_array_equal(again.predict().quantiles, fitted.predict().quantiles)
    assert json.dumps(to_dict(again)) == text


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_quantiles_are_those_of_prophets_own_sampling(mode: str) -> None:
    wandering = 100.0 + 3.0 * np.random.default_rng(7).normal(0, 1, 200).cumsum()
    design = prepare(series_of(wandering.tolist(), horizon=60))
    unfitted = UnfittedProphet(seasonality_mode=mode, changepoint_prior_scale=0.5)  # type: ignore[arg-type]
    fitted = unfitted.fit(PosedDesign(design))
    model = model_from_json(json.dumps(to_dict(fitted)))
    np.random.seed(1)
    model.uncertainty_samples = 4000
    drawn = model.predictive_samples(pd.DataFrame(future_of(design)))["yhat"]
    ours = fitted.predict().quantiles
    spread = drawn.std(axis=1)
    assert spread[-1] > 2.0 * spread[0]
    deviation = (ours[:, LEVELS.index(0.9)] - ours[:, LEVELS.index(0.1)]) / 2.563
    np.testing.assert_allclose(deviation, spread, rtol=0.1)
    # A trend of few large changes has heavier tails than a Gaussian of the same deviation.
    for level in (0.1, 0.5, 0.9):
        theirs = np.quantile(drawn, level, axis=1)
        assert np.abs(ours[:, LEVELS.index(level)] - theirs).max() < 0.35 * spread.max()
