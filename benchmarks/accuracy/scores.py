"""A method's scores on one data set, by the protocol's formulas, with standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.accuracy.protocol import SCORED_LEVELS, Case
from services.training.demand.metrics import pinball
from services.training.demand.prediction import LEVELS, Prediction

_SCORED = [LEVELS.index(level) for level in SCORED_LEVELS]
_LOWER, _UPPER = LEVELS.index(0.1), LEVELS.index(0.9)


@dataclass(frozen=True, slots=True)
class Scores:
    """Over every scored day of every series and origin of one data set.

    `wql_error` and `wape_error` are standard errors over series, by the delta method of a ratio.
    `coverage80` by demand class: [days, days inside the band]; `width80` relative to demand.
    """

    wape: float
    wql: float
    mase: float
    bias: float
    coverage80: float
    width80: float
    wape_error: float
    wql_error: float
    inside_by_class: dict[str, tuple[int, int]]


def score(cases: Sequence[Case], predictions: Sequence[Prediction]) -> Scores:
    """The scores of predictions, one a case, after the clipping that is the same for all."""
    days = pd.concat(scored_days(case, made) for case, made in zip(cases, predictions, strict=True))
    demand = float(days["actual"].sum())
    by_series = days.groupby("series").agg({"actual": "sum", "miss": "sum", "loss": "sum"})
    scaled = days[np.isfinite(days["scaled"])].groupby("series")["scaled"].mean()
    by_class = days.groupby("class")["inside"].agg(["size", "sum"])
    return Scores(
        wape=float(days["miss"].sum()) / demand,
        wql=float(days["loss"].sum()) / demand,
        mase=float(scaled.mean()),
        bias=float(days["drift"].sum()) / demand,
        coverage80=float(days["inside"].mean()),
        width80=float(days["width"].mean() / days["actual"].mean()),
        wape_error=_ratio_error(by_series["miss"], by_series["actual"]),
        wql_error=_ratio_error(by_series["loss"], by_series["actual"]),
        inside_by_class={
            str(name): (int(row["size"]), int(row["sum"])) for name, row in by_class.iterrows()
        },
    )


def scored_days(case: Case, prediction: Prediction) -> pd.DataFrame:
    """A row a scored day: `series`, `class`, `actual`, `miss` (of the mean), `drift`, quantile
    `loss`, `scaled` (MASE), `inside` the 80 % band and its `width`."""
    served = prediction.for_days(case.series.plan["open"].to_numpy())
    kept = case.scored
    actual, mean, quantiles = case.actual[kept], served.mean[kept], served.quantiles[kept]
    quantiles = np.sort(quantiles, axis=1)
    lower, upper = quantiles[:, _LOWER], quantiles[:, _UPPER]
    loss = 2.0 * pinball(actual, quantiles[:, _SCORED], SCORED_LEVELS).mean(axis=1)
    miss = np.abs(actual - mean)
    scale = case.naive_error if case.naive_error > 0 else np.nan
    return pd.DataFrame(
        {
            "series": case.name,
            "class": case.demand_class.value,
            "actual": actual,
            "miss": miss,
            "drift": mean - actual,
            "loss": loss,
            "scaled": miss / scale,
            "inside": (lower <= actual) & (actual <= upper),
            "width": upper - lower,
        }
    )


def _ratio_error(losses: pd.Series, demand: pd.Series) -> float:
    """Standard error of sum(losses) / sum(demand), series taken as independent (Cochran 1977)."""
    count = len(losses)
    if count < 2:
        return float("nan")
    ratio = losses.sum() / demand.sum()
    residual = losses - ratio * demand
    return float(np.sqrt(count / (count - 1) * (residual**2).sum()) / demand.sum())
