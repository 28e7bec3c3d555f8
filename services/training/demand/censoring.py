"""Sold-out days: what was sold is the least that was wanted, so sales there understate demand.

Dropping those days would bias a forecast low, since the days that sell out are the busy ones. Each
is lifted instead to its expected demand given that demand was at least what was sold: the E-step
of Tobin's censored regression (Tobin 1958; Dempster, Laird & Rubin 1977), on sales relative to
the level of their month, one Gaussian a weekday. A weekday that always sold out says nothing about
what was missed and keeps its sales.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand.prediction import Floats
from services.training.demand.series import weekdays

_LEVEL_DAYS: Final = 29
_ITERATIONS: Final = 20
_FEWEST_UNCENSORED: Final = 4
_LARGEST_LIFT: Final = 3.0


def expected_demand(history: pd.DataFrame) -> Floats:
    """Demand a day: sales, lifted on sold-out days; NaN where closed or unknown; never below."""
    quantity = history["quantity"].to_numpy(dtype=np.float64)
    demand = np.where(history["open"].to_numpy(), quantity, np.nan)
    sold_out = history["stockout"].to_numpy() & ~np.isnan(demand)
    if not sold_out.any():
        return demand
    month = pd.Series(demand).rolling(_LEVEL_DAYS, center=True, min_periods=1)
    level = month.mean().to_numpy()
    weekday = weekdays(history.index)
    usable = ~np.isnan(demand) & (level > 0)
    for day in range(7):
        chosen = usable & (weekday == day)
        sold = demand[chosen]
        lifted = _lift(sold / level[chosen], sold_out[chosen]) * level[chosen]
        demand[chosen] = np.where(sold_out[chosen], np.maximum(lifted, sold), sold)
    return demand


def _lift(sales: Floats, censored: npt.NDArray[np.bool_]) -> Floats:
    if not censored.any() or (~censored).sum() < _FEWEST_UNCENSORED:
        return sales
    lifted = sales.copy()
    for _ in range(_ITERATIONS):
        mean, deviation = float(lifted.mean()), float(lifted.std())
        if not deviation > 0:
            return lifted
        lifted[censored] = _mean_above(sales[censored], mean, deviation)
    return lifted


def _mean_above(sold: Floats, mean: float, deviation: float) -> Floats:
    """E[demand | demand >= sold] of a Gaussian: mean + deviation * inverse Mills ratio."""
    normal = NormalDist()
    distance = (sold - mean) / deviation
    ratio = np.array([normal.pdf(z) / max(1.0 - normal.cdf(z), 1e-12) for z in distance])
    # Far in the tail the ratio approaches the distance itself; cap what a single day may claim.
    expected = np.maximum(mean + deviation * ratio, sold)
    return np.minimum(expected, _LARGEST_LIFT * np.maximum(sold, mean))
