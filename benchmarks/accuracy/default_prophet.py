"""Prophet as it comes: its defaults and its own optimiser, public holidays, known regressors."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from prophet import Prophet

from services.training.demand.calendar import holidays_of
from services.training.demand.prediction import LEVELS, Floats, Prediction
from services.training.demand.series import Series


def default_prophet(series: Sequence[Series], seed: int) -> list[Prediction]:
    """Prophet's mean, and the quantiles of its own posterior predictive samples."""
    for name in ("cmdstanpy", "prophet", "prophet.models"):
        logging.getLogger(name).disabled = True
    # Prophet draws its samples from numpy's global generator.
    np.random.seed(seed)
    return [_forecast(one) for one in series]


def _forecast(series: Series) -> Prediction:
    past = series.history[series.history["quantity"].notna()]
    known = [name for name in series.regressors if _is_usable(series, past, name)]
    frame = pd.DataFrame({"ds": past.index, "y": past["quantity"].to_numpy()})
    future = pd.DataFrame({"ds": series.plan.index})
    model = Prophet(holidays=_holidays(series))
    for name in known:
        model.add_regressor(f"regressor_{name}")
        frame[f"regressor_{name}"] = past[name].to_numpy()
        future[f"regressor_{name}"] = series.plan[name].fillna(past[name].mean()).to_numpy()
    model.fit(frame)
    mean: Floats = model.predict(future)["yhat"].to_numpy(dtype=np.float64)
    samples = model.predictive_samples(future)["yhat"]
    return Prediction(mean, np.quantile(samples, LEVELS, axis=1).T)


def _is_usable(series: Series, past: pd.DataFrame, name: str) -> bool:
    planned = series.plan.loc[series.plan["open"], name]
    return bool(planned.notna().all() and past[name].notna().all() and past[name].nunique() > 1)


def _holidays(series: Series) -> pd.DataFrame | None:
    rows = [
        (pd.Timestamp(holiday.day), holiday.name, -holiday.before, holiday.after)
        for holiday in holidays_of(series)
    ]
    columns = ["ds", "holiday", "lower_window", "upper_window"]
    return pd.DataFrame(rows, columns=columns) if rows else None
