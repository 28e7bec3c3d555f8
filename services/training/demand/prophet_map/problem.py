"""One MAP problem: a design under given priors and modes, over the unknowns that are free."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.training.demand.prophet_map.design import Design, FloatArray, Growth
from services.training.demand.prophet_map.errors import BadDesignError
from services.training.demand.prophet_map.posterior import TREND_PRECISION, Priors, noise_terms

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """The free unknowns are some columns of the design's basis: `columns` says which.

    The first `smooth` of them (k, m, coefficients) have Gaussian priors of `precision`; the rest,
    rate changes, have Laplace priors of `rate`. `multiplicative` are the positions, among the free
    unknowns, of the features that multiply the trend.
    """

    y: FloatArray
    basis: FloatArray
    gram: FloatArray
    columns: Indices
    smooth: int
    precision: FloatArray
    rate: float
    multiplicative: Indices

    def penalty(self, unknowns: FloatArray) -> float:
        """The negative log prior of everything but the noise scale."""
        smooth, changes = unknowns[: self.smooth], unknowns[self.smooth :]
        return float(0.5 * (self.precision * smooth) @ smooth + self.rate * np.abs(changes).sum())

    def objective(self, squares: float, variance: float, unknowns: FloatArray) -> float:
        """The negative log posterior, given the residual sum of squares and sigma squared."""
        return noise_terms(squares, variance, self.y.size) + self.penalty(unknowns)


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A place on the descent: the free unknowns, what they leave over, and their objective."""

    unknowns: FloatArray
    residual: FloatArray
    variance: float
    objective: float


def pose(design: Design, priors: Priors, multiplicative: ArrayLike) -> Problem:
    """The problem of one design under these priors; `multiplicative` flags features, shape (K,)."""
    flags = np.asarray(multiplicative, dtype=bool)
    count = design.features.shape[1]
    for field, given in (("prior scales", priors.features), ("multiplicative", flags)):
        if given.shape != (count,):
            raise BadDesignError(field, f"has shape {given.shape} where there are {count} features")
    columns = _free_columns(design, priors)
    smooth = int(np.count_nonzero(columns < design.ramps_at))
    features = columns[(columns >= 2) & (columns < design.ramps_at)] - 2
    trend = np.full(smooth - features.size, TREND_PRECISION)
    return Problem(
        y=design.y,
        basis=_take(design.basis, columns),
        gram=_take(_take(design.gram, columns).T, columns),
        columns=columns,
        smooth=smooth,
        precision=np.concatenate((trend, priors.features[features] ** -2.0)),
        rate=1.0 / priors.changepoint if columns.size > smooth else 0.0,
        multiplicative=trend.size + np.flatnonzero(flags[features]),
    )


def _free_columns(design: Design, priors: Priors) -> Indices:
    free = np.ones(design.basis.shape[1], dtype=bool)
    free[0] = design.growth is Growth.LINEAR
    free[2 : design.ramps_at] = priors.features > 0
    free[design.ramps_at :] = design.growth is Growth.LINEAR and priors.changepoint > 0
    return np.flatnonzero(free)


def _take(array: FloatArray, columns: Indices) -> FloatArray:
    return array if columns.size == array.shape[-1] else array[..., columns]
