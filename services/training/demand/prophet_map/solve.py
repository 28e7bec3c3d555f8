"""Prophet's MAP fit from bare arrays."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from services.training.demand.prophet_map.descent import descend
from services.training.demand.prophet_map.design import Design, FloatArray
from services.training.demand.prophet_map.errors import NotConvergedError
from services.training.demand.prophet_map.fit import Footing, MapFit
from services.training.demand.prophet_map.mean import Additive, Bilinear, Mean
from services.training.demand.prophet_map.posterior import Priors
from services.training.demand.prophet_map.problem import Point, Problem, pose
from services.training.demand.prophet_map.starts import starting_points

EXACT = 1e-10
ROUGH = 3e-5


def solve(
    design: Design,
    priors: Priors,
    multiplicative: ArrayLike,
    start: MapFit | None = None,
    tolerance: float = EXACT,
) -> MapFit:
    """The maximum of Prophet's posterior for one design under these priors.

    multiplicative: flags, shape (K,), of the features that multiply the trend. start: a fit of the
    same design (under other priors, or in another mode) to begin from; it saves steps, and decides
    nothing where the maximum is unique. tolerance: a descent ends when less than this share of the
    objective, or of n where that is more, is expected of further steps; what ROUGH leaves is some
    hundredths of a nat, good enough to compare trials. Raises BadDesignError for shapes that differ
    and NotConvergedError when no descent reaches its end.
    """
    footing = start.footing if start is not None else None
    problem = pose(design, priors, multiplicative, footing.layout if footing else None)
    mean: Mean = Bilinear(problem) if problem.layout.factor.places.size else Additive(problem)
    begin = starting_points(problem, mean) if start is None else [_resume(problem, mean, start)]
    point, iterations = _best_end(problem, mean, begin, tolerance)
    return _unpack(problem, mean, point, iterations)


def _best_end(
    problem: Problem, mean: Mean, begin: Sequence[Point], tolerance: float
) -> tuple[Point, int]:
    """The lowest end of the descents, and the steps of all; one that ends short does not count."""
    ends: list[tuple[Point, int]] = []
    short: list[NotConvergedError] = []
    for start in begin:
        try:
            ends.append(descend(problem, mean, start, tolerance))
        except NotConvergedError as error:
            short.append(error)
    if not ends:
        raise short[0]
    lowest = min((point for point, _ in ends), key=lambda point: point.objective)
    return lowest, sum(iterations for _, iterations in ends)


def _resume(problem: Problem, mean: Mean, fit: MapFit) -> Point:
    """The fit as a place to begin, with its curvature where both are of the same layout."""
    everything = np.concatenate(([fit.k, fit.m], fit.beta, fit.delta))
    point = mean.point(everything[problem.layout.columns])
    if isinstance(mean, Bilinear) and fit.footing and fit.footing.layout is problem.layout:
        mean.last(point, fit.footing.curvature)
    return point


def _unpack(problem: Problem, mean: Mean, point: Point, iterations: int) -> MapFit:
    layout, design = problem.layout, problem.layout.design
    everything: FloatArray = np.zeros(design.basis.shape[1])
    everything[layout.columns] = point.unknowns
    return MapFit(
        growth=design.growth,
        changepoints=design.changepoints,
        multiplicative=layout.multiplicative,
        k=float(everything[0]),
        m=float(everything[1]),
        delta=everything[design.ramps_at :],
        beta=everything[2 : design.ramps_at],
        sigma=math.sqrt(point.variance),
        negative_log_posterior=point.objective,
        iterations=iterations,
        footing=Footing(layout, mean.lasting if isinstance(mean, Bilinear) else None),
    )
