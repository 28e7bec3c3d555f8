"""Which series a data set is judged on: eligible at the first origin, a sample over volumes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmarks.accuracy.protocol import (
    FEWEST_DAYS_WITH_SALES,
    LONGEST_TRAINING,
    MOST_SERIES,
    RECENT_DAYS,
    SEED,
    SHORTEST_HISTORY,
    STRATA,
)


def chosen_series(series: Mapping[str, pd.DataFrame], origin: pd.Timestamp) -> list[str]:
    """The names of at most `MOST_SERIES` eligible series, as many of each volume stratum."""
    volumes = {
        name: float(days.loc[:origin, "quantity"].iloc[-LONGEST_TRAINING:].mean())
        for name, days in series.items()
        if is_eligible(days.loc[:origin, "quantity"])
    }
    names = sorted(volumes, key=lambda name: (volumes[name], name))
    if len(names) <= MOST_SERIES:
        return sorted(names)
    random = np.random.default_rng(SEED)
    strata = np.array_split(np.array(names), STRATA)
    drawn = [random.choice(stratum, MOST_SERIES // STRATA, replace=False) for stratum in strata]
    return sorted(str(name) for name in np.concatenate(drawn))


def is_eligible(quantity: pd.Series) -> bool:
    """Enough history, enough days with sales, and something sold lately."""
    recent = quantity.iloc[-LONGEST_TRAINING:]
    return (
        len(recent) >= SHORTEST_HISTORY
        and int((recent > 0).sum()) >= FEWEST_DAYS_WITH_SALES
        and is_active(recent)
    )


def is_active(quantity: pd.Series) -> bool:
    """Whether anything sold in the last days."""
    return bool(quantity.iloc[-RECENT_DAYS:].sum() > 0)
