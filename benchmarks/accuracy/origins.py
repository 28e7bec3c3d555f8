"""A data set cut at its origins: what a method is handed, and what judges it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.panel import events_at, places, whole_series
from benchmarks.accuracy.protocol import (
    HORIZON,
    LONGEST_TRAINING,
    ORIGINS,
    STRIDE,
    Case,
    DataSet,
)
from benchmarks.accuracy.sampling import chosen_series, is_active
from benchmarks.real_data import DATA, TenantData, read_tenant
from services.training.demand.classification import demand_class
from services.training.demand.metrics import naive_scale
from services.training.demand.series import Series


def read_data_set(name: str, data: Path = DATA, days_earlier: int = 0) -> DataSet:
    """The data set of this name by the protocol, all origins so many days earlier; raises what
    `read_tenant` raises."""
    tenant = read_tenant(name, data)
    return cut_at_origins(tenant, tenant.sales["date"].max() - pd.Timedelta(days=days_earlier))


def cut_at_origins(tenant: TenantData, last: pd.Timestamp) -> DataSet:
    """The chosen series at each origin, the last of which is `HORIZON` days before `last`."""
    series = whole_series(tenant)
    first = last - pd.Timedelta(days=HORIZON + STRIDE * (ORIGINS - 1))
    names = chosen_series(series, first)
    chosen = {name: series[name] for name in names}
    cuts = [first + pd.Timedelta(days=STRIDE * number) for number in range(ORIGINS)]
    origins = tuple(tuple(_cases(tenant, chosen, first, cut)) for cut in cuts)
    return DataSet(tenant.name, len(names), origins)


def _cases(
    tenant: TenantData, chosen: dict[str, pd.DataFrame], first: pd.Timestamp, cut: pd.Timestamp
) -> Iterator[Case]:
    regions = places(tenant)
    for name, days in chosen.items():
        history = days.loc[:cut].iloc[-LONGEST_TRAINING:]
        if not is_active(history["quantity"]):
            continue
        location, product = name.split("|", 1)
        country, subdivision = regions[location]
        future = days.loc[cut + pd.Timedelta(days=1) :].iloc[:HORIZON]
        before = days.loc[:first, "quantity"].iloc[-LONGEST_TRAINING:].to_numpy()
        yield Case(
            name=name,
            series=Series(
                product=product,
                location=location,
                country=country,
                subdivision=subdivision,
                history=history,
                plan=_known(future, tenant.known_in_advance),
                events=events_at(tenant, location),
            ),
            actual=future["quantity"].to_numpy(),
            scored=future["quantity"].notna().to_numpy(),
            naive_error=naive_scale(before),
            demand_class=demand_class(before[~np.isnan(before)]),
        )


def _known(future: pd.DataFrame, known_in_advance: frozenset[str]) -> pd.DataFrame:
    """The plan of the forecast's days: no sales, and only regressors known before them."""
    plan = future.drop(columns=["quantity", "stockout"])
    hidden = [name for name in plan if name != "open" and name not in known_in_advance]
    plan[hidden] = np.nan
    return plan
