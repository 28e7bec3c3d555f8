"""The mean of the observations as a function of the unknowns, and its curvature around a point.

Where terms only add, half the squares are a quadratic whose curvature is the Gram matrix of the
design. Where factors multiply the trend, the curvature of a step is Newton's, if convex there, else
Gauss and Newton's; or one that was made nearby and is used again, because making it costs more than
the steps that it saves.
"""

from typing import Protocol

import numpy as np

from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.layout import Indices
from services.training.demand.prophet_map.posterior import best_variance, noise_bend
from services.training.demand.prophet_map.problem import Point, Problem


class Mean(Protocol):
    def point(self, unknowns: FloatArray) -> Point:
        """The unknowns with the noise scale that suits them best."""

    def descent(self, point: Point) -> FloatArray:
        """The negative gradient of half the squares, shape (free,)."""

    def curvature(self, point: Point, descent: FloatArray, working: Indices) -> FloatArray:
        """A new, positive semidefinite curvature of half the squares, for the working unknowns."""

    def renew(self) -> bool:
        """Make every curvature where it is asked for from now on; False if that was so before."""


class Additive:
    """All terms add: the curvature is the same everywhere and comes from the design."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def point(self, unknowns: FloatArray) -> Point:
        residual = self._problem.y - unknowns @ self._problem.layout.rows
        return _point(self._problem, unknowns, residual, None, None)

    def descent(self, point: Point) -> FloatArray:
        descent: FloatArray = self._problem.layout.rows @ point.residual
        return descent

    def curvature(self, point: Point, descent: FloatArray, working: Indices) -> FloatArray:
        return _block(self._problem.layout.gram, working)

    def renew(self) -> bool:
        return False


class Bilinear:
    """trend * (1 + factors) + added terms; `lasting` is a curvature in use until `renew`."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.lasting: FloatArray | None = None

    def trend(self, unknowns: FloatArray) -> FloatArray:
        part = self._problem.layout.trend
        trend: FloatArray = unknowns[part.places] @ part.rows
        return trend

    def point(self, unknowns: FloatArray) -> Point:
        layout, trend = self._problem.layout, self.trend(unknowns)
        factor = 1.0 + unknowns[layout.factor.places] @ layout.factor.rows
        residual = self._problem.y - trend * factor
        if layout.added.places.size:
            residual -= unknowns[layout.added.places] @ layout.added.rows
        return _point(self._problem, unknowns, residual, trend, factor)

    def descent(self, point: Point) -> FloatArray:
        layout = self._problem.layout
        trend, factor = _parts(point)
        descent = np.empty(point.unknowns.size)
        descent[layout.trend.places] = layout.trend.rows @ (factor * point.residual)
        descent[layout.factor.places] = layout.factor.rows @ (trend * point.residual)
        if layout.added.places.size:
            descent[layout.added.places] = layout.added.rows @ point.residual
        return descent

    def curvature(self, point: Point, descent: FloatArray, working: Indices) -> FloatArray:
        if self.lasting is not None:
            return _block(self.lasting, working)
        gauss_newton = self._gauss_newton(point, working)
        newton = gauss_newton - self._bend(point, working)
        downhill = descent[working]
        newton -= noise_bend(point.variance, self._problem.y.size) * np.outer(downhill, downhill)
        convex = is_positive_definite(newton, point.variance * self._problem.precision)
        return newton if convex else gauss_newton

    def last(self, point: Point, known: FloatArray | None) -> None:
        """Use one curvature of all free unknowns until `renew`: the known one, or the point's own.

        It is Gauss and Newton's, which is convex under any priors."""
        everything = np.arange(point.unknowns.size)
        self.lasting = self._gauss_newton(point, everything) if known is None else known

    def renew(self) -> bool:
        renewed, self.lasting = self.lasting is not None, None
        return renewed

    def _gauss_newton(self, point: Point, working: Indices) -> FloatArray:
        layout = self._problem.layout
        trend, factor = _parts(point)
        slopes = layout.rows.copy()
        slopes[layout.trend.places] = layout.trend.rows * factor
        slopes[layout.factor.places] = layout.factor.rows * trend
        if working.size < slopes.shape[0]:
            slopes = slopes[working]
        curvature: FloatArray = slopes @ slopes.T
        return curvature

    def _bend(self, point: Point, working: Indices) -> FloatArray:
        """residual * second derivatives of the mean, which only trend and factors have together."""
        trend, factor = self._problem.layout.trend, self._problem.layout.factor
        bend = np.zeros((point.unknowns.size, point.unknowns.size))
        bend[trend.places[:, None], factor.places] = trend.rows @ (factor.rows * point.residual).T
        bend += bend.T
        return _block(bend, working)


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


def _point(
    problem: Problem,
    unknowns: FloatArray,
    residual: FloatArray,
    trend: FloatArray | None,
    factor: FloatArray | None,
) -> Point:
    squares = float(residual @ residual)
    variance = best_variance(squares, residual.size)
    penalty = problem.penalty(unknowns)
    objective = problem.misfit(squares, variance) + penalty
    return Point(unknowns, residual, trend, factor, variance, penalty, objective)


def _parts(point: Point) -> tuple[FloatArray, FloatArray]:
    if point.trend is None or point.factor is None:
        raise ValueError("this point was made where terms only add; make it with `Bilinear.point`")
    return point.trend, point.factor


def _block(matrix: FloatArray, working: Indices) -> FloatArray:
    if working[-1] == working.size - 1:
        return matrix[: working.size, : working.size].copy()
    return matrix[working[:, None], working]
