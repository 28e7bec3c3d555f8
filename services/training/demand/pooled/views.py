"""Two ways to put the same question to boosters: what will sell, or by what factor an expectation
will be missed.

From scratch, trees draw a season that they have seen once as a few steps; correcting Prophet's
outlook they begin with it, but inherit its whims. Their errors differ, so that the mean of both
errs less than either.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, assert_never

import numpy as np

from services.training.demand.pooled.boosters import Rows
from services.training.demand.prediction import Floats

_EXPECTED_BY: Final = ("outlook", "same_weekday_mean_8", "mean_28")
_LEAST_EXPECTED: Final = 0.05
_LARGEST_TARGET: Final = 25.0


class View(StrEnum):
    DIRECT = "direct"
    CORRECTING = "correcting"


def unit_of(view: View, columns: Mapping[str, Floats]) -> Floats:
    """What a view's answers are multiples of, in units of the series' level; above zero."""
    some = columns[_EXPECTED_BY[0]]
    match view:
        case View.DIRECT:
            return np.ones_like(some)
        case View.CORRECTING:
            return _expectation(columns)
        case _:
            assert_never(view)


def seen_by(view: View, rows: Rows) -> Rows:
    """Rows whose target counts the view's units; a miss weighs what it does in sales."""
    unit = unit_of(view, dict(zip(rows.names, rows.features.T, strict=True)))
    return Rows(
        features=rows.features,
        names=rows.names,
        target=np.minimum(rows.target / unit, _LARGEST_TARGET),
        weight=rows.weight * unit,
    )


def _expectation(columns: Mapping[str, Floats]) -> Floats:
    """Prophet's outlook; where history is too short for one, the mean of what there is."""
    expected = np.full_like(columns[_EXPECTED_BY[0]], np.nan)
    for name in _EXPECTED_BY:
        expected = np.where(np.isnan(expected), columns[name], expected)
    found: Floats = np.maximum(np.nan_to_num(expected, nan=1.0), _LEAST_EXPECTED)
    return found
