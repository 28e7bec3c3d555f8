"""Prophet's MAP fit, exactly and quickly, without Stan.

`make_design` once per history (series and fold), then `solve` per set of priors; `scale_history`
gives Prophet's units. `backend` (imported on its own, because it imports Prophet) fits a genuine
`prophet.Prophet` with the same solver.
"""

from services.training.demand.prophet_map.design import Design, Growth, make_design
from services.training.demand.prophet_map.errors import (
    BadDesignError,
    MapError,
    NotConvergedError,
    NotSupportedError,
)
from services.training.demand.prophet_map.fit import MapFit
from services.training.demand.prophet_map.history import (
    ScaledHistory,
    Scaling,
    fourier,
    scale_history,
)
from services.training.demand.prophet_map.posterior import Priors, make_priors
from services.training.demand.prophet_map.solve import EXACT, ROUGH, solve

__all__ = [
    "EXACT",
    "ROUGH",
    "BadDesignError",
    "Design",
    "Growth",
    "MapError",
    "MapFit",
    "NotConvergedError",
    "NotSupportedError",
    "Priors",
    "ScaledHistory",
    "Scaling",
    "fourier",
    "make_design",
    "make_priors",
    "scale_history",
    "solve",
]
