"""Days as whole numbers since 1970-01-01, and what others call them."""

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]

EPOCH: Final = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """The day as a number."""
    return day.toordinal() - EPOCH


def day_of(number: int) -> date:
    """The day with this number."""
    return date.fromordinal(number + EPOCH)


def timestamps(days: Ints) -> pd.DatetimeIndex:
    """The days as pandas has them."""
    return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
