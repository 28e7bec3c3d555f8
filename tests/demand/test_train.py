"""One call trains a series, or says why not; the same call again gives the same answer."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from services.training.demand.bundle import ForeignBundleError, replay
from services.training.demand.config import InvalidConfigError, TrainingStage
from services.training.demand.outcome import Stage
from services.training.demand.prediction import LEVELS
from services.training.demand.series import Series
from services.training.demand.train import Progress, Refused, Trained, TrainingConfig, train
from tests.demand.made_series import bakery_series, series_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:prophet")

QUICK = TrainingConfig(max_trials=1)
COLUMNS = [str(level) for level in LEVELS]


def trained(series: Series, config: TrainingConfig = QUICK) -> Trained:
    result = train(series, config)
    assert isinstance(result, Trained), result
    return result


def without_seconds(result: Trained) -> dict[str, object]:
    names = [name for name in Trained.__slots__ if name not in ("seconds", "forecast")]
    return {name: getattr(result, name) for name in names}


def refusal(series: Series, config: TrainingConfig = QUICK) -> Refused:
    result = train(series, config)
    assert isinstance(result, Refused)
    return result


def check_forecast(result: Trained, series: Series) -> None:
    frame = result.forecast
    assert frame.index.equals(series.plan.index)
    assert frame.columns.tolist() == ["mean", "open", *COLUMNS]
    numbers = frame.drop(columns="open").to_numpy()
    assert np.isfinite(numbers).all()
    assert (numbers >= 0.0).all()
    assert (np.diff(frame[COLUMNS].to_numpy(), axis=1) >= 0.0).all()
    assert (numbers[~frame["open"].to_numpy()] == 0.0).all()
    assert frame["open"].tolist() == series.plan["open"].tolist()


def test_a_bakery_is_trained_judged_and_forecast() -> None:
    series = bakery_series(days=420, regressors={"promo": (8.0, True), "rain": (2.0, False)})
    result = trained(series)
    check_forecast(result, series)
    assert result.family == "prophet"
    assert result.stage in (Stage.MATURE, Stage.VALIDATION)
    assert result.skill > 0.1
    assert result.confidence > 0.9
    assert result.scores.wql is not None
    assert result.baseline_scores.wql is not None
    assert result.skill == pytest.approx(1 - result.scores.wql / result.baseline_scores.wql)
    assert result.interval_coverage == result.scores.coverage80
    assert 0.6 < (result.interval_coverage or 0.0) <= 1.0
    assert len(result.trials) == 1
    assert {str(record["family"]) for record in result.fold_scores} == {"prophet"}
    assert {"trend", "weekly", "yearly", "holidays", "promo"} <= set(result.effects["magnitude"])


def test_the_parts_of_a_forecast_sum_to_its_mean() -> None:
    for level in (60.0, 2.0):
        result = trained(bakery_series(days=300, level=level))
        parts = np.sum(list(result.effects["parts"].values()), axis=0)
        np.testing.assert_allclose(parts, result.forecast["mean"].to_numpy(), atol=1e-9)


def test_the_same_data_and_seed_give_the_same_result() -> None:
    series, config = bakery_series(days=300), TrainingConfig(max_trials=3, search_folds=2)
    first, again = trained(series, config), trained(series, config)
    assert without_seconds(first) == without_seconds(again)
    assert_frame_equal(first.forecast, again.forecast)


def test_everything_but_the_frame_is_json_without_nan() -> None:
    result = trained(bakery_series(days=120))
    for part in (
        result.params,
        asdict(result.scores),
        result.fold_scores,
        result.trials,
        result.effects,
        result.bundle,
        asdict(QUICK),
    ):
        assert json.loads(json.dumps(part, allow_nan=False)) is not None


@pytest.mark.parametrize("family", ["prophet", "baseline"])
def test_a_bundle_replays_its_forecast_from_json(family: str) -> None:
    series = bakery_series(days=150, regressors={"promo": (8.0, True)})
    result = trained(series, replace(QUICK, families=(family,)))
    assert result.family == family
    bundle = json.loads(json.dumps(result.bundle))
    assert_frame_equal(replay(bundle, series), result.forecast)
    with pytest.raises(ForeignBundleError, match="trained on data"):
        replay(bundle, bakery_series(days=150, seed=9))
    with pytest.raises(ForeignBundleError, match="of engine 0"):
        replay(bundle | {"engine": 0}, series)


def test_what_has_no_pattern_stays_on_paper() -> None:
    walk = np.random.default_rng(2).normal(0, 1, 160).cumsum()
    result = trained(series_of(list(100 + 5 * walk)))
    assert result.skill < 0.0
    assert (result.family, result.stage) == ("prophet", Stage.PAPER)
    assert result.scores != result.baseline_scores


def _all_closed() -> Series:
    series = bakery_series(days=100)
    return replace(series, history=series.history.assign(open=False, quantity=np.nan))


def _silent_lately() -> Series:
    return series_of([float(3 + day % 4) for day in range(40)] + [float("nan")] * 200)


def _beyond_numbers() -> Series:
    """A regressor whose sum is no number any more."""
    series = bakery_series(regressors={"price": (0.0, True)})
    for frame in (series.history, series.plan):
        frame["price"] = np.where(frame["price"] > 0.0, 1.7e308, 1.0e308)
    return series


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: series_of([1.0, 2.0] * 14), "too_short"),
        (lambda: series_of([5.0]), "too_short"),
        (lambda: series_of([float("nan")] * 90), "too_short"),
        (lambda: series_of([5.0] * 90), "constant"),
        (lambda: series_of([0.0] * 90), "all_zero"),
        (_all_closed, "all_closed"),
        (_silent_lately, "nothing_to_judge"),
        (lambda: replace(bakery_series(), country="XX"), "unknown_region"),
        (lambda: replace(bakery_series(), subdivision="QQ"), "unknown_region"),
        (lambda: bakery_series(horizon=0), "nothing_planned"),
        (_beyond_numbers, "not_solvable"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_its_reason(
    make: Callable[[], Series], code: str
) -> None:
    found = refusal(make())
    assert found.code == code
    assert len(found.message) > 20


def _mostly_zero() -> list[float]:
    sales = np.zeros(200)
    sales[np.random.default_rng(2).choice(200, 12, replace=False)] = 3.0
    return sales.tolist()


HARD: dict[str, Callable[[], Series]] = {
    "shortest": lambda: series_of([float(3 + day % 4) for day in range(30)]),
    "one day of many": lambda: series_of([1.0] + [0.0] * 120),
    "one late sale": lambda: series_of([0.0] * 120 + [9.0]),
    "mostly zero": lambda: series_of(_mostly_zero()),
    "huge": lambda: bakery_series(days=100, level=6e9, noise=1e9),
    "tiny": lambda: bakery_series(days=100, level=6e-9, noise=1e-9),
    "always sold out": lambda: replace(
        bakery_series(days=100), history=bakery_series(days=100).history.assign(stockout=True)
    ),
    "one outlier": lambda: series_of([5.0, 6.0] * 50 + [1e7] + [5.0, 6.0] * 20),
    "negative": lambda: series_of([float(day % 5 - 2) for day in range(90)]),
    "ended": lambda: series_of([5.0, 7.0, 9.0] * 40 + [0.0] * 100),
    "begun late": lambda: series_of([float("nan")] * 150 + [4.0, 5.0, 6.0, 7.0] * 15),
    "single weekday": lambda: series_of(
        [float(day % 4) + 1 if day % 7 == 2 else float("nan") for day in range(365)]
    ),
    "every other week": lambda: series_of(
        [float(day % 5) if day // 7 % 2 else float("nan") for day in range(200)]
    ),
    "one day ahead": lambda: bakery_series(days=90, horizon=1),
    "a long way ahead": lambda: bakery_series(days=90, horizon=120),
    "closed all along the plan": lambda: replace(
        bakery_series(days=90), plan=bakery_series(days=90).plan.assign(open=False)
    ),
    "leap day": lambda: bakery_series(days=60, start="2023-12-31"),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_series_end_in_a_forecast_or_a_reason(name: str) -> None:
    series = HARD[name]()
    result = train(series, replace(QUICK, horizon_days=len(series.plan)))
    if isinstance(result, Refused):
        assert result.code
    else:
        check_forecast(result, series)
        json.dumps([asdict(result.scores), result.bundle], allow_nan=False)


def test_progress_never_falls_and_goes_through_every_stage() -> None:
    seen: list[Progress] = []
    train(bakery_series(days=300), TrainingConfig(max_trials=3), report=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert [stage for stage, _ in itertools.groupby(p.stage for p in seen)] == [
        TrainingStage.FEATURES,
        TrainingStage.SEARCH,
        TrainingStage.EVALUATE,
        TrainingStage.FIT,
        TrainingStage.CALIBRATE,
    ]
    assert max(progress.trials_done for progress in seen) == 3


@pytest.mark.parametrize("optimizer", ["tpe", "random", "grid", "cmaes"])
def test_every_optimizer_trains_and_repeats_itself(optimizer: str) -> None:
    config = TrainingConfig(optimizer=optimizer, max_trials=8)
    series = bakery_series(days=300)
    first, again = trained(series, config), trained(series, config)
    assert first.trials == again.trials
    assert len({str(trial["parameters"]) for trial in first.trials}) == 8


def test_the_last_models_parameters_are_tried_first() -> None:
    series, before = bakery_series(days=300), {"changepoint_prior_scale": 0.2, "gone": 1.0}
    result = trained(series, TrainingConfig(max_trials=2, first_params=before))
    default, second = (trial["parameters"] for trial in result.trials)
    assert second == {**default, "changepoint_prior_scale": 0.2}  # type: ignore[dict-item]
    assert trained(series, TrainingConfig(max_trials=2, first_params=result.params)).trials


def test_a_spent_budget_trains_with_the_default() -> None:
    ticks = itertools.count(0.0, 100.0)
    config = TrainingConfig(max_trials=20, max_seconds=10.0)
    result = train(bakery_series(days=300), config, clock=lambda: next(ticks))
    assert isinstance(result, Trained)
    assert len(result.trials) == 1
    assert result.seconds > 0.0


def test_warnings_name_short_histories_and_useless_regressors() -> None:
    series = bakery_series(days=60, regressors={"flag": (0.0, True)})
    series.history["flag"] = 1.0
    joined = "\n".join(trained(series).warnings)
    assert "short_history" in joined
    assert "'flag'" in joined


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"horizon_days": 0}, "horizon_days is 0"),
        ({"optimizer": "magic"}, "'magic'"),
        ({"families": ("oracle",)}, "'oracle'"),
        ({"families": ()}, "families is empty"),
        ({"max_trials": 0}, "max_trials is 0"),
        ({"min_training_days": 5}, "min_training_days is 5"),
        ({"contest_folds": 0}, "contest_folds is 0"),
        ({"backend": "magic"}, "'magic'"),
        ({"least_gain": -0.1}, "least_gain is -0.1"),
    ],
)
def test_options_out_of_range_are_refused_by_name(change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidConfigError, match=said):
        TrainingConfig(**change)  # type: ignore[arg-type]


def test_sold_out_days_do_not_pull_the_forecast_down() -> None:
    series, quick = bakery_series(days=180, noise=10.0), replace(QUICK, search_folds=0)
    cap = series.history["quantity"].groupby(series.history.index.day_of_week).transform("mean")
    cut = series.history.assign(
        quantity=series.history["quantity"].clip(upper=cap),
        stockout=series.history["quantity"] > cap,
    )
    unflagged = cut.assign(stockout=False)
    truth = trained(series, quick).forecast["mean"].mean()
    censored = trained(replace(series, history=cut), quick).forecast["mean"].mean()
    blind = trained(replace(series, history=unflagged), quick).forecast["mean"].mean()
    assert blind < censored
    assert abs(truth - censored) < abs(truth - blind)
