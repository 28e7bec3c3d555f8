"""The plain pooled LightGBM that a good data scientist writes in an afternoon.

One direct model a week of the horizon and level, over all products: lags from the first known
same weekday on, the lag of a year ago, the same-weekday mean, calendar and known regressors.
"""

import lightgbm
import numpy as np
import pandas as pd

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
WEEK = 7
YEAR = 364
KEYS = ("series", "date", "quantity")


def lightgbm_quantiles(
    sales: pd.DataFrame, plan: pd.DataFrame, levels: list[float]
) -> pd.DataFrame:
    """Quantiles for the plan; levels between and beyond the modelled ones are interpolated."""
    known = [name for name in plan if name not in KEYS and plan[name].notna().any()]
    together = pd.concat([sales, plan], ignore_index=True).sort_values(["series", "date"])
    scale = sales.groupby("series")["quantity"].mean().clip(lower=1e-6)
    together["level"] = together["series"].map(scale)
    together["scaled"] = together["quantity"] / together["level"]
    first = plan["date"].min()
    weeks = (plan["date"].max() - first).days // WEEK + 1
    answers = [_one_week(together, known, first, week, levels) for week in range(weeks)]
    return pd.concat(answers, ignore_index=True)


def _one_week(
    together: pd.DataFrame, known: list[str], first: pd.Timestamp, week: int, levels: list[float]
) -> pd.DataFrame:
    features = _features(together, known, WEEK * (week + 1))
    lead = (together["date"] - first).dt.days
    train = (lead < 0) & features["lag_0"].notna() & together["scaled"].notna()
    asked = (lead >= WEEK * week) & (lead < WEEK * (week + 1))
    data = lightgbm.Dataset(features[train], together.loc[train, "scaled"], free_raw_data=False)
    modelled = np.column_stack(
        [_train(data, level).predict(features[asked], num_threads=1) for level in LEVELS]
    )
    rows = together.loc[asked, ["series", "date"]].reset_index(drop=True)
    size = together.loc[asked, "level"].to_numpy()
    quantiles = [np.interp(levels, LEVELS, day) for day in np.sort(modelled, axis=1)]
    spread = np.stack(quantiles) * size[:, None]
    columns = {str(level): spread[:, position] for position, level in enumerate(levels)}
    return rows.assign(mean=columns["0.5"], **columns)


def _train(data: lightgbm.Dataset, level: float) -> lightgbm.Booster:
    parameters = {
        "objective": "quantile",
        "alpha": level,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "num_threads": 1,
        "deterministic": True,
        "seed": 2026,
        "verbosity": -1,
    }
    return lightgbm.train(parameters, data, num_boost_round=200)


def _features(together: pd.DataFrame, known: list[str], behind: int) -> pd.DataFrame:
    sales = together.groupby("series")["scaled"]
    lags = {f"lag_{back}": sales.shift(behind + WEEK * back) for back in range(4)}
    past = sales.shift(behind)
    rolled = {
        f"mean_{days}": past.groupby(together["series"]).transform(
            lambda own, days=days: own.rolling(days, min_periods=1).mean()
        )
        for days in (7, 28)
    }
    day = together["date"].dt
    return pd.DataFrame(
        {
            **lags,
            **rolled,
            "same_weekday_mean": pd.DataFrame(lags).mean(axis=1),
            "year_ago": sales.shift(YEAR),
            "weekday": day.dayofweek,
            "year_day": day.dayofyear,
            "series": together["series"].astype("category").cat.codes,
            **{f"known_{name}": together[name] for name in known},
        }
    )
