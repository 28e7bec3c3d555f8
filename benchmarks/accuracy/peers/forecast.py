"""Forecasts of one peer library's method, from files to a file; runs in the peers' environment.

    forecast.py METHOD FOLDER

FOLDER holds `sales.parquet` (series, date, quantity without gaps, filled where closed, then
regressors) and `plan.parquet` (series, date, regressors, NaN = not known); this writes
`quantiles.parquet` (series, date, mean, and one column a level, named by it).
"""

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from direct_lightgbm import lightgbm_quantiles
from statsforecast import StatsForecast
from statsforecast.models import (
    TSB,
    AutoCES,
    AutoETS,
    CrostonSBA,
    DynamicOptimizedTheta,
)

WEEK = 7
SHORT_HISTORY = 400
ERROR_DAYS = 112


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=sorted(METHODS))
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    sales = pd.read_parquet(asked.folder / "sales.parquet")
    plan = pd.read_parquet(asked.folder / "plan.parquet")
    levels = json.loads((asked.folder / "levels.json").read_text())
    METHODS[asked.method](sales, plan, levels).to_parquet(asked.folder / "quantiles.parquet")


def with_intervals(model: object, longest: int | None) -> Callable[..., pd.DataFrame]:
    """A model with intervals of its own, each series by itself."""

    def forecast(sales: pd.DataFrame, plan: pd.DataFrame, levels: list[float]) -> pd.DataFrame:
        asked = sorted({_share(level) for level in levels} - {0})
        made = _run(model, sales, plan, longest, level=asked)
        name = made.columns[2]
        columns = {str(level): made[_bound(name, level)] for level in levels}
        return _named(made, made[name], columns)

    return forecast


def with_own_errors(model: object) -> Callable[..., pd.DataFrame]:
    """A model without intervals: quantiles of the last errors of its fitted values."""

    def forecast(sales: pd.DataFrame, plan: pd.DataFrame, levels: list[float]) -> pd.DataFrame:
        engine = StatsForecast(models=[model], freq="D")
        made = engine.forecast(h=_horizon(plan), df=_long(sales), fitted=True)
        name = made.columns[2]
        fitted = engine.forecast_fitted_values()
        errors = (fitted["y"] - fitted[name]).groupby(fitted["unique_id"])
        offsets = {key: np.quantile(own.dropna().iloc[-ERROR_DAYS:], levels) for key, own in errors}
        shifts = np.stack([offsets[key] for key in made["unique_id"]])
        columns = {
            str(level): made[name] + shifts[:, position] for position, level in enumerate(levels)
        }
        return _named(made, made[name], columns)

    return forecast


def _run(
    model: object, sales: pd.DataFrame, plan: pd.DataFrame, longest: int | None, level: list[int]
) -> pd.DataFrame:
    frame = _long(sales)
    if longest is not None:
        frame = frame.groupby("unique_id").tail(longest)
    return StatsForecast(models=[model], freq="D").forecast(h=_horizon(plan), df=frame, level=level)


def _long(sales: pd.DataFrame) -> pd.DataFrame:
    names = {"series": "unique_id", "date": "ds", "quantity": "y"}
    return sales.rename(columns=names)[["unique_id", "ds", "y"]]


def _horizon(plan: pd.DataFrame) -> int:
    return int(plan.groupby("series").size().max())


def _bound(name: str, level: float) -> str:
    share = _share(level)
    return f"{name}-{'hi' if level > 0.5 else 'lo'}-{share}" if share else name


def _share(level: float) -> int:
    """Per cent that an interval with this quantile at one end covers."""
    return round(100 * abs(1 - 2 * level))


def _named(made: pd.DataFrame, mean: pd.Series, columns: dict[str, pd.Series]) -> pd.DataFrame:
    keys = made.rename(columns={"unique_id": "series", "ds": "date"})[["series", "date"]]
    return keys.assign(mean=mean, **columns)


METHODS: dict[str, Callable[[pd.DataFrame, pd.DataFrame, list[float]], pd.DataFrame]] = {
    "autoets": with_intervals(AutoETS(season_length=WEEK), None),
    "autoces": with_intervals(AutoCES(season_length=WEEK), SHORT_HISTORY),
    "dot": with_intervals(DynamicOptimizedTheta(season_length=WEEK), None),
    "crostonsba": with_own_errors(CrostonSBA()),
    "tsb": with_own_errors(TSB(alpha_d=0.1, alpha_p=0.1)),
    "lightgbm": lightgbm_quantiles,
}


if __name__ == "__main__":
    main()
