"""The MAP solver ends where Prophet's posterior is highest: never below Stan, exactly optimal."""

import numpy as np
import pytest

from services.training.demand.prophet_map import (
    BadDesignError,
    Growth,
    MapFit,
    make_design,
    make_priors,
    solve,
)
from services.training.demand.prophet_map.design import FloatArray
from tests.demand.stan_oracle import (
    TO_THE_END,
    Case,
    Parameters,
    mean_of,
    negative_log_posterior,
    random_case,
    stan_optimum,
)

SEEDS = range(24)


def fit(case: Case) -> MapFit:
    return solve(case.design, case.priors, case.multiplicative)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_objective_is_stans_and_never_above_where_stan_ends(seed: int) -> None:
    case = random_case(seed)
    ours, stan = fit(case), stan_optimum(case)
    assert negative_log_posterior(case, stan) == pytest.approx(-stan.lp, abs=1e-2)
    assert ours.negative_log_posterior == pytest.approx(negative_log_posterior(case, ours))
    assert ours.negative_log_posterior <= -stan.lp + 1e-6 * max(1.0, abs(stan.lp))


@pytest.mark.parametrize("seed", SEEDS)
def test_predictions_agree_with_stans(seed: int) -> None:
    """With hardly any absolute values in the way Stan reaches the maximum, and so do we."""
    case = random_case(seed, changepoints=0)
    ours, stan = fit(case), stan_optimum(case, **TO_THE_END)
    t, features = case.design.t, case.design.features
    ahead, some = np.linspace(1.0, 1.04, 28), features[:28]
    assert ours.mean(t, features) == pytest.approx(mean_of(case, stan, t, features), abs=2e-3)
    assert ours.mean(ahead, some) == pytest.approx(mean_of(case, stan, ahead, some), abs=2e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_predictions_are_no_further_from_stans_than_stan_is_from_the_maximum(seed: int) -> None:
    """Where Stan stops short: for a fixed sigma the posterior falls by at least half the squared
    difference of the means over sigma squared (exactly so only where all terms add)."""
    case = random_case(seed)
    ours, stan = fit(case), stan_optimum(case)
    t, features = case.design.t, case.design.features
    difference = ours.mean(t, features) - mean_of(case, stan, t, features)
    short = negative_log_posterior(case, stan) - ours.negative_log_posterior
    allowed = np.sqrt(2 * max(short, 0.0)) * max(stan.sigma, ours.sigma) * 1.1 + 1e-4
    assert np.linalg.norm(difference) <= allowed


@pytest.mark.parametrize("seed", SEEDS)
def test_no_direction_descends_from_the_solution(seed: int) -> None:
    """The optimality conditions, from numerical derivatives of the written-out posterior."""
    case = random_case(seed)
    ours = fit(case)
    best = negative_log_posterior(case, ours)
    rng = np.random.default_rng(seed)
    for scale in (1e-2, 1e-3, 1e-4):
        for _ in range(20):
            beta, delta = ours.beta.size, ours.delta.size
            moved = _moved(ours, scale * rng.normal(size=3 + beta + delta))
            assert negative_log_posterior(case, moved) >= best - 1e-7 * abs(best)
    for place in range(3 + ours.beta.size + ours.delta.size):
        for step in (1e-4, -1e-4, 1e-5, -1e-5):
            change = np.zeros(3 + ours.beta.size + ours.delta.size)
            change[place] = step
            assert negative_log_posterior(case, _moved(ours, change)) >= best - 1e-7 * abs(best)


@pytest.mark.parametrize("seed", range(6))
def test_rate_changes_that_do_not_pay_are_exactly_zero(seed: int) -> None:
    case = random_case(seed)
    strict = make_priors(1e-4, case.priors.features)
    assert not solve(case.design, strict, case.multiplicative).delta.any()
    loose = make_priors(10.0, case.priors.features)
    found = solve(case.design, loose, case.multiplicative)
    assert found.delta.any() == (case.design.growth is Growth.LINEAR)


@pytest.mark.parametrize("seed", range(9))
def test_a_warm_start_ends_at_the_same_maximum(seed: int) -> None:
    case = random_case(seed)
    other = make_priors(0.2, 0.3 * case.priors.features)
    elsewhere = solve(case.design, other, case.multiplicative)
    again = solve(case.design, case.priors, case.multiplicative, start=elsewhere)
    cold = fit(case)
    assert again.negative_log_posterior == pytest.approx(cold.negative_log_posterior, rel=1e-7)
    assert again.beta == pytest.approx(cold.beta, abs=1e-4)


def test_a_scale_of_zero_leaves_the_term_out() -> None:
    case = random_case(3)
    scales = case.priors.features.copy()
    scales[[0, 4]] = 0.0
    kept = np.delete(np.arange(scales.size), [0, 4])
    design = case.design
    without = make_design(design.t, design.y, design.features[:, kept], design.changepoints)
    ours = solve(design, make_priors(0.05, scales), case.multiplicative)
    plain = solve(without, make_priors(0.05, scales[kept]), case.multiplicative[kept])
    assert not ours.beta[[0, 4]].any()
    assert ours.beta[kept] == pytest.approx(plain.beta, abs=1e-9)
    assert not solve(design, make_priors(0.0, scales), case.multiplicative).delta.any()


def test_bad_arrays_and_scales_are_named() -> None:
    t, y, features = np.linspace(0, 1, 9), np.ones(9), np.ones((9, 2))
    with pytest.raises(BadDesignError, match=r"y: is nan at \(3,\)"):
        make_design(t, np.where(t == t[3], np.nan, y), features)
    with pytest.raises(BadDesignError, match="features: has 8 rows"):
        make_design(t, y, features[1:])
    with pytest.raises(BadDesignError, match="needs at least 2"):
        make_design(t[:1], y[:1], features[:1])
    with pytest.raises(BadDesignError, match="squares overflow"):
        make_design(t, y, 1e200 * features)
    with pytest.raises(BadDesignError, match="changepoint prior scale"):
        make_priors(-0.1, [1.0, 1.0])
    with pytest.raises(BadDesignError, match="prior scales of features"):
        make_priors(0.1, [1.0, np.nan])
    with pytest.raises(BadDesignError, match=r"prior scales: has shape \(3,\)"):
        solve(make_design(t, y, features), make_priors(0.1, np.ones(3)), [False, False])


def _moved(at: MapFit, change: FloatArray) -> Parameters:
    beta = at.beta.size
    return Parameters(
        at.k + change[0],
        at.m + change[1],
        at.delta + change[3 + beta :],
        at.beta + change[3 : 3 + beta],
        at.sigma * np.exp(change[2]),
        0.0,
    )
