"""A fitted Prophet is a genuine one: it predicts, explains, serialises and leaves no trace."""

from __future__ import annotations

import logging
import tempfile
from datetime import date
from pathlib import Path

import cmdstanpy
import numpy as np
import pytest

from services.training.demand.features import column_of, prepare
from services.training.demand.model import FittedProphet, UnfittedProphet
from services.training.demand.prediction import LEVELS
from services.training.demand.series import Event
from tests.demand.made_series import bakery_series, series_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:prophet")

BOTH = {"promo": (8.0, True), "rain": (3.0, False)}
FAIR = Event("fair", (date(2022, 3, 1), date(2023, 3, 1)), window_before=1)


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_parts_sum_to_the_mean_and_are_named(mode: str) -> None:
    design = prepare(bakery_series(days=420, regressors=BOTH, events=(FAIR,)))
    unfitted = UnfittedProphet(seasonality_mode=mode, past_only_regressors=True)  # type: ignore[arg-type]
    fitted = unfitted.fit(design)
    parts = fitted.parts(design)
    assert set(parts) == {"trend", "weekly", "yearly", "holidays", "promo", "rain"}
    total = np.sum(list(parts.values()), axis=0)
    np.testing.assert_allclose(total, fitted.predict(design).mean, rtol=1e-9)


def test_a_planned_regressor_moves_the_forecast_by_its_effect() -> None:
    series = bakery_series(days=420, regressors={"promo": (8.0, True)})
    fitted = UnfittedProphet().fit(prepare(series))
    effect = fitted.parts(prepare(series))["promo"]
    slope = np.polyfit(series.plan["promo"].to_numpy(), effect, 1)[0]
    assert slope == pytest.approx(8.0, abs=1.0)


def test_regressors_of_the_past_alone_are_left_out_unless_asked_for() -> None:
    design = prepare(bakery_series(days=200, regressors=BOTH))
    assert "rain" not in UnfittedProphet().fit(design).parts(design)


def test_json_gives_the_same_model_back() -> None:
    design = prepare(bakery_series(days=420, regressors=BOTH, events=(FAIR,)))
    fitted = UnfittedProphet(seasonality_mode="multiplicative").fit(design)
    text = fitted.to_json()
    again = FittedProphet.from_json(text)
    before, after = fitted.predict(design), again.predict(design)
    np.testing.assert_allclose(after.mean, before.mean, rtol=1e-8)
    np.testing.assert_allclose(after.quantiles, before.quantiles, rtol=1e-8)
    assert again.to_json() == text


def test_the_same_design_gives_the_same_bytes_and_draws_no_random_number() -> None:
    design = prepare(bakery_series(days=200))
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr,index]
    first, again = UnfittedProphet().fit(design), UnfittedProphet().fit(design)
    first.predict(design)
    assert first.to_json() == again.to_json()
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
def test_quantiles_are_those_of_prophets_own_sampling(mode: str) -> None:
    wandering = 100.0 + 3.0 * np.random.default_rng(7).normal(0, 1, 200).cumsum()
    design = prepare(series_of(wandering.tolist(), horizon=60))
    unfitted = UnfittedProphet(seasonality_mode=mode, changepoint_prior_scale=0.5)  # type: ignore[arg-type]
    fitted = unfitted.fit(design)
    np.random.seed(1)
    fitted.prophet.uncertainty_samples = 4000
    frame = design.future.rename_axis("ds").reset_index()
    drawn = fitted.prophet.predictive_samples(frame)["yhat"]
    fitted.prophet.uncertainty_samples = 0
    ours = fitted.predict(design).quantiles
    spread = drawn.std(axis=1)
    assert spread[-1] > 2.0 * spread[0]
    deviation = (ours[:, LEVELS.index(0.9)] - ours[:, LEVELS.index(0.1)]) / 2.563
    np.testing.assert_allclose(deviation, spread, rtol=0.1)
    # A trend of few large changes has heavier tails than a Gaussian of the same deviation.
    for level in (0.1, 0.5, 0.9):
        theirs = np.quantile(drawn, level, axis=1)
        assert np.abs(ours[:, LEVELS.index(level)] - theirs).max() < 0.35 * spread.max()


def test_the_yearly_term_is_there_from_one_year_on() -> None:
    short, long = prepare(bakery_series(days=364)), prepare(bakery_series(days=365))
    assert "yearly" not in UnfittedProphet().fit(short).parts(short)
    assert "yearly" in UnfittedProphet().fit(long).parts(long)


def test_a_year_seen_once_helps_in_the_next() -> None:
    series = bakery_series(days=460, horizon=28, noise=2.0)
    design = prepare(series)
    truth = 1.0 + 0.15 * np.sin(2 * np.pi * series.plan.index.day_of_year.to_numpy() / 365.25)
    yearly = UnfittedProphet().fit(design).parts(design)["yearly"]
    assert np.corrcoef(yearly, truth)[0, 1] > 0.8


def test_names_that_prophet_reserves_are_only_names() -> None:
    names = dict.fromkeys(("trend", "weekly", "y", "ds", "a_delim_b"), (1.0, True))
    design = prepare(bakery_series(days=200, regressors=names))
    fitted = UnfittedProphet().fit(design)
    parts = fitted.parts(design)
    own = {"trend", "weekly", "holidays"}
    assert set(parts) == own | {column_of("trend"), column_of("weekly"), "y", "ds", "a_delim_b"}
    total = np.sum(list(parts.values()), axis=0)
    np.testing.assert_allclose(total, fitted.predict(design).mean)


def test_fitting_leaves_no_file_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    design = prepare(bakery_series(days=60))
    with caplog.at_level(logging.INFO):
        UnfittedProphet().fit(design).predict(design)
    assert list(tmp_path.iterdir()) == []
    assert list(Path(cmdstanpy._TMPDIR).iterdir()) == []
    assert not [record for record in caplog.records if record.name.startswith("cmdstanpy")]
