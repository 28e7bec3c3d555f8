"""The same model by Prophet's own optimiser: slow, and the oracle of `prophet_map`.

Prophet is imported here alone, and only when asked for: it brings Matplotlib and a second.
"""

from __future__ import annotations

import logging
import tempfile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from services.training.demand.features import Design
from services.training.demand.model import FittedProphet, PosedDesign, UnfittedProphet
from services.training.demand.prophet_json import from_dict, holidays_frame
from services.training.demand.prophet_terms import (
    WEEKLY_ORDER,
    YEAR,
    Kind,
    column_of,
)

if TYPE_CHECKING:
    from prophet import Prophet


def fit_with_stan(unfitted: UnfittedProphet, posed: PosedDesign) -> FittedProphet:
    """What `UnfittedProphet.fit` answers, but by Prophet and its Stan program."""
    model = assemble(prophet_class(), unfitted, posed)
    with tempfile.TemporaryDirectory(prefix="morrow-prophet-") as folder:
        model.fit(frame_of(posed.design), output_dir=folder)
    params = {name: np.asarray(values).tolist() for name, values in model.params.items()}
    # Prophet's answer for a constant history comes without a posterior.
    content: dict[str, object] = {"params": {"lp__": [[0.0]], **params}}
    return from_dict(content, unfitted, posed)


def assemble(make: type[Prophet], unfitted: UnfittedProphet, posed: PosedDesign) -> Prophet:
    """An unfitted Prophet of the same terms and priors."""
    kinds = {term.kind for term in posed.terms.terms}
    model = make(
        yearly_seasonality=False,
        weekly_seasonality=WEEKLY_ORDER if Kind.WEEKLY in kinds else False,
        daily_seasonality=False,
        holidays=holidays_frame(posed.design.holidays) if posed.design.holidays else None,
        seasonality_mode=unfitted.seasonality_mode,
        seasonality_prior_scale=unfitted.seasonality_prior_scale,
        holidays_prior_scale=unfitted.holidays_prior_scale,
        changepoint_prior_scale=unfitted.changepoint_prior_scale,
        changepoint_range=unfitted.changepoint_range,
        uncertainty_samples=0,
    )
    if Kind.YEARLY in kinds:
        order, scale = unfitted.yearly_order, unfitted.yearly_prior_scale
        model.add_seasonality("yearly", YEAR, order, prior_scale=scale)
    for term in posed.terms.terms:
        regresses = term.kind in (Kind.PLANNED, Kind.PAST_ONLY)
        columns = unfitted.columns_of(term)
        if regresses and columns.start < columns.stop:
            model.add_regressor(term.name)
    return model


def frame_of(design: Design) -> pd.DataFrame:
    """The past days as Prophet takes them: ds, y and the regressors."""
    regressors = {column_of(item.name): item.past for item in design.regressors}
    days = design.days.astype("datetime64[us]")
    return pd.DataFrame({"ds": days, "y": design.demand, **regressors})


def future_of(design: Design) -> pd.DataFrame:
    """The days ahead as Prophet takes them: ds and the regressors."""
    regressors = {column_of(item.name): item.ahead for item in design.regressors}
    return pd.DataFrame({"ds": design.ahead.astype("datetime64[us]"), **regressors})


def prophet_class() -> type[Prophet]:
    """Prophet, imported without the remarks of the libraries it brings."""
    logging.getLogger("prophet.plot").disabled = True
    from prophet import Prophet

    # cmdstanpy sets its logger up when imported, and would undo a level set before.
    logging.getLogger("cmdstanpy").disabled = True
    return Prophet
