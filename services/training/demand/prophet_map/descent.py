"""Monotone descent on the negative log posterior: a lasso step, then the best noise scale."""

import numpy as np

from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.errors import NotConvergedError
from services.training.demand.prophet_map.lasso import minimise_lasso
from services.training.demand.prophet_map.mean import Mean, Quadratic
from services.training.demand.prophet_map.posterior import NOISE_FLOOR, best_variance
from services.training.demand.prophet_map.problem import Point, Problem

_MAX_ITERATIONS = 200
# A pull towards the current point, relative to each unknown's own curvature. It keeps the step
# defined where columns are collinear and, unlike a ridge, leaves the optimum where it is.
_PULL = 1e-12
# At the floor the history is reproduced exactly and no maximum exists: near enough is there.
_TOLERANCE_AT_FLOOR = 1e-4
_ARMIJO = 1e-4
_SMALLEST_STEP = 2.0**-30
_OPEN_GAP = 1e-6


def point_at(problem: Problem, mean: Mean, unknowns: FloatArray) -> Point:
    """The unknowns with the noise scale that suits them best."""
    residual = mean.residual(unknowns)
    squares = float(residual @ residual)
    variance = best_variance(squares, residual.size)
    return Point(unknowns, residual, variance, problem.objective(squares, variance, unknowns))


def descend(problem: Problem, mean: Mean, start: Point, tolerance: float) -> tuple[Point, int]:
    """Descend until a step gains less than tolerance * max(1, |objective|); also the step count.

    Every step lowers the objective. Raises NotConvergedError when steps run out.
    """
    point = start
    for iteration in range(1, _MAX_ITERATIONS + 1):
        change, promised = _propose(problem, mean.quadratic(point), point)
        following = _search(problem, mean, point, change, promised)
        gain = point.objective - following.objective
        if gain <= 0 and _is_open(point, promised):
            raise NotConvergedError(iteration, -promised)
        if gain <= 0:
            return point, iteration
        point = following
        if gain <= _least_gain(point, tolerance) and mean.is_settled(point):
            return point, iteration
    raise NotConvergedError(_MAX_ITERATIONS, gain)


def _propose(problem: Problem, model: Quadratic, point: Point) -> tuple[FloatArray, float]:
    """The change that minimises the model with the priors, and the (negative) gain it promises."""
    current = point.unknowns[model.working]
    change = np.zeros(point.unknowns.size)
    change[model.working] = _minimise(problem, model, point.variance, current) - current
    slope = -float(model.descent @ change[model.working]) / point.variance
    return change, slope + problem.penalty(point.unknowns + change) - problem.penalty(
        point.unknowns
    )


def _minimise(
    problem: Problem, model: Quadratic, variance: float, current: FloatArray
) -> FloatArray:
    """Working unknowns that minimise the model with the priors, at this noise scale.

    The smooth unknowns are eliminated (Schur complement); the rate changes are a small lasso.
    """
    smooth = problem.smooth
    curvature = model.curvature.copy()
    diagonal = np.einsum("ii->i", curvature)
    diagonal *= 1.0 + _PULL
    linear = model.descent + curvature @ current
    diagonal[:smooth] += variance * problem.precision
    coupling = curvature[:smooth, smooth:]
    solved = np.linalg.solve(
        curvature[:smooth, :smooth], np.column_stack((coupling, linear[:smooth]))
    )
    by_change, alone = solved[:, :-1], solved[:, -1]
    changes = minimise_lasso(
        curvature[smooth:, smooth:] - coupling.T @ by_change,
        linear[smooth:] - coupling.T @ alone,
        variance * problem.rate,
        current[smooth:],
    )
    return np.concatenate((alone - by_change @ changes, changes))


def _search(
    problem: Problem, mean: Mean, point: Point, change: FloatArray, promised: float
) -> Point:
    """The first point, halving from the whole change, that descends as promised (Armijo)."""
    step = 1.0
    while step >= _SMALLEST_STEP:
        candidate = point_at(problem, mean, point.unknowns + step * change)
        if candidate.objective <= point.objective + _ARMIJO * step * min(promised, 0.0):
            return candidate
        step /= 2
    return point


def _least_gain(point: Point, tolerance: float) -> float:
    relative = max(tolerance, 0.0 if _above_floor(point) else _TOLERANCE_AT_FLOOR)
    return relative * max(1.0, abs(point.objective))


def _is_open(point: Point, promised: float) -> bool:
    """Whether a step that could not be made would have mattered; at the floor none does."""
    return _above_floor(point) and -promised > _OPEN_GAP * max(1.0, abs(point.objective))


def _above_floor(point: Point) -> bool:
    return point.variance > NOISE_FLOOR**2
