"""Series made from a seed, for tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from services.training.demand.series import Event, Series


def bakery_series(
    days: int = 200,
    horizon: int = 28,
    seed: int = 1,
    level: float = 60.0,
    noise: float = 5.0,
    closed_weekday: int | None = 6,
    regressors: dict[str, tuple[float, bool]] | None = None,
    events: tuple[Event, ...] = (),
    start: str = "2022-01-03",
) -> Series:
    """Weekly rhythm, a slow year, Gaussian noise, a weekday closed.

    `regressors`: name -> (effect a unit, whether its plan is known)."""
    random = np.random.default_rng(seed)
    index = pd.date_range(start, periods=days + horizon, name="date")
    weekday = index.day_of_week.to_numpy()
    rhythm = np.array([0.8, 0.9, 1.0, 1.0, 1.2, 1.4, 0.7])[weekday]
    year = 1.0 + 0.15 * np.sin(2 * np.pi * index.day_of_year.to_numpy() / 365.25)
    demand = level * rhythm * year + random.normal(0.0, noise, len(index))
    columns: dict[str, np.ndarray] = {}
    for name, (effect, _) in (regressors or {}).items():
        columns[name] = random.normal(0.0, 1.0, len(index))
        demand = demand + effect * columns[name]
    is_open = weekday != closed_weekday if closed_weekday is not None else np.full(len(index), True)
    frame = pd.DataFrame(
        {
            "quantity": np.where(is_open, np.maximum(demand, 0.0), np.nan),
            "open": is_open,
            "stockout": False,
            **columns,
        },
        index=index,
    )
    plan = frame.iloc[days:].drop(columns=["quantity", "stockout"]).copy()
    for name, (_, known) in (regressors or {}).items():
        if not known:
            plan[name] = np.nan
    return Series("roll", "main", "DE", "SH", frame.iloc[:days], plan, events)


def series_of(quantities: list[float], start: str = "2023-01-02", horizon: int = 28) -> Series:
    """An ever open series of exactly these sales; NaN is unknown."""
    index = pd.date_range(start, periods=len(quantities), name="date")
    history = pd.DataFrame(
        {"quantity": np.array(quantities, dtype=float), "open": True, "stockout": False},
        index=index,
    )
    days = pd.date_range(index[-1] + pd.Timedelta(days=1), periods=horizon, name="date")
    return Series("roll", "main", "DE", None, history, pd.DataFrame({"open": True}, index=days))
