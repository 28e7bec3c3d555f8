"""Monotone descent on the negative log posterior: a lasso step, then the best noise scale."""

import math

import numpy as np

from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.errors import NotConvergedError
from services.training.demand.prophet_map.lasso import minimise_lasso
from services.training.demand.prophet_map.layout import Flags, Indices
from services.training.demand.prophet_map.mean import Mean
from services.training.demand.prophet_map.posterior import NOISE_FLOOR
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
# A gradient this little above the prior's rate is rounding, not a reason to free a rate change.
_SLACK = 1e-6
# Steps that gain more than this share of the one before ask for a new curvature.
_SLOW = 0.3


def descend(problem: Problem, mean: Mean, start: Point, tolerance: float) -> tuple[Point, int]:
    """Descend until the steps to come gain less than tolerance * max(n, |objective|), as far as the
    last two tell; also the step count.

    Every step lowers the objective. Raises NotConvergedError when steps run out.
    """
    point, before = start, math.inf
    descent = mean.descent(point)
    moving = _may_move(problem, point, descent)
    for iteration in range(1, _MAX_ITERATIONS + 1):
        change = _propose(problem, mean, point, descent, np.flatnonzero(moving))
        following, promised = _search(problem, mean, point, descent, change)
        gain = point.objective - following.objective
        if gain <= 0 and mean.renew():
            continue
        if gain <= 0 and _is_open(point, promised):
            raise NotConvergedError(iteration, -promised)
        if gain <= 0:
            return point, iteration
        point, descent = following, mean.descent(following)
        moving = _may_move(problem, point, descent)
        is_settled = not (moving & (point.unknowns == 0))[problem.layout.smooth :].any()
        if is_settled and _left(gain, before) <= _least_gain(point, tolerance):
            return point, iteration
        if gain > _SLOW * before:
            mean.renew()
        before = gain
    raise NotConvergedError(_MAX_ITERATIONS, gain)


def _propose(
    problem: Problem, mean: Mean, point: Point, descent: FloatArray, working: Indices
) -> FloatArray:
    """The change of working unknowns that minimises the quadratic model of the objective."""
    curvature = mean.curvature(point, descent, working)
    precision = point.variance * problem.precision
    diagonal = np.einsum("ii->i", curvature)
    diagonal *= 1.0 + _PULL
    diagonal[: precision.size] += precision
    current, downhill = point.unknowns[working], descent[working]
    downhill[: precision.size] -= precision * current[: precision.size]
    change: FloatArray = np.zeros(point.unknowns.size)
    if working.size == precision.size:
        change[working] = np.linalg.solve(curvature, downhill)
    else:
        changes, weight = current[precision.size :], point.variance * problem.rate
        change[working] = _minimise(curvature, downhill, changes, weight)
    return change


def _minimise(
    curvature: FloatArray, downhill: FloatArray, changes: FloatArray, weight: float
) -> FloatArray:
    """The change that minimises the model with the Laplace priors of the last unknowns.

    The smooth unknowns are eliminated (Schur complement); the rate changes are a small lasso.
    """
    smooth = downhill.size - changes.size
    coupling = curvature[:smooth, smooth:]
    right = np.column_stack((coupling, downhill[:smooth]))
    solved = np.linalg.solve(curvature[:smooth, :smooth], right)
    by_change, alone = solved[:, :-1], solved[:, -1]
    matrix = curvature[smooth:, smooth:] - coupling.T @ by_change
    linear = downhill[smooth:] - coupling.T @ alone + matrix @ changes
    moved = minimise_lasso(matrix, linear, weight, changes) - changes
    return np.concatenate((alone - by_change @ moved, moved))


def _search(
    problem: Problem, mean: Mean, point: Point, descent: FloatArray, change: FloatArray
) -> tuple[Point, float]:
    """The first point, halving from the whole change, that descends as promised (Armijo).

    Also the (negative) gain that the whole change promises."""
    candidate = mean.point(point.unknowns + change)
    slope = -float(descent @ change) / point.variance
    promised = slope + candidate.penalty - point.penalty
    step = 1.0
    while not candidate.objective <= point.objective + _ARMIJO * step * min(promised, 0.0):
        step /= 2
        if step < _SMALLEST_STEP:
            return point, promised
        candidate = mean.point(point.unknowns + step * change)
    return candidate, promised


def _may_move(problem: Problem, point: Point, descent: FloatArray) -> Flags:
    """All unknowns but the rate changes that are 0 and gain nothing by leaving it."""
    may_move = np.ones(descent.size, dtype=bool)
    smooth = problem.layout.smooth
    if smooth < descent.size:
        beyond = np.abs(descent[smooth:]) > point.variance * problem.rate * (1.0 + _SLACK)
        np.logical_or(beyond, point.unknowns[smooth:] != 0, out=may_move[smooth:])
    return may_move


def _left(gain: float, before: float) -> float:
    """What the steps to come gain, if each gains the share of its predecessor that the last did."""
    share = gain / before
    return gain if share == 0.0 or share >= 0.5 else gain * share / (1.0 - share)


def _least_gain(point: Point, tolerance: float) -> float:
    relative = max(tolerance, 0.0 if _above_floor(point) else _TOLERANCE_AT_FLOOR)
    return relative * max(float(point.residual.size), abs(point.objective))


def _is_open(point: Point, promised: float) -> bool:
    """Whether a step that could not be made would have mattered; at the floor none does."""
    return _above_floor(point) and -promised > _OPEN_GAP * max(1.0, abs(point.objective))


def _above_floor(point: Point) -> bool:
    return point.variance > NOISE_FLOOR**2
