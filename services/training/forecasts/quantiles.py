"""Any quantile level a caller asks for, from the levels that are stored."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import Depends, Query

from services.training.demand.prediction import LEVELS
from shared.errors import invalid

DEFAULT = "0.1,0.5,0.9"
MOST = 25

Quantiles = Annotated[
    str,
    Query(
        max_length=300,
        description=f"levels between {LEVELS[0]} and {LEVELS[-1]}, separated by commas",
    ),
]
Whole = Annotated[bool, Query(description="quantiles in whole units; the mean stays as it is")]


@dataclass(frozen=True, slots=True)
class AskedQuantiles:
    """`levels` by the names they were asked for; `whole`: in whole units, because nobody bakes 3.4
    rolls. Demand that is counted has the rounded quantiles of its continuous likeness."""

    levels: Mapping[str, float]
    whole: bool = False

    def of(self, stored: Sequence[float]) -> dict[str, float]:
        """From the quantiles at `LEVELS`, linear in between; monotone as they are."""
        found = np.interp(list(self.levels.values()), LEVELS, stored)
        values = [math.floor(value + 0.5) if self.whole else float(value) for value in found]
        return dict(zip(self.levels, values, strict=True))


def asked_quantiles(quantiles: Quantiles = DEFAULT, whole: Whole = False) -> AskedQuantiles:
    """As the query asks for them; 422 for levels outside what is stored."""
    names = [name.strip() for name in quantiles.split(",")]
    if len(names) > MOST:
        raise invalid("quantiles", "too_many", f"{len(names)} levels; ask for {MOST} at most")
    return AskedQuantiles({name: _level(name) for name in names}, whole)


Asked = Annotated[AskedQuantiles, Depends(asked_quantiles)]


def _level(name: str) -> float:
    try:
        level = float(name)
    except ValueError:
        raise invalid("quantiles", "not_a_number", f"{name[:20]!r} is not a number") from None
    if not LEVELS[0] <= level <= LEVELS[-1]:
        raise invalid(
            "quantiles",
            "out_of_range",
            f"level {name[:20]} is not between {LEVELS[0]} and {LEVELS[-1]}",
        )
    return level
