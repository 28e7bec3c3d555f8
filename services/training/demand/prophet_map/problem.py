"""One MAP problem: a design under given priors and modes, over the unknowns that are free."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from services.training.demand.prophet_map.design import Design, FloatArray
from services.training.demand.prophet_map.errors import BadDesignError
from services.training.demand.prophet_map.layout import Flags, Layout, free_columns, lay_out
from services.training.demand.prophet_map.posterior import TREND_PRECISION, Priors, noise_terms


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A layout of unknowns with their priors: `precision` (smooth,) of the Gaussian ones, `rate` of
    the Laplace ones."""

    y: FloatArray
    layout: Layout
    precision: FloatArray
    rate: float

    def penalty(self, unknowns: FloatArray) -> float:
        """The negative log prior of everything but the noise scale."""
        smooth = unknowns[: self.layout.smooth]
        penalty = 0.5 * float((self.precision * smooth) @ smooth)
        if self.rate:
            penalty += self.rate * float(np.abs(unknowns[self.layout.smooth :]).sum())
        return penalty

    def misfit(self, squares: float, variance: float) -> float:
        """The rest of the objective, given the residual sum of squares and sigma squared."""
        return noise_terms(squares, variance, self.y.size)


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A place on the descent: the free unknowns, what they leave over, and their objective.

    `trend` and `factor` (1 + factors), shape (n,), are there where factors multiply the trend.
    """

    unknowns: FloatArray
    residual: FloatArray
    trend: FloatArray | None
    factor: FloatArray | None
    variance: float
    penalty: float
    objective: float


def pose(
    design: Design, priors: Priors, multiplicative: ArrayLike, known: Layout | None = None
) -> Problem:
    """The problem of one design under these priors; `multiplicative` flags features, shape (K,).

    known: a layout to use again if it is this problem's."""
    flags = np.asarray(multiplicative, dtype=bool)
    count = design.features.shape[1]
    for field, given in (("prior scales", priors.features), ("multiplicative", flags)):
        if given.shape != (count,):
            raise BadDesignError(field, f"has shape {given.shape} where there are {count} features")
    layout = _layout(design, free_columns(design, priors), flags, known)
    precision = np.full(layout.smooth, TREND_PRECISION)
    precision[layout.smooth - layout.features.size :] = priors.features[layout.features] ** -2.0
    has_changes = layout.columns.size > layout.smooth
    return Problem(design.y, layout, precision, 1.0 / priors.changepoint if has_changes else 0.0)


def _layout(design: Design, free: Flags, flags: Flags, known: Layout | None) -> Layout:
    if known is not None and known.suits(design, free, flags):
        return known
    return lay_out(design, free, flags)
