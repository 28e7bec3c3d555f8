"""Histories and regressors at their worst end in a finite fit that is no worse than Stan's."""

import numpy as np
import pytest

from services.training.demand.prophet_map import MapFit, make_design, make_priors, solve
from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.posterior import NOISE_FLOOR
from tests.demand.stan_oracle import Case, stan_optimum

DAYS = np.arange(400.0)
T = DAYS / DAYS[-1]
WEEK = np.column_stack([np.sin(2 * np.pi * DAYS / 7), np.cos(2 * np.pi * DAYS / 7)])
NOISE = np.random.default_rng(7).normal(0, 0.05, DAYS.size)
Y = 0.5 + 0.2 * T + WEEK @ [0.1, -0.05] + NOISE
CHANGEPOINTS = T[np.linspace(0, 319, 26).round().astype(int)][1:]
MODES = pytest.mark.parametrize("factor", [False, True], ids=["additive", "multiplicative"])


def case_of(
    y: FloatArray,
    features: FloatArray,
    factor: bool,
    t: FloatArray = T,
    changepoints: FloatArray = CHANGEPOINTS,
    scale: float = 10.0,
) -> Case:
    flags = np.full(features.shape[1], factor)
    design = make_design(t, y, features, changepoints)
    return Case(design, make_priors(0.05, np.full(flags.size, scale)), flags)


def fit(case: Case) -> MapFit:
    found = solve(case.design, case.priors, case.multiplicative)
    everything = [found.k, found.m, *found.delta, *found.beta, found.sigma]
    assert np.isfinite(everything).all()
    return found


def assert_no_worse_than_stan(case: Case) -> None:
    lp = stan_optimum(case).lp
    assert fit(case).negative_log_posterior <= -lp + 1e-6 * max(1.0, abs(lp))


@MODES
def test_fewer_days_than_changepoints(factor: bool) -> None:
    few = np.arange(0, 40, 2)
    t = np.linspace(0, 1, few.size)
    case = case_of(Y[few], WEEK[few], factor, t, np.linspace(0.02, 0.98, 25))
    assert_no_worse_than_stan(case)


@MODES
def test_a_long_gap(factor: bool) -> None:
    kept = np.r_[0:60, 300:400]
    case = case_of(Y[kept], WEEK[kept], factor, T[kept], CHANGEPOINTS)
    assert_no_worse_than_stan(case)


@MODES
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_constant_history_is_reproduced(level: float, factor: bool) -> None:
    found = fit(case_of(np.full(400, level), WEEK, factor))
    assert found.reproduces_history
    assert found.sigma == NOISE_FLOOR
    assert found.mean(T, WEEK) == pytest.approx(np.full(400, level), abs=1e-7)


@MODES
def test_two_days(factor: bool) -> None:
    found = fit(case_of(np.array([0.4, 1.0]), WEEK[:2], factor, np.array([0.0, 1.0])))
    assert found.mean(np.array([0.0, 1.0]), WEEK[:2]) == pytest.approx([0.4, 1.0], abs=1e-6)


@MODES
@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_huge_and_tiny_regressors_predict_as_standardised_ones_do(
    size: float, factor: bool
) -> None:
    price = np.random.default_rng(1).normal(size=400)
    y = Y + 0.1 * price
    ordinary = case_of(y, np.column_stack([WEEK, price]), factor)
    extreme = np.column_stack([WEEK, size * price])
    scales = np.array([10.0, 10.0, 10.0 / size])
    found = solve(
        make_design(T, y, extreme, CHANGEPOINTS), make_priors(0.05, scales), np.full(3, factor)
    )
    assert found.mean(T, extreme) == pytest.approx(
        fit(ordinary).mean(T, ordinary.design.features), abs=1e-5
    )


@MODES
@pytest.mark.parametrize("size", [1e-4, 1e3])
def test_huge_and_tiny_values(size: float, factor: bool) -> None:
    assert_no_worse_than_stan(case_of(size * Y, WEEK, factor))


@MODES
def test_equal_regressors_share_their_effect(factor: bool) -> None:
    signal = np.random.default_rng(2).normal(size=400)
    twice = np.column_stack([WEEK, signal, signal])
    found = fit(case_of(Y + 0.1 * signal, twice, factor))
    assert found.beta[2] == pytest.approx(found.beta[3], rel=1e-3)
    assert abs(found.beta[2]) > 0.02


@MODES
def test_a_regressor_without_variance_changes_nothing(factor: bool) -> None:
    plain = fit(case_of(Y, WEEK, factor))
    with_zeros = fit(case_of(Y, np.column_stack([WEEK, np.zeros(400)]), factor))
    assert with_zeros.beta[2] == 0.0
    assert with_zeros.negative_log_posterior == pytest.approx(plain.negative_log_posterior)
    assert_no_worse_than_stan(case_of(Y, np.column_stack([WEEK, np.ones(400)]), factor))


@MODES
def test_more_regressors_than_days(factor: bool) -> None:
    """Given room they reproduce the history; held tightly, they end where Stan ends or better."""
    many, t = np.random.default_rng(3).normal(size=(30, 50)), np.linspace(0, 1, 30)
    loose = fit(case_of(Y[:30], many, factor, t, scale=0.5))
    assert loose.reproduces_history
    assert loose.mean(t, many) == pytest.approx(Y[:30], abs=1e-6)
    assert_no_worse_than_stan(case_of(Y[:30], many, factor, t, scale=0.002))


def test_a_history_of_negative_values_and_a_trend_through_zero() -> None:
    assert_no_worse_than_stan(case_of(Y - 0.6, WEEK, factor=True))
    assert_no_worse_than_stan(case_of(-Y, WEEK, factor=True))
