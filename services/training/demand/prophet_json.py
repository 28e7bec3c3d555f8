"""A fitted Prophet in Prophet's own serialisation, written and read without importing Prophet.

`prophet.serialize.model_from_json` makes a genuine `prophet.Prophet` of it, which predicts and
plots. The format is that of `prophet.serialize.model_to_dict`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.calendar import Holiday
from services.training.demand.model import FittedProphet, Mode, PosedDesign, UnfittedProphet
from services.training.demand.prophet_map import Growth, MapFit
from services.training.demand.prophet_map.history import changepoint_rows
from services.training.demand.prophet_terms import WEEKLY_ORDER, YEAR, Kind, Term

_CHANGEPOINTS: Final = 25
_MODES: Final[tuple[Mode, Mode]] = ("additive", "multiplicative")


def to_dict(fitted: FittedProphet) -> dict[str, object]:
    """What `json.dumps` turns into the text that `prophet.serialize.model_to_json` writes."""
    return {
        **_settings(fitted),
        **_past(fitted),
        "component_modes": _component_modes(fitted),
        "train_component_cols": _table(_component_columns(fitted)),
        "seasonalities": _seasonalities(fitted),
        "extra_regressors": _regressors(fitted),
        "fit_kwargs": {},
        "params": _parameters(fitted),
        "__prophet_version": _prophet_version(),
    }


def from_dict(
    content: dict[str, object], unfitted: UnfittedProphet, posed: PosedDesign
) -> FittedProphet:
    """The fitted model that `to_dict` wrote, of the same parameters and design."""
    params = content["params"]
    assert isinstance(params, dict)
    held = _held_columns(unfitted, posed)
    beta = np.zeros(posed.terms.past.shape[1])
    if held.size:
        beta[held] = params["beta"][0]
    history = posed.history(unfitted.changepoint_range)
    fit = MapFit(
        growth=Growth.LINEAR,
        changepoints=history.changepoints,
        multiplicative=np.full(beta.size, unfitted.seasonality_mode == "multiplicative"),
        k=float(params["k"][0][0]),
        m=float(params["m"][0][0]),
        delta=np.array(params["delta"], dtype=np.float64).reshape(-1),
        beta=beta,
        sigma=float(params["sigma_obs"][0][0]),
        negative_log_posterior=-float(params["lp__"][0][0]),
        iterations=0,
    )
    return FittedProphet(unfitted, posed, history, fit)


def _settings(fitted: FittedProphet) -> dict[str, object]:
    unfitted, rows = fitted.unfitted, len(fitted.posed.design.days)
    return {
        "growth": "linear",
        "n_changepoints": len(changepoint_rows(rows, _CHANGEPOINTS, unfitted.changepoint_range)),
        "specified_changepoints": False,
        "changepoint_range": unfitted.changepoint_range,
        "yearly_seasonality": False,
        "weekly_seasonality": WEEKLY_ORDER if _has(fitted, Kind.WEEKLY) else False,
        "daily_seasonality": False,
        "seasonality_mode": unfitted.seasonality_mode,
        "seasonality_prior_scale": unfitted.seasonality_prior_scale,
        "changepoint_prior_scale": unfitted.changepoint_prior_scale,
        "holidays_prior_scale": unfitted.holidays_prior_scale,
        "mcmc_samples": 0,
        "interval_width": 0.8,
        "uncertainty_samples": 0,
        "y_scale": fitted.history.y_scale,
        "y_min": 0.0,
        "scaling": "absmax",
        "logistic_floor": False,
        "country_holidays": None,
        "holidays_mode": unfitted.seasonality_mode,
    }


def _past(fitted: FittedProphet) -> dict[str, object]:
    history, design = fitted.history, fitted.posed.design
    days = pd.Series(design.days.astype("datetime64[us]"), name="ds")
    rows = changepoint_rows(len(days), _CHANGEPOINTS, fitted.unfitted.changepoint_range)
    return {
        "changepoints": _column(days.iloc[rows]),
        "history_dates": _column(days),
        "train_holiday_names": _column(pd.Series(_holiday_names(fitted)))
        if design.holidays
        else None,
        "start": float(design.days[0].astype(np.int64)) * 86400.0,
        "t_scale": float((design.days[-1] - design.days[0]).astype(np.int64)) * 86400.0,
        "holidays": _table(holidays_frame(design.holidays)) if design.holidays else None,
        "history": _table(_history_frame(fitted, days)),
        "changepoints_t": history.changepoints.tolist(),
    }


def _history_frame(fitted: FittedProphet, days: pd.Series) -> pd.DataFrame:
    columns = {
        term.name: fitted.posed.terms.past[:, term.columns.start]
        for term in _held_terms(fitted)
        if term.kind in (Kind.PLANNED, Kind.PAST_ONLY)
    }
    return pd.DataFrame(
        {"ds": days, "y": fitted.posed.design.demand, **columns, "floor": 0.0}
        | {"t": fitted.history.t, "y_scaled": fitted.history.y}
    )


def holidays_frame(holidays: tuple[Holiday, ...]) -> pd.DataFrame:
    """Holidays as Prophet takes them."""
    rows = [(pd.Timestamp(h.day), h.name, -h.before, h.after) for h in holidays]
    return pd.DataFrame(rows, columns=["ds", "holiday", "lower_window", "upper_window"])


def _component_modes(fitted: FittedProphet) -> dict[str, list[str]]:
    modes: dict[str, list[str]] = {mode: [] for mode in _MODES}
    chosen = modes[fitted.unfitted.seasonality_mode]
    for term in _held_terms(fitted):
        chosen.extend(_holiday_names(fitted) if term.kind is Kind.HOLIDAYS else [term.name])
    for mode in _MODES:
        modes[mode].extend([f"{mode}_terms", f"extra_regressors_{mode}"])
    return {**modes, fitted.unfitted.seasonality_mode: [*chosen, "holidays"]}


def _component_columns(fitted: FittedProphet) -> pd.DataFrame:
    """Which column belongs to which component, 0 or 1, components in order of name."""
    mode, members = fitted.unfitted.seasonality_mode, dict[str, list[int]]()
    labels = _held_labels(fitted)
    regressors = set(fitted.posed.terms.standards)
    names = set(_holiday_names(fitted))
    for row, label in enumerate(labels):
        component = label.split("_delim_")[0]
        own = [component, f"{mode}_terms"]
        own += ["holidays"] if component in names else []
        own += [f"extra_regressors_{mode}"] if component in regressors else []
        for group in own:
            members.setdefault(group, []).append(row)
    absent = [name for name in (f"{known}_terms" for known in _MODES) if name not in members]
    groups = [*sorted(members), *absent]
    flags = np.zeros((max(len(labels), 1), len(groups)), dtype=np.int64)
    for column, group in enumerate(groups):
        flags[members.get(group, []), column] = 1
    return pd.DataFrame(flags, columns=groups)


def _seasonalities(fitted: FittedProphet) -> list[object]:
    unfitted = fitted.unfitted
    known = {
        Kind.YEARLY: (YEAR, unfitted.yearly_order, unfitted.yearly_prior_scale),
        Kind.WEEKLY: (7, WEEKLY_ORDER, unfitted.seasonality_prior_scale),
    }
    found = {
        term.name: {
            "period": known[term.kind][0],
            "fourier_order": known[term.kind][1],
            "prior_scale": known[term.kind][2],
            "mode": unfitted.seasonality_mode,
            "condition_name": None,
        }
        for term in _held_terms(fitted)
        if term.kind in known
    }
    return [list(found), found]


def _regressors(fitted: FittedProphet) -> list[object]:
    found = {
        term.name: {
            "prior_scale": fitted.unfitted.holidays_prior_scale,
            "standardize": "auto",
            "mu": fitted.posed.terms.standards[term.name].mean,
            "std": fitted.posed.terms.standards[term.name].deviation,
            "mode": fitted.unfitted.seasonality_mode,
            "predictor_spec": None,
            "predictor": None,
        }
        for term in _held_terms(fitted)
        if term.kind in (Kind.PLANNED, Kind.PAST_ONLY)
    }
    return [list(found), found]


def _parameters(fitted: FittedProphet) -> dict[str, list[list[float]]]:
    fit, held = fitted.fit, _held_columns(fitted.unfitted, fitted.posed)
    return {
        "lp__": [[-fit.negative_log_posterior]],
        "k": [[fit.k]],
        "m": [[fit.m]],
        "delta": [fit.delta.tolist()],
        "sigma_obs": [[fit.sigma]],
        "beta": [fit.beta[held].tolist() if held.size else [0.0]],
    }


def _held_terms(fitted: FittedProphet) -> list[Term]:
    """The terms that the model has columns of."""
    terms = fitted.posed.terms.terms
    columns = ((term, fitted.unfitted.columns_of(term)) for term in terms)
    return [term for term, held in columns if held.start < held.stop]


def _held_columns(unfitted: UnfittedProphet, posed: PosedDesign) -> np.ndarray:
    columns = [unfitted.columns_of(term) for term in posed.terms.terms]
    everything = np.arange(posed.terms.past.shape[1])
    return np.concatenate([everything[:0], *(everything[held] for held in columns)])


def _held_labels(fitted: FittedProphet) -> list[str]:
    labels = fitted.posed.terms.labels
    return [labels[column] for column in _held_columns(fitted.unfitted, fitted.posed)]


def _holiday_names(fitted: FittedProphet) -> list[str]:
    return list(dict.fromkeys(holiday.name for holiday in fitted.posed.design.holidays))


def _has(fitted: FittedProphet, kind: Kind) -> bool:
    return any(term.kind is kind for term in fitted.posed.terms.terms)


def _column(values: pd.Series) -> str:
    return str(values.to_json(orient="split", date_format="iso"))


def _table(frame: pd.DataFrame) -> str:
    return str(frame.to_json(orient="table", index=False))


@lru_cache(maxsize=1)
def _prophet_version() -> str:
    return version("prophet")
