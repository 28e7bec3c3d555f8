"""A training with a job's pools: who contends, what is served, and what a replay needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from services.training.demand.bundle import replay
from services.training.demand.config import Backend, TrainingConfig, wants_pool
from services.training.demand.outcome import Scores, Stage
from services.training.demand.pooled.pools import Pools, fit_pools
from services.training.demand.pooled.spread import Spread
from services.training.demand.pooled.tenant import Mixture
from services.training.demand.prediction import LEVELS
from services.training.demand.series import Series
from services.training.demand.train import Refused, Trained, train
from tests.demand.made_series import bakery_series, series_of
from tests.demand.made_shop import QUICK, perturbed_after, shop

COLUMNS = [str(level) for level in LEVELS]
ONLY = {family: replace(QUICK, families=(family,)) for family in ("prophet", "pooled", "combine")}


@pytest.fixture(scope="module")
def pools() -> Pools:
    return fit_pools(shop(), QUICK)


def trained(series: Series, pools: Pools | None, config: TrainingConfig = QUICK) -> Trained:
    result = train(series, config, pools=pools)
    assert isinstance(result, Trained), result
    return result


def newborn(days: int, **changed: object) -> Series:
    return replace(bakery_series(days, 7, seed=3), product="new roll", **changed)  # type: ignore[arg-type]


def check_forecast(result: Trained, series: Series) -> None:
    frame = result.forecast
    numbers = frame.drop(columns="open").to_numpy()
    assert frame.index.equals(series.plan.index)
    assert np.isfinite(numbers).all()
    assert (numbers >= 0.0).all()
    assert (np.diff(frame[COLUMNS].to_numpy(), axis=1) >= 0.0).all()
    assert (numbers[~frame["open"].to_numpy()] == 0.0).all()
    parts = np.sum(list(result.effects["parts"].values()), axis=0)
    np.testing.assert_allclose(parts, frame["mean"].to_numpy(), atol=1e-9)


def looking_back(pools: Pools, **other: object) -> Pools:
    """The pools with another hindsight."""
    return replace(pools, hindsight=replace(pools.hindsight, **other))  # type: ignore[arg-type]


def test_with_pools_three_families_contend(
    pools: Pools,
) -> None:
    series = shop()[1]
    result = trained(series, pools)
    assert {record["family"] for record in result.fold_scores} == {"prophet", "pooled", "combine"}
    assert len(result.fold_scores) == 3 * 4
    assert result.skill > 0.0
    assert not [warning for warning in result.warnings if "pool" in warning]
    check_forecast(result, series)


def test_the_contest_judges_a_mixture_that_knows_none_of_its_days(pools: Pools) -> None:
    """What serves has learnt from them, and is named."""
    other = replace(
        pools.hindsight.served, beside_prophet=Mixture((0.7, 0.1, 0.1, 0.1), Spread(1.0))
    )
    usual, moved = (
        trained(shop()[1], found, ONLY["combine"])
        for found in (pools, looking_back(pools, served=other))
    )
    assert usual.fold_scores == moved.fold_scores
    assert usual.scores == moved.scores
    assert not usual.forecast.equals(moved.forecast)
    assert moved.params["weight_direct"] == 0.7


def test_a_search_is_short_where_little_of_its_gain_is_served(pools: Pools) -> None:
    series, config = shop()[1], replace(QUICK, max_trials=None)
    alone = trained(series, None, replace(config, families=("prophet",), least_gain=0.0))
    beside = trained(series, pools, replace(config, families=("combine",), least_gain=0.0))
    share = pools.hindsight.served.beside_prophet.weights[-1]
    assert len(beside.trials) == max(2, round(share * len(alone.trials))) < len(alone.trials)
    asked_for = trained(series, pools, replace(ONLY["combine"], max_trials=1))
    assert len(asked_for.trials) == 1


def test_the_combination_names_its_weights_and_its_parts(pools: Pools) -> None:
    series = shop()[1]
    result = trained(series, pools, ONLY["combine"])
    assert result.family == "combine"
    weights = [
        result.params[f"weight_{name}"] for name in ("direct", "corrected", "tweedie", "prophet")
    ]
    assert sum(weights) == pytest.approx(1.0)  # type: ignore[arg-type]
    assert {"pool", "trend", "weekly", "promotion"} <= set(result.effects["magnitude"])
    check_forecast(result, series)


def test_the_combination_lies_between_the_pool_and_prophet(pools: Pools) -> None:
    series = shop()[2]
    found = {name: trained(series, pools, config).forecast for name, config in ONLY.items()}
    low = np.minimum(found["pooled"]["mean"], found["prophet"]["mean"])
    high = np.maximum(found["pooled"]["mean"], found["prophet"]["mean"])
    spare = 0.1 * high  # Prophet alone has one mode, and the pool alone other weights.
    assert found["combine"]["mean"].between(low - spare, high + spare).all()


@pytest.mark.parametrize("family", ["pooled", "combine"])
def test_a_bundle_replays_without_the_pool_and_without_lightgbm(
    pools: Pools, family: str, tmp_path: Path
) -> None:
    series = shop()[3]
    result = trained(series, pools, ONLY[family])
    assert result.family == family
    check_forecast(result, series)
    bundle = json.dumps(result.bundle, allow_nan=False)
    assert_frame_equal(replay(json.loads(bundle), series), result.forecast)
    (tmp_path / "bundle.json").write_text(bundle)
    (tmp_path / "series").write_bytes(series.to_bytes())
    code = (
        "import json, sys; from pathlib import Path\n"
        "from services.training.demand.bundle import replay\n"
        "from services.training.demand.series import Series\n"
        "here = Path(sys.argv[1])\n"
        "series = Series.from_bytes((here / 'series').read_bytes())\n"
        "frame = replay(json.loads((here / 'bundle.json').read_text()), series)\n"
        "assert not {'lightgbm', 'prophet', 'optuna'} & set(sys.modules)\n"
        "print(json.dumps(frame['0.9'].tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == result.forecast["0.9"].tolist()


def test_what_came_after_a_fold_changes_no_record_of_it(pools: Pools) -> None:
    """The whole engine once more, had everything after a contest's third cut-off been other."""
    series, cutoff = shop(), pools.hindsight.dated[1].cutoff
    stirred = perturbed_after(series, cutoff)
    told = fit_pools(stirred, QUICK)
    for before, after in zip(series[:2], stirred[:2], strict=True):
        calm, shaken = trained(before, pools), trained(after, told)
        for family in ("prophet", "pooled", "combine"):
            one, other = records(calm, family), records(shaken, family)
            assert one[:2] == other[:2]
            assert one[2]["cutoff"] == str(cutoff.date())
            assert one[2] != other[2]


