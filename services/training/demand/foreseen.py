"""What was foreseen of a day, by how many days before: weather as forecast then, not as it came.

A table has a row a day and a column a lead, the first of one day: what was known of the row's day
so many days before it, at the end of that day. NaN: nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Tables = Mapping[str, Floats]


def settled(issued: Floats) -> Floats:
    """The table of forecasts as they were issued: until a newer one, the one before is what is
    known."""
    known = issued + 0.0  # adding zero turns -0.0 into 0.0: equal content must have equal bytes
    for lead in range(known.shape[1] - 2, -1, -1):
        known[:, lead] = np.where(np.isnan(known[:, lead]), known[:, lead + 1], known[:, lead])
    return known


def as_known(table: Floats, rows: Rows, leads: Rows) -> Floats:
    """Of each row's day what was known that many days before it; NaN beyond the table."""
    days, longest = table.shape
    inside = (rows >= 0) & (rows < days) & (leads >= 1) & (leads <= longest)
    found = table[np.where(inside, rows, 0), np.where(inside, leads - 1, 0)]
    return np.where(inside, found, np.nan)


def ahead_of(table: Floats, origin: int, days: int) -> Floats:
    """Of the `days` rows after row `origin` what was known on the day of `origin`."""
    leads = np.arange(1, days + 1, dtype=np.intp)
    return as_known(table, origin + leads, leads)


def known_at(table: Floats, origin: int, days: int) -> Floats:
    """The table as it stood on the day of row `origin`, with the `days` rows after it."""
    cut = table[: origin + 1 + days].copy()
    for lead in range(1, min(days, table.shape[1] + 1)):
        cut[origin + 1 + lead :, lead - 1] = np.nan
    return cut
