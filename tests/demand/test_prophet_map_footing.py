"""A fit begun from another reuses what it can, and ends where it would have ended alone."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from services.training.demand.prophet_map import (
    EXACT,
    ROUGH,
    MapFit,
    Priors,
    make_priors,
    solve,
)
from tests.demand.stan_oracle import Case, random_case

TRIALS = 12


def trials(case: Case, seed: int) -> Iterator[Priors]:
    """Prior scales as a search proposes them: anything, in any order."""
    rng = np.random.default_rng(seed)
    for _ in range(TRIALS):
        scales = case.priors.features * 10 ** rng.uniform(-1.5, 1.0, case.priors.features.size)
        yield make_priors(10 ** rng.uniform(-2.5, 0.5), scales)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("tolerance", "left"), [(EXACT, 1e-8), (ROUGH, 1e-4)])
def test_a_chain_of_trials_ends_each_at_its_own_maximum(
    seed: int, tolerance: float, left: float
) -> None:
    """However far away the trial before it was; `left` is a share of the objective."""
    case = random_case(seed)
    latest: MapFit | None = None
    for priors in trials(case, seed):
        alone = solve(case.design, priors, case.multiplicative)
        latest = solve(case.design, priors, case.multiplicative, latest, tolerance)
        above = latest.negative_log_posterior - alone.negative_log_posterior
        assert above <= left * max(case.design.y.size, abs(alone.negative_log_posterior))


@pytest.mark.parametrize("seed", range(3))
def test_trials_of_one_mode_share_columns_gram_matrix_and_parts(seed: int) -> None:
    case = random_case(seed)
    chain: list[MapFit] = []
    for priors in trials(case, seed):
        start = chain[-1] if chain else None
        chain.append(solve(case.design, priors, case.multiplicative, start, ROUGH))
    assert len({id(fit.footing.layout) for fit in chain if fit.footing}) == 1


def test_factors_share_a_curvature_too() -> None:
    case = random_case(1)
    first = solve(case.design, case.priors, case.multiplicative)
    second = solve(case.design, case.priors, case.multiplicative, first, ROUGH)
    nearby = make_priors(case.priors.changepoint, 1.1 * case.priors.features)
    third = solve(case.design, nearby, case.multiplicative, second, ROUGH)
    assert second.footing is not None
    assert third.footing is not None
    assert second.footing.curvature is not None
    assert third.footing.curvature is second.footing.curvature


def test_other_columns_or_another_mode_stand_on_their_own() -> None:
    case = random_case(1)
    start = solve(case.design, case.priors, case.multiplicative)
    fewer = case.priors.features.copy()
    fewer[0] = 0.0
    for priors, flags in (
        (make_priors(0.05, fewer), case.multiplicative),
        (case.priors, ~case.multiplicative),
        (make_priors(0.0, case.priors.features), case.multiplicative),
    ):
        begun, alone = solve(case.design, priors, flags, start), solve(case.design, priors, flags)
        assert begun.footing is not None
        assert start.footing is not None
        assert begun.footing.layout is not start.footing.layout
        assert begun.negative_log_posterior <= alone.negative_log_posterior + 1e-6


def test_a_start_without_footing_is_as_good() -> None:
    case = random_case(2)
    elsewhere = solve(
        case.design, make_priors(0.3, 0.3 * case.priors.features), case.multiplicative
    )
    bare = replace(elsewhere, footing=None)
    with_it, without = (
        solve(case.design, case.priors, case.multiplicative, start) for start in (elsewhere, bare)
    )
    assert with_it.negative_log_posterior == pytest.approx(without.negative_log_posterior, abs=1e-6)
