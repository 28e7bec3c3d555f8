"""More beginnings are tried where, and only where, the history leaves several ends."""

import numpy as np
import pytest

from services.training.demand.prophet_map import make_design, make_priors
from services.training.demand.prophet_map.descent import descend
from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.history import fourier
from services.training.demand.prophet_map.mean import Additive, Bilinear
from services.training.demand.prophet_map.problem import Problem, pose
from services.training.demand.prophet_map.starts import starting_points


def problem_of(days: int, seed: int, yearly_order: int, factor: bool = True) -> Problem:
    """Counts with a slow wave, modelled with a weekly and a yearly term."""
    rng, day = np.random.default_rng(seed), np.arange(days)
    y = rng.poisson(3.0 + 2.0 * np.sin(day / 25 + rng.uniform(0, 6)), days).astype(float)
    features = calendar(days, yearly_order)
    design = make_design(day / (days - 1), y / y.max(), features, np.linspace(0, 0.8, 26)[1:])
    count = features.shape[1]
    return pose(design, make_priors(0.05, np.full(count, 10.0)), np.full(count, factor))


def calendar(days: int, yearly_order: int) -> FloatArray:
    dates = np.arange(days).astype("datetime64[D]")
    weekly = fourier(dates, 7, 3)
    return np.hstack([weekly, fourier(dates, 365.25, yearly_order)]) if yearly_order else weekly


def test_a_yearly_term_on_half_a_year_has_a_lower_end_elsewhere() -> None:
    problem = problem_of(160, seed=52, yearly_order=10)
    mean = Bilinear(problem)
    ends = [descend(problem, mean, start, 1e-10)[0] for start in starting_points(problem, mean)]
    assert min(end.objective for end in ends) < ends[0].objective - 1.0


@pytest.mark.parametrize(("days", "yearly_order"), [(730, 10), (330, 0)])
def test_a_history_that_determines_its_terms_is_descended_once(
    days: int, yearly_order: int
) -> None:
    problem = problem_of(days, seed=1, yearly_order=yearly_order)
    assert len(starting_points(problem, Bilinear(problem))) == 1


def test_terms_that_add_are_descended_once() -> None:
    problem = problem_of(40, seed=1, yearly_order=10, factor=False)
    assert len(starting_points(problem, Additive(problem))) == 1
