"""A tenant with several products, made from seeds, for tests of what learns across them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from services.training.demand.config import TrainingConfig
from services.training.demand.series import Series
from tests.demand.made_series import bakery_series

LEADS = 5
QUICK = TrainingConfig(horizon_days=7, max_trials=1, search_folds=1, contest_folds=4)
"""Contest folds end to end on the last 28 days, a pool 14 days before them, one amidst them."""


def shop(products: int = 5, days: int = 190, noise: float = 5.0) -> list[Series]:
    """Five rolls; every ninth day sold out, so that demand is a guess that later days inform. Warm
    days sell more, and are foreseen the worse the longer before."""
    return [_roll(number, days, noise) for number in range(products)]


def perturbed_after(series: Sequence[Series], day: pd.Timestamp) -> list[Series]:
    """The same series, had everything unknowable after the day come differently."""
    random = np.random.default_rng(8)
    return [_perturbed(one, day, random) for one in series]


def _roll(number: int, days: int, noise: float) -> Series:
    regressors = {"promotion": (8.0, True), "temperature": (3.0, False)}
    level = 30.0 * (number + 1)
    made = bakery_series(days, 7, number, level=level, noise=noise, regressors=regressors)
    made.history.loc[made.history.index[number::9], "stockout"] = True
    return _warmed(replace(made, product=f"roll {number}"), number)


def _warmed(made: Series, seed: int) -> Series:
    random = np.random.default_rng(seed)
    history, plan = made.history.copy(), made.plan.copy()
    warmth = random.normal(20.0, 5.0, len(history) + len(plan))
    history["warmth"], plan["warmth"] = warmth[: len(history)], np.nan
    history["quantity"] = np.maximum(history["quantity"] + 2.0 * (history["warmth"] - 20.0), 0.0)
    errors = random.normal(size=(len(warmth), LEADS)) * np.arange(1, LEADS + 1)
    foreseen = warmth[:, None] + errors
    foreseen[random.random(foreseen.shape) < 0.1] = np.nan
    return replace(made, history=history, plan=plan, foreseen={"warmth": foreseen})


def _perturbed(series: Series, day: pd.Timestamp, random: np.random.Generator) -> Series:
    history = series.history.copy()
    later = history.index > day
    for column in ("quantity", "temperature", "warmth"):
        history.loc[later, column] = random.uniform(0.0, 900.0, later.sum())
    history.loc[later, "stockout"] = random.random(later.sum()) < 0.5
    days = pd.date_range(history.index[0], periods=len(history) + len(series.plan))
    issued = days.to_numpy()[:, None] - np.arange(1, LEADS + 1) * np.timedelta64(1, "D")
    table = series.foreseen["warmth"]
    other = np.where(issued > np.datetime64(day), random.uniform(0.0, 900.0, table.shape), table)
    return replace(series, history=history, foreseen={"warmth": other})