def records(result: Trained, family: str) -> list[dict[str, object]]:
    return [record for record in result.fold_scores if record["family"] == family]


def test_the_same_pools_and_series_train_the_same(pools: Pools) -> None:
    series, again = shop()[0], Pools.from_bytes(pools.to_bytes())
    one, other = trained(series, pools), trained(series, again)
    assert_frame_equal(one.forecast, other.forecast)
    assert (one.fold_scores, one.bundle) == (other.fold_scores, other.bundle)


def test_the_latest_pool_forecasts_and_only_dated_ones_judge(pools: Pools) -> None:
    series = shop()[0]
    result, stale = (
        trained(series, found, ONLY["pooled"])
        for found in (pools, replace(pools, latest=pools.hindsight.dated[0].pool))
    )
    assert result.fold_scores == stale.fold_scores
    assert not result.forecast["mean"].equals(stale.forecast["mean"])


def test_without_pools_prophet_contends_alone_and_says_so() -> None:
    result = trained(shop()[0], None)
    assert {record["family"] for record in result.fold_scores} == {"prophet"}
    assert any("no_pool: pooled and combine did not contend" in w for w in result.warnings)
    left = trained(shop()[0], None, ONLY["combine"])
    assert left.family == "prophet"
    assert any("no_pool: combine did not contend" in warning for warning in left.warnings)
    refused = train(shop()[0], ONLY["pooled"])
    assert isinstance(refused, Refused)
    assert refused.code == "no_pool"
    assert "which pooled needs" in refused.message


def test_families_that_need_no_pool_ask_none(pools: Pools) -> None:
    assert [wants_pool(config) for config in (QUICK, *ONLY.values())] == [True, False, True, True]
    series = shop()[0]
    with_pools = trained(series, pools, ONLY["prophet"])
    assert_frame_equal(with_pools.forecast, trained(series, None, ONLY["prophet"]).forecast)
    assert with_pools.warnings == trained(series, None, ONLY["prophet"]).warnings


