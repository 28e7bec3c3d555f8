"""The additive parts of a forecast's mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.training.demand.entry import Fitted
from services.training.demand.prediction import Floats
from services.training.demand.prophet_pair import FLOOR


def effects_of(fitted: Fitted, open_days: npt.NDArray[np.bool_]) -> dict[str, dict[str, object]]:
    """ "parts": units a plan day for each part, which sum to the served mean; "magnitude": the
    mean absolute size of each over the open days. Closed days are zero in every part."""
    parts = {name: np.where(open_days, values, 0.0) for name, values in fitted.parts().items()}
    total = np.sum(list(parts.values()), axis=0)
    if (total < 0.0).any():
        parts[FLOOR] = parts.get(FLOOR, 0.0) + np.maximum(-total, 0.0)
    return {
        "parts": {name: values.tolist() for name, values in parts.items()},
        "magnitude": {name: _magnitude(values[open_days]) for name, values in parts.items()},
    }


def _magnitude(values: Floats) -> float:
    return float(np.abs(values).mean()) if len(values) else 0.0
