"""Accuracy: plain functions over arrays, each with the source of its formula.

Days whose actual is unknown are left out by the caller. A ratio without a denominator (no demand
at all) is NaN: it says nothing, and must not pass for a good score.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.training.demand.prediction import Floats


def wape(actual: Floats, forecast: Floats) -> float:
    """Weighted absolute percentage error, sum|y - f| / sum|y| (Kolassa & Schuetz 2007)."""
    return _ratio(float(np.abs(actual - forecast).sum()), actual)


def bias(actual: Floats, forecast: Floats) -> float:
    """Relative bias, sum(f - y) / sum|y|; above zero when the forecast is too high."""
    return _ratio(float((forecast - actual).sum()), actual)


def pinball(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> Floats:
    """Quantile loss of Koenker & Bassett (1978), shape (days, levels), in units of sales."""
    tau = np.asarray(levels, dtype=np.float64)
    error = actual[:, None] - quantiles
    return np.maximum(tau * error, (tau - 1.0) * error)


def wql(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> float:
    """Weighted quantile loss: mean over levels of 2 sum pinball / sum|y| (Gasthaus et al. 2019)."""
    loss = pinball(actual, quantiles, levels)
    return _ratio(2.0 * float(loss.mean(axis=1).sum()), actual)


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Share of days with lower <= actual <= upper; NaN without days."""
    if not len(actual):
        return float("nan")
    return float(np.mean((lower <= actual) & (actual <= upper)))


def mase(actual: Floats, forecast: Floats, scale: float) -> float:
    """Mean absolute scaled error (Hyndman & Koehler 2006); `scale` from `naive_scale`."""
    if not len(actual) or not scale > 0:
        return float("nan")
    return float(np.abs(actual - forecast).mean() / scale)


def naive_scale(history: Floats, season: int = 7) -> float:
    """In-sample mean absolute error of the seasonal naive; NaN days on either side are left out."""
    if len(history) <= season:
        return float("nan")
    steps = np.abs(history[season:] - history[:-season])
    known = steps[~np.isnan(steps)]
    return float(known.mean()) if len(known) else float("nan")


def _ratio(numerator: float, actual: Floats) -> float:
    demand = float(np.abs(actual).sum())
    return numerator / demand if demand > 0 else float("nan")
