"""What a model with covariates sees: demand, regressors without gaps, the calendar.

Everything here is computed from one `Series`, which holds nothing after its cut-off, so a fold
cannot see its own future. A regressor that is not known on a day to come takes its climatology:
its mean on that weekday over what was known at the cut-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.calendar import holidays_frame
from services.training.demand.censoring import expected_demand
from services.training.demand.prediction import Floats
from services.training.demand.series import Series, weekdays

_REGRESSOR_PREFIX: Final = "regressor: "


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """`past`: the open days with known demand, column y and the regressors; `future`: every day
    of the plan, the same regressors. Neither holds a NaN. `holidays` as Prophet takes it.

    `planned` regressors are known for the plan, `past_only` ones take their climatology there,
    `dropped` ones carry no information and are in neither frame."""

    past: pd.DataFrame
    future: pd.DataFrame
    planned: tuple[str, ...]
    past_only: tuple[str, ...]
    holidays: pd.DataFrame
    dropped: tuple[str, ...]


def planned_regressors(series: Series) -> frozenset[str]:
    """The regressors whose values are known for every open day of the plan."""
    planned = series.plan.loc[series.plan["open"], list(series.regressors)]
    return frozenset(str(name) for name in planned.columns[planned.notna().all()])


def prepare(series: Series) -> Design:
    """The design of one series as known at its `data_through`."""
    demand = pd.Series(expected_demand(series.history), index=series.history.index)
    seen = demand.notna()
    kept = tuple(name for name in series.regressors if _informative(series.history[name][seen]))
    known = planned_regressors(series)
    past = pd.DataFrame({"y": demand[seen]})
    future = pd.DataFrame(index=series.plan.index)
    for name in kept:
        observed = series.history[name]
        past[column_of(name)] = filled(observed[seen], observed)
        future[column_of(name)] = filled(series.plan[name], observed)
    return Design(
        past=past,
        future=future,
        planned=tuple(name for name in kept if name in known),
        past_only=tuple(name for name in kept if name not in known),
        holidays=holidays_frame(series),
        dropped=tuple(name for name in series.regressors if name not in kept),
    )


def column_of(regressor: str) -> str:
    """Its column in a design: a prefix keeps a tenant's names apart from the model's own."""
    return _REGRESSOR_PREFIX + regressor.replace("_delim_", "_")


def filled(values: pd.Series, observed: pd.Series) -> Floats:
    """`values` with its gaps closed by the climatology of what was `observed` so far."""
    numbers = values.to_numpy(dtype=np.float64)
    expected = _weekday_climatology(observed)[weekdays(values.index)]
    return np.where(np.isnan(numbers), expected, numbers)


def _informative(values: pd.Series) -> bool:
    return bool(values.nunique(dropna=True) > 1)


def _weekday_climatology(observed: pd.Series) -> Floats:
    overall = float(observed.mean())
    means = observed.groupby(weekdays(observed.index)).mean()
    return means.reindex(range(7)).fillna(overall).to_numpy(dtype=np.float64)