def test_folds_before_any_pool_judge_nobody_and_that_is_said(pools: Pools) -> None:
    late = looking_back(pools, dated=pools.hindsight.dated[1:], learnt_through=None)
    result = trained(shop()[0], late)
    assert len(records(result, "combine")) == len(records(result, "prophet")) == 2
    assert any("shorter_contest: 2 of 4 folds" in warning for warning in result.warnings)
    none = trained(shop()[0], looking_back(pools, dated=()))
    assert {record["family"] for record in none.fold_scores} == {"prophet"}
    assert any("no pool knew enough before" in warning for warning in none.warnings)


def test_what_prophet_cannot_be_fitted_to_is_left_to_the_pool(pools: Pools) -> None:
    series = shop()[0]
    for frame in (series.history, series.plan):
        frame["promotion"] = np.where(frame["promotion"] > 0.0, 1.7e308, 1.0e308)
    result = trained(series, pools)
    assert result.family == "pooled"
    assert any("no_prophet: the model cannot be fitted" in w for w in result.warnings)
    refused = train(series, ONLY["combine"], pools=pools)
    assert isinstance(refused, Refused)
    assert refused.code == "not_solvable"


@pytest.mark.parametrize("days", [8, 14, 25])
def test_a_new_product_lives_off_the_pool(pools: Pools, days: int) -> None:
    series = newborn(days)
    result = trained(series, pools)
    check_forecast(result, series)
    assert result.family == "pooled"
    assert result.stage in (Stage.DISCOVERY, Stage.PAPER)
    assert result.scores == result.baseline_scores == Scores(None, None, None, None, None)
    assert pools.hindsight.newcomers is not None
    assert (result.skill, result.confidence) == (
        pools.hindsight.newcomers.skill,
        pools.hindsight.newcomers.confidence,
    )
    assert any("new_product" in warning and "5 other" in warning for warning in result.warnings)
    open_days = result.forecast["open"]
    usual = series.history["quantity"].mean()
    assert 0.5 * usual < result.forecast["mean"][open_days].mean() < 2.0 * usual
    assert_frame_equal(replay(json.loads(json.dumps(result.bundle)), series), result.forecast)


def test_a_new_product_is_no_better_than_the_evidence(pools: Pools) -> None:
    assert pools.hindsight.newcomers is not None
    sure = replace(pools.hindsight.newcomers, skill=0.2, confidence=0.99)
    stages = {
        Stage.DISCOVERY: sure,
        Stage.PAPER: replace(sure, confidence=0.8),
    }
    for stage, evidence in stages.items():
        assert trained(newborn(14), looking_back(pools, newcomers=evidence)).stage is stage
    unknown = trained(newborn(14), looking_back(pools, newcomers=None))
    assert (unknown.stage, unknown.skill) == (Stage.PAPER, 0.0)


def _all_closed() -> Series:
    series = newborn(14)
    return replace(series, history=series.history.assign(open=False, quantity=np.nan))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: newborn(4), "too_short"),
        (lambda: series_of([0.0] * 10, horizon=7), "too_short"),
        (lambda: series_of([5.0] * 90, horizon=7), "constant"),
        (_all_closed, "all_closed"),
        (lambda: series_of([3.0, 4.0] * 20 + [float("nan")] * 200, horizon=7), "nothing_to_judge"),
        (lambda: newborn(14, country="XX"), "unknown_region"),
        (lambda: newborn(14, plan=newborn(14).plan.iloc[:0]), "nothing_planned"),
    ],
)
def test_a_pool_does_not_help_where_nothing_can_be_said(
    pools: Pools, make: Callable[[], Series], code: str
) -> None:
    refused = train(make(), QUICK, pools=pools)
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_a_new_product_is_refused_without_a_pool_or_where_none_was_asked_for(
    pools: Pools,
) -> None:
    for result in (train(newborn(14), QUICK), train(newborn(14), ONLY["prophet"], pools=pools)):
        assert isinstance(result, Refused)
        assert result.code == "too_short"


def test_stan_fits_the_combination_as_well(pools: Pools) -> None:
    config = replace(ONLY["combine"], backend=Backend.STAN, contest_folds=1, search_folds=0)
    series = shop()[1]
    exact = trained(series, pools, replace(config, backend=Backend.MAP)).forecast["mean"]
    pd.testing.assert_series_equal(
        trained(series, pools, config).forecast["mean"], exact, rtol=0.02
    )
