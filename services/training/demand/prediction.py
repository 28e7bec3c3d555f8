"""What every family answers: a mean and quantiles for each day of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

LEVELS: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
SCORED_LEVELS: Final = tuple(level for level in LEVELS if 0.1 <= level <= 0.9)
"""What a WQL is the mean over: the tails beyond are too rare to be judged by a contest."""

_MEDIAN: Final = LEVELS.index(0.5)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """`mean` has shape (days,), `quantiles` (days, len(LEVELS)), both in the unit of sales.

    `mean` is expected demand: it adds up over days and products, and has no bias. The median is
    the point with the smallest expected absolute error, and so what WAPE and MASE are taken of.
    """

    mean: Floats
    quantiles: Floats

    @property
    def median(self) -> Floats:
        return self.quantiles[:, _MEDIAN]

    def for_days(self, open_days: npt.NDArray[np.bool_]) -> Prediction:
        """Fit to be served: never negative, monotone over levels, zero on closed days."""
        quantiles = np.maximum.accumulate(np.maximum(self.quantiles, 0.0), axis=1)
        return Prediction(
            mean=np.where(open_days, np.maximum(self.mean, 0.0), 0.0),
            quantiles=np.where(open_days[:, None], quantiles, 0.0),
        )


def forecast_frame(prediction: Prediction, plan: pd.DataFrame) -> pd.DataFrame:
    """Index date; columns mean, open, then one column a level named by it as text ("0.1")."""
    served = prediction.for_days(plan["open"].to_numpy())
    frame = pd.DataFrame({"mean": served.mean, "open": plan["open"]}, index=plan.index)
    for position, level in enumerate(LEVELS):
        frame[str(level)] = served.quantiles[:, position]
    return frame
