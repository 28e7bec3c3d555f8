"""Any quantile level a caller asks for, from the levels that are stored."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import Query

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


def parse_levels(text: str) -> dict[str, float]:
    """The levels by the names they were asked for; 422 outside what is stored."""
    names = [name.strip() for name in text.split(",")]
    if len(names) > MOST:
        raise invalid("quantiles", "too_many", f"{len(names)} levels; ask for {MOST} at most")
    return {name: _level(name) for name in names}


def interpolate(levels: Sequence[float], stored: Sequence[float]) -> list[float]:
    """The quantiles at `levels`, linear between the stored ones; monotone as they are."""
    return [float(value) for value in np.interp(levels, LEVELS, stored)]


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
