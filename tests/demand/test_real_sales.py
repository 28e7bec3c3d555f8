"""Real sales: every series is trained or refused with a reason, and a forecast is always there."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.real_data import DataSetAbsent, TenantData, read_tenant
from services.training.demand.assembly import Place, build_series
from services.training.demand.baseline import forecast_baseline
from services.training.demand.findings import Severity, Subject
from services.training.demand.outcome import Stage
from services.training.demand.prediction import forecast_frame
from services.training.demand.quality import Limits, inspect
from services.training.demand.series import Event, Series
from services.training.demand.train import Refused, Trained, TrainingConfig, train

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:prophet")

QUICK = TrainingConfig(max_trials=1)


def tenant(name: str) -> TenantData:
    try:
        return read_tenant(name)
    except DataSetAbsent as absent:
        pytest.skip(f"no real data: {absent}")


def rows_of(data: TenantData, product: str) -> pd.DataFrame:
    location = data.sales["location"].iloc[0]
    chosen = (data.sales["product"] == product) & (data.sales["location"] == location)
    rows = data.sales[chosen].drop(columns=["product", "location"])
    if len(data.regressors):
        regressors = data.regressors.drop(columns="location", errors="ignore")
        rows = rows.merge(regressors, on="date", how="outer")
    return rows


def trading_days(data: TenantData) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(data.sales["date"][data.sales["quantity"].notna()].unique())


def series_from(data: TenantData, product: str, through: str | None = None) -> Series:
    rows = rows_of(data, product)
    end = pd.Timestamp(through) if through else rows["date"][rows["quantity"].notna()].max()
    unknown = [name for name in rows.columns if name not in {"date", *data.known_in_advance}]
    rows.loc[rows["date"] > end, unknown] = np.nan
    rows = rows[rows["date"] > end - pd.Timedelta(days=1095)]
    events = tuple(
        Event(str(name), tuple(day.date() for day in group["date"]))
        for name, group in data.events.groupby("name")
    )
    place = Place(product, "main", data.country, data.subdivision)
    return build_series(place, rows, trading_days(data), 28, end.date(), events)


def test_prophet_beats_the_baseline_on_bread_from_kiel() -> None:
    series = series_from(tenant("kiel_bakery"), "bread", through="2018-06-30")
    assert "cruise_ships" in series.regressors
    result = train(series, QUICK)
    assert isinstance(result, Trained)
    assert result.skill > 0.1
    assert result.stage in (Stage.MATURE, Stage.VALIDATION)
    assert 0.65 < (result.interval_coverage or 0.0) < 0.95
    assert {"holidays", "yearly", "weekly", "cruise_ships"} <= set(result.effects["magnitude"])
    json.dumps(result.bundle, allow_nan=False)


def test_every_french_article_is_forecast_by_the_baseline_and_named_by_quality() -> None:
    data = tenant("french_bakery")
    products = sorted(data.sales["product"].unique())
    assert len(products) == 148
    today = data.sales["date"].max().date()
    refused = 0
    for product in products:
        series = series_from(data, product)
        assert Series.from_bytes(series.to_bytes()).to_bytes() == series.to_bytes()
        frame = forecast_frame(forecast_baseline(series), series.plan)
        assert np.isfinite(frame["mean"]).all()
        subject = Subject(product, "main")
        found = inspect(subject, rows_of(data, product), trading_days(data), today, Limits())
        refused += any(finding.severity is Severity.REFUSAL for finding in found)
    assert 10 < refused < 100


@pytest.mark.parametrize("product", ["ECLAIR", "12 MACARON", "CROISSANT", "BRIOCHETTE"])
def test_french_articles_are_trained_or_refused_with_a_reason(product: str) -> None:
    series = series_from(tenant("french_bakery"), product)
    result = train(series, QUICK)
    if isinstance(result, Refused):
        assert result.message
    else:
        assert (result.forecast.drop(columns="open").to_numpy() >= 0).all()
        assert result.scores.wql is None or np.isfinite(result.scores.wql)
