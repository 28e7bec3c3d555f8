"""Prophet's units for a history, without frames: scaled time, scaled values, changepoints."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.errors import BadDesignError

Dates = NDArray[np.datetime64]


class Scaling(StrEnum):
    ABSMAX = "absmax"
    MINMAX = "minmax"


@dataclass(frozen=True, slots=True, eq=False)
class ScaledHistory:
    """A history in Prophet's units: t runs from 0 to 1, y = (value - floor) / y_scale."""

    t: FloatArray
    y: FloatArray
    changepoints: FloatArray
    start: np.datetime64
    span: np.timedelta64
    floor: float
    y_scale: float

    def time(self, dates: Dates) -> FloatArray:
        """Scaled times of any dates, shape (n,); beyond 1 lies the future."""
        return _ratio(dates - self.start, self.span)

    def values(self, scaled: FloatArray) -> FloatArray:
        """Scaled values back in the units of the history."""
        return scaled * self.y_scale + self.floor


def scale_history(
    dates: Dates,
    values: FloatArray,
    changepoints: int = 25,
    changepoint_range: float = 0.8,
    scaling: Scaling = Scaling.ABSMAX,
) -> ScaledHistory:
    """What `Prophet.preprocess` makes of a history with these options.

    dates: shape (n,), strictly increasing; values: shape (n,), all known (leave unknown days out).
    Raises BadDesignError for fewer than 2 days, unknown values or dates out of order.
    """
    if dates.size < 2 or dates.size != values.size:
        raise BadDesignError(
            "history", f"{dates.size} dates, {values.size} values; needs 2 or more"
        )
    if not np.isfinite(values).all():
        raise BadDesignError("history", "holds unknown values; leave those days out")
    if not (np.diff(dates) > np.timedelta64(0)).all():
        raise BadDesignError(
            "history", "dates are not strictly increasing; sort them, merge doubles"
        )
    floor, y_scale = _scale(values, scaling)
    start, span = dates[0], dates[-1] - dates[0]
    t = _ratio(dates - start, span)
    at = changepoint_rows(dates.size, changepoints, changepoint_range)
    where = t[at] if at.size else np.zeros(1)  # Prophet's own dummy: no changepoint is one at 0
    return ScaledHistory(t, (values - floor) / y_scale, where, start, span, floor, y_scale)


def changepoint_rows(rows: int, count: int, within: float) -> NDArray[np.intp]:
    """Rows of the history at which Prophet lets the rate change: evenly through its first part."""
    usable = int(np.floor(rows * within))
    count = min(count, usable - 1)
    if count <= 0:
        return np.empty(0, dtype=np.intp)
    return np.linspace(0, usable - 1, count + 1).round().astype(np.intp)[1:]


def fourier(dates: Dates, period: float, order: int) -> FloatArray:
    """Prophet's seasonal features [sin, cos] * order for a period in days, shape (n, 2 order)."""
    days = dates.astype("datetime64[us]").astype(np.int64) / 86_400e6
    angles = np.multiply.outer(2.0 * np.pi * days, np.arange(1, order + 1) / period)
    return np.stack((np.sin(angles), np.cos(angles)), axis=2).reshape(dates.size, 2 * order)


def _scale(values: FloatArray, scaling: Scaling) -> tuple[float, float]:
    match scaling:
        case Scaling.ABSMAX:
            floor, scale = 0.0, float(np.abs(values).max())
        case Scaling.MINMAX:
            floor = float(values.min())
            scale = float(values.max()) - floor
        case _:
            assert_never(scaling)
    return floor, scale or 1.0


def _ratio(elapsed: NDArray[np.timedelta64], span: np.timedelta64) -> FloatArray:
    ratio: FloatArray = elapsed / span
    return ratio
