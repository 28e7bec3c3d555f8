"""MapProphet is Prophet: it fits by our solver and does everything else as ever."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from prophet import Prophet
from prophet.diagnostics import cross_validation
from prophet.serialize import model_from_json, model_to_json

from services.training.demand.prophet_map import MapFit, NotSupportedError
from services.training.demand.prophet_map.backend import (
    BackendName,
    MapBackend,
    MapOrStanBackend,
    MapProphet,
)

# Prophet 1.5 on pandas 3.1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
    pytest.mark.filterwarnings("ignore:The 'convert_dates' keyword"),
]


def sales(days: int = 740) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    ds = pd.date_range("2023-01-02", periods=days)
    rain, promotion = rng.gamma(1.0, 3.0, days), (rng.random(days) < 0.1).astype(float)
    level = 80 + 0.03 * np.arange(days) + 15 * np.sin(2 * np.pi * ds.day_of_year / 365.25)
    y = level * (1 + 0.2 * (ds.day_of_week == 5) + 0.3 * promotion) - rain + rng.normal(0, 5, days)
    return pd.DataFrame({"ds": ds, "y": y, "rain": rain, "promotion": promotion})


def assemble(model: Prophet) -> Prophet:
    """Additive and multiplicative terms and holidays together, each with a scale of its own."""
    model.add_regressor("rain", prior_scale=0.5, mode="additive")
    model.add_regressor("promotion", prior_scale=2.0, mode="multiplicative")
    model.add_seasonality("monthly", 30.5, 3, prior_scale=0.1, mode="additive")
    return model


def mixed(make: Callable[..., Prophet], **options: object) -> Prophet:
    days = pd.to_datetime(["2023-12-25", "2024-12-25", "2023-04-09", "2024-03-31"])
    holidays = pd.DataFrame(
        {
            "ds": days,
            "holiday": ["christmas", "christmas", "easter", "easter"],
            "lower_window": -1,
            "upper_window": 1,
            "prior_scale": 3.0,
        }
    )
    return assemble(
        make(
            seasonality_mode="multiplicative",
            holidays_mode="additive",
            holidays=holidays,
            uncertainty_samples=0,
            **options,
        )
    )


@pytest.fixture(scope="module")
def fitted() -> Prophet:
    return mixed(MapProphet, stan_backend="MAP").fit(sales())


def test_a_fit_with_everything_in_it_is_stans_or_better(fitted: Prophet) -> None:
    stock = mixed(Prophet).fit(sales())
    assert isinstance(fitted, Prophet)
    assert fitted.params["lp__"].item() >= stock.params["lp__"].item() - 1e-6
    ours, theirs = fitted.predict(sales()), stock.predict(sales())
    assert ours["yhat"].to_numpy() == pytest.approx(theirs["yhat"].to_numpy(), abs=1.0)
    assert set(ours.columns) == set(theirs.columns)


def test_the_fit_says_who_made_it(fitted: Prophet) -> None:
    assert isinstance(fitted.stan_backend, MapBackend)
    assert fitted.stan_backend.answered_by is BackendName.MAP
    assert isinstance(fitted.stan_fit, MapFit)
    assert fitted.stan_fit.negative_log_posterior == -fitted.params["lp__"].item()


def test_the_parameters_are_the_means_that_prophet_predicts(fitted: Prophet) -> None:
    features, *_ = fitted.make_all_seasonality_features(fitted.history)
    mean = fitted.stan_fit.mean(fitted.history["t"].to_numpy(), features.to_numpy())
    predicted = fitted.predict(sales())["yhat"].to_numpy()
    assert mean * fitted.y_scale == pytest.approx(predicted, rel=1e-9)


def test_it_survives_serialisation(fitted: Prophet) -> None:
    text = model_to_json(fitted)
    assert json.loads(text)["fit_kwargs"] == {}
    again = model_from_json(text)
    future = sales(760)
    assert again.predict(future)["yhat"].to_numpy() == pytest.approx(
        fitted.predict(future)["yhat"].to_numpy(), rel=1e-9
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_samples_intervals_and_plots() -> None:
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    model = MapProphet(uncertainty_samples=50).fit(sales())
    frame = model.predict(model.make_future_dataframe(28))
    assert (frame["yhat_lower"] < frame["yhat_upper"]).all()
    assert model.plot(frame).axes
    assert model.plot_components(frame).axes
    pyplot.close("all")


def test_cross_validation_keeps_the_backend() -> None:
    model = MapProphet(stan_backend="MAP", uncertainty_samples=0).fit(sales())
    found = cross_validation(
        model, initial="500 days", period="100 days", horizon="14 days", disable_tqdm=True
    )
    assert found["yhat"].notna().all()


def logistic() -> pd.DataFrame:
    return sales(200).assign(cap=200.0)


def test_what_it_does_not_solve_is_refused_by_name() -> None:
    with pytest.raises(NotSupportedError, match="logistic growth"):
        MapProphet(growth="logistic", stan_backend="MAP").fit(logistic())
    with pytest.raises(NotSupportedError, match="MCMC sampling"):
        MapProphet(mcmc_samples=20, stan_backend="MAP").fit(sales(200))
    with pytest.raises(NotSupportedError, match="fit option 'iter'"):
        MapProphet(stan_backend="MAP").fit(sales(200), iter=10)


def test_what_it_does_not_solve_goes_to_stan_on_request() -> None:
    model = MapProphet(growth="logistic", stan_backend="MAP_OR_STAN").fit(logistic())
    assert isinstance(model.stan_backend, MapOrStanBackend)
    assert model.stan_backend.answered_by is BackendName.STAN
    assert model.stan_fit is not None
    assert not isinstance(model.stan_fit, MapFit)
    stock = Prophet(growth="logistic").fit(logistic())
    assert model.params["k"] == pytest.approx(stock.params["k"], rel=1e-6)
    model.stan_backend.cleanup()


def test_prophets_own_backend_stays_selectable() -> None:
    model = MapProphet(stan_backend="CMDSTANPY").fit(sales(200))
    assert type(model.stan_backend) is type(Prophet().stan_backend)
    with pytest.raises(ValueError, match="NO_SUCH"):
        MapProphet(stan_backend="NO_SUCH")


@pytest.mark.parametrize("growth", ["linear", "flat"])
@pytest.mark.parametrize("changepoints", [0, 25])
def test_growth_without_changepoints_or_features(growth: str, changepoints: int) -> None:
    bare = {"growth": growth, "n_changepoints": changepoints, "weekly_seasonality": False}
    bare |= {"yearly_seasonality": False, "uncertainty_samples": 0}
    ours, stock = MapProphet(**bare).fit(sales()), Prophet(**bare).fit(sales())
    assert ours.params["lp__"].item() >= stock.params["lp__"].item() - 1e-6
    assert ours.predict(sales())["yhat"].to_numpy() == pytest.approx(
        stock.predict(sales())["yhat"].to_numpy(), abs=3.0
    )


def test_a_constant_history_is_prophets_own_answer() -> None:
    flat = sales(100).assign(y=7.0)
    found = MapProphet(uncertainty_samples=0).fit(flat).predict(flat)
    assert found["yhat"].to_numpy() == pytest.approx(np.full(100, 7.0))
