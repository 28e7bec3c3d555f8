"""The mean of the observations as a function of the unknowns, and quadratic models around a point.

Where terms only add, the model is exact and its curvature is the Gram matrix of the design. Where
factors multiply the trend it is Newton's, if convex there, else Gauss and Newton's.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.posterior import noise_bend
from services.training.demand.prophet_map.problem import Indices, Point, Problem

# A gradient this little above the prior's rate is rounding, not a reason to free a rate change.
_SLACK = 1e-6
_PARTS = _TREND, _FACTOR, _ADDED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    """Half the squares around a point, 1/2 d'Cd - descent'd, for a change d of `working` unknowns.

    The unknowns that are not working are rate changes that stay 0 for this step.
    """

    working: Indices
    curvature: FloatArray
    descent: FloatArray


class Mean(Protocol):
    def residual(self, unknowns: FloatArray) -> FloatArray:
        """Observations minus the mean, shape (n,)."""

    def quadratic(self, point: Point) -> Quadratic:
        """A convex model of half the squares that matches their gradient at the point."""

    def is_settled(self, point: Point) -> bool:
        """Whether no rate change that is 0 at the point would leave 0 to descend."""


class Additive:
    """All terms add: the curvature is the same everywhere and comes from the design."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._working = np.arange(problem.columns.size)

    def residual(self, unknowns: FloatArray) -> FloatArray:
        return self._problem.y - self._problem.basis @ unknowns

    def quadratic(self, point: Point) -> Quadratic:
        descent = self._problem.basis.T @ point.residual
        return Quadratic(self._working, self._problem.gram, descent)

    def is_settled(self, point: Point) -> bool:
        return True  # every model holds every rate change


class Bilinear:
    """trend * (1 + factors) + added terms; each unknown belongs to one of the three parts."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        is_change = np.arange(problem.columns.size) >= problem.smooth
        in_trend = (problem.columns < 2) | is_change
        self._part = np.where(in_trend, _TREND, _ADDED)
        self._part[problem.multiplicative] = _FACTOR
        self._rows = np.ascontiguousarray(problem.basis.T)
        self._places = [np.flatnonzero(self._part == part) for part in _PARTS]
        self._rows_of = [self._rows[places] for places in self._places]

    def parts(self, unknowns: FloatArray) -> FloatArray:
        """Trend, factors and added terms, shape (3, n)."""
        return np.stack(
            [
                unknowns[places] @ rows
                for places, rows in zip(self._places, self._rows_of, strict=True)
            ]
        )

    def residual(self, unknowns: FloatArray) -> FloatArray:
        trend, factors, added = self.parts(unknowns)
        residual: FloatArray = self._problem.y - trend * (1.0 + factors) - added
        return residual

    def quadratic(self, point: Point) -> Quadratic:
        weights = self._weights(point)
        descent = self._descent(point, weights)
        working = np.flatnonzero(self._may_move(point, descent))
        descent, part = descent[working], self._part[working]
        slopes = self._rows[working] * weights[part]
        gauss_newton = slopes @ slopes.T
        newton = gauss_newton - self._bend(point, working, part)
        newton -= noise_bend(point.variance, self._problem.y.size) * np.outer(descent, descent)
        convex = is_positive_definite(newton, point.variance * self._problem.precision)
        return Quadratic(working, newton if convex else gauss_newton, descent)

    def is_settled(self, point: Point) -> bool:
        may_move = self._may_move(point, self._descent(point, self._weights(point)))
        return not np.any(may_move[self._problem.smooth :] & (_changes(self._problem, point) == 0))

    def _weights(self, point: Point) -> FloatArray:
        """What the mean's slope in an unknown of each part multiplies its column by, (3, n)."""
        trend, factors, _ = self.parts(point.unknowns)
        return np.stack((1.0 + factors, trend, np.ones(trend.size)))

    def _descent(self, point: Point, weights: FloatArray) -> FloatArray:
        """The negative gradient of half the squares."""
        descent = np.empty(point.unknowns.size)
        weighted = weights * point.residual
        for places, rows, by in zip(self._places, self._rows_of, weighted, strict=True):
            descent[places] = rows @ by
        return descent

    def _may_move(self, point: Point, descent: FloatArray) -> NDArray[np.bool_]:
        """All unknowns but the rate changes that are 0 and gain nothing by leaving it."""
        may_move = np.abs(descent) > point.variance * self._problem.rate * (1.0 + _SLACK)
        may_move[: self._problem.smooth] = True
        may_move[self._problem.smooth :] |= _changes(self._problem, point) != 0
        return may_move

    def _bend(self, point: Point, working: Indices, part: NDArray[np.intp]) -> FloatArray:
        """residual * second derivatives of the mean, which only trend and factors have together."""
        trend, factor = np.flatnonzero(part == _TREND), np.flatnonzero(part == _FACTOR)
        weighted = self._rows_of[_FACTOR] * point.residual
        bend = np.zeros((working.size, working.size))
        bend[trend[:, None], factor] = self._rows[working[trend]] @ weighted.T
        return bend + bend.T


def is_positive_definite(matrix: FloatArray, prior: FloatArray) -> bool:
    """Whether the matrix has a Cholesky factor once the prior is on the front of its diagonal."""
    shifted = matrix.copy()
    diagonal = np.einsum("ii->i", shifted)
    diagonal[: prior.size] += prior
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return True


def _changes(problem: Problem, point: Point) -> FloatArray:
    return point.unknowns[problem.smooth :]
