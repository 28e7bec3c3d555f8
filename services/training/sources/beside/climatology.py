"""What is usual of a day, from what came around the same day of earlier years."""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEAR: Final = 365
AROUND: Final = 7
YEARS: Final = 4
LONGEST_LEAD: Final = YEAR - AROUND - 1
"""So long before a day all that its usual weather is made of has been."""


def climatology(observed: Floats) -> Floats:
    """Of each day the mean of what was observed within a week of it in earlier years, to a tenth;
    NaN where nothing was. The arrays have a place a day."""
    days = len(observed)
    known = ~np.isnan(observed)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, observed, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    sums, counts = np.zeros(days), np.zeros(days)
    for year in range(1, YEARS + 1):
        middle = np.arange(days) - year * YEAR
        first, last = np.clip(middle - AROUND, 0, days), np.clip(middle + AROUND + 1, 0, days)
        sums += total[last] - total[first]
        counts += count[last] - count[first]
    with np.errstate(invalid="ignore"):
        return np.round(sums / np.where(counts > 0, counts, np.nan), 1)
