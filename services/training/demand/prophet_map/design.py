"""Everything about a series' history that a fit needs and that no prior scale changes."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.training.demand.prophet_map.errors import BadDesignError

FloatArray = NDArray[np.float64]


class Growth(StrEnum):
    LINEAR = "linear"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A scaled history with the products of its columns; compute it once per series and fold.

    `basis` has n rows and the columns [t, 1, features (K), ramps (S)], where ramp j is
    max(t - changepoints[j], 0), so that Prophet's linear trend is `k t + m + ramps @ delta`.
    `gram` is basis' basis.
    """

    growth: Growth
    t: FloatArray
    y: FloatArray
    features: FloatArray
    changepoints: FloatArray
    basis: FloatArray
    gram: FloatArray

    @property
    def ramps_at(self) -> int:
        """Where the ramps begin among the columns of `basis`."""
        return 2 + int(self.features.shape[1])


def make_design(
    t: ArrayLike,
    y: ArrayLike,
    features: ArrayLike,
    changepoints: ArrayLike = (),
    growth: Growth = Growth.LINEAR,
) -> Design:
    """Pose the problem for one history, in Prophet's scaled units (see `history.scale_history`).

    t, y: shape (n,), n >= 2; features: shape (n, K), K may be 0; changepoints: shape (S,), in the
    units of t. Raises BadDesignError for wrong shapes, for values that are not finite, and for
    magnitudes whose squares overflow.
    """
    t, y = _finite("t", t, 1), _finite("y", y, 1)
    features = _finite("features", features, 2)
    changepoints = _finite("changepoints", changepoints, 1)
    _check_lengths(t, y, features)
    columns = (t, np.ones(t.size), *features.T, *ramps(t, changepoints).T)
    basis = np.stack(columns).T
    with np.errstate(over="ignore", invalid="ignore"):
        gram, squares = basis.T @ basis, y @ y
    if not (np.isfinite(gram).all() and np.isfinite(squares)):
        raise BadDesignError("history", "values so large that their squares overflow; rescale them")
    return Design(growth, t, y, features, changepoints, basis, gram)


def ramps(t: FloatArray, changepoints: FloatArray) -> FloatArray:
    """max(t - c, 0) for every time and changepoint, shape (n, S)."""
    return np.maximum(np.subtract.outer(t, changepoints), 0.0)


def _finite(field: str, values: ArrayLike, dimensions: int) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions:
        raise BadDesignError(field, f"has {array.ndim} dimensions, needs {dimensions}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise BadDesignError(
            field, f"is {array[where]} at {where}; drop or fill unknown values first"
        )
    return array


def _check_lengths(t: FloatArray, y: FloatArray, features: FloatArray) -> None:
    if t.size < 2:
        raise BadDesignError("t", f"has {t.size} rows, needs at least 2")
    if y.size != t.size:
        raise BadDesignError("y", f"has {y.size} rows where t has {t.size}")
    if features.shape[0] != t.size:
        raise BadDesignError("features", f"has {features.shape[0]} rows where t has {t.size}")
