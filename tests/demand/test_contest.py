"""The contest is fought on unseen folds, and the baseline is what has to be beaten."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from services.training.demand.backtest import Fold, FoldForecast, plan_folds
from services.training.demand.baseline import Baseline
from services.training.demand.comparison import Gain
from services.training.demand.config import Family
from services.training.demand.contest import (
    Contest,
    Standing,
    as_is,
    compete,
    fold_scores,
    gain_over,
    scores_of,
    skill,
    stage_of,
    winner,
)
from services.training.demand.families import Entry, FittedBaseline, baseline_entry
from services.training.demand.metrics import bias, wape, wql
from services.training.demand.outcome import Stage
from services.training.demand.prediction import LEVELS, Prediction
from services.training.demand.series import Series
from tests.demand.made_series import bakery_series, series_of

DECILES = [level for level in LEVELS if 0.1 <= level <= 0.9]


def entry_of(family: Family) -> Entry:
    def fit(series: Series) -> FittedBaseline:
        return FittedBaseline(series, Baseline.SAME_WEEKDAY_MEAN)

    return Entry(family, {}, fit, ())


def standing_of(errors: list[list[float]], family: Family = Family.PROPHET) -> Standing:
    """A standing whose forecasts err by exactly these, fold by fold, and claim no spread."""
    forecasts = []
    for fold_errors in errors:
        mean = np.full(len(fold_errors), 50.0)
        actual = mean + np.array(fold_errors)
        fold = Fold(series_of([50.0] * 30, horizon=len(mean)), actual, np.full(len(mean), True))
        quantiles = np.repeat(mean[:, None], len(LEVELS), axis=1)
        forecasts.append(FoldForecast(fold, Prediction(mean, quantiles)))
    return Standing(entry_of(family), tuple(forecasts), tuple(forecasts))


def steady(error: float, folds: int = 3) -> Standing:
    return standing_of([[error] * 28] * folds)


def stage(reference: Standing, standing: Standing) -> Stage:
    return stage_of(reference, standing, gain_over(reference, standing))


def test_the_best_that_beats_the_baseline_wins() -> None:
    good, better = steady(4.0), steady(2.0)
    assert winner([good, better], reference=steady(5.0)) is better


def test_of_none_that_beats_it_the_best_model_is_kept_on_paper() -> None:
    baseline = standing_of([[5.0] * 28] * 3, Family.BASELINE)
    bad, worse = steady(6.0), steady(9.0)
    kept = winner([baseline, worse, bad], reference=steady(5.0))
    assert kept is bad
    assert stage(steady(5.0), kept) is Stage.PAPER
    assert winner([baseline], reference=steady(5.0)) is baseline
    assert stage(steady(5.0), baseline) is Stage.PAPER


def test_the_combination_gives_way_only_to_what_beats_it_clearly() -> None:
    combined = steady(5.0)
    combined = replace(combined, entry=replace(combined.entry, family=Family.COMBINE))
    wavering = standing_of([[9.0] * 7 + [0.5] * 7 + [8.5] * 7 + [0.5] * 7] * 3)
    clearly = standing_of([[4.5] * 7 + [4.0] * 7 + [4.5] * 14] * 3)
    assert wavering.loss < combined.loss
    assert winner([wavering, combined], reference=steady(9.0)) is combined
    assert winner([wavering, clearly, combined], reference=steady(9.0)) is clearly
    assert winner([wavering, clearly], reference=steady(9.0)) is clearly
    assert winner([combined, steady(7.0)], reference=steady(3.0)) is combined


def test_stages_follow_the_evidence() -> None:
    reference = steady(10.0)
    faded = standing_of([[2.0] * 28, [2.0] * 28, [12.0] * 28])
    likely = standing_of([[12.0] * 7 + [8.0] * 21, [12.0] * 14 + [8.0] * 14, [9.0] * 28])
    unsure = standing_of([[9.0] * 7 + [12.0] * 7 + [9.5] * 7 + [8.5] * 7])
    assert stage(reference, steady(9.0)) is Stage.MATURE
    assert stage(reference, likely) is Stage.VALIDATION
    assert stage(steady(10.0, folds=1), unsure) is Stage.DISCOVERY
    assert stage(reference, faded) is Stage.DECAY


def test_a_few_bad_weeks_are_outvoted_by_what_other_products_gained() -> None:
    bad_luck = standing_of([[9.0] * 7 + [12.0] * 7 + [9.5] * 7 + [10.5] * 7])
    alone = Contest(steady(10.0, folds=1), (bad_luck,))
    assert alone.gain == alone.own_gain
    assert alone.own_gain.mean < 0.0
    assert replace(alone, expected=Gain(0.2, 0.05)).gain.mean > 0.0
    assert replace(alone, expected=Gain(-0.2, 0.05)).gain.mean < alone.own_gain.mean


def test_many_bad_weeks_are_not_outvoted() -> None:
    bad = standing_of([[12.0] * 7 + [13.0] * 7 + [12.0] * 14] * 3)
    contest = Contest(steady(10.0), (bad,), expected=Gain(0.2, 0.1))
    assert contest.gain.mean < 0.0


def test_what_is_expected_counts_in_shares_of_the_series_own_level() -> None:
    small, large = (
        [[scale * error for error in (9, 12, 8, 11) for _ in range(7)]] for scale in (1, 9)
    )
    gains = [
        Contest(steady(10.0 * scale, folds=1), (standing_of(errors),), Gain(0.2, 0.05)).gain
        for scale, errors in ((1, small), (9, large))
    ]
    assert gains[1].mean == pytest.approx(9 * gains[0].mean)
    assert gains[1].probability == pytest.approx(gains[0].probability)


def test_skill_is_the_share_of_quantile_loss_saved() -> None:
    assert skill(steady(10.0), steady(4.0)) == pytest.approx(0.6)
    assert skill(steady(10.0), steady(12.0)) == pytest.approx(-0.2)
    assert skill(steady(0.0), steady(0.0)) == 0.0
    assert skill(steady(0.0), steady(1.0)) == -1.0


def test_scores_are_those_of_all_contest_days_together() -> None:
    series = bakery_series(days=300)
    folds = plan_folds(series, 28, 3, 3).contest
    standing = as_is(baseline_entry(Baseline.SAME_WEEKDAY_MEAN, []), folds)
    actual = np.concatenate([fold.actual[fold.scored] for fold in folds])
    mean = np.concatenate([f.prediction.mean[f.fold.scored] for f in standing.served])
    median = np.concatenate([f.prediction.median[f.fold.scored] for f in standing.served])
    quantiles = np.concatenate([f.prediction.quantiles[f.fold.scored] for f in standing.served])
    scores = scores_of(standing.served)
    assert scores.wape == pytest.approx(wape(actual, median))
    assert scores.bias == pytest.approx(bias(actual, mean))
    deciles = quantiles[:, [LEVELS.index(level) for level in DECILES]]
    assert scores.wql == pytest.approx(wql(actual, deciles, DECILES))
    assert 0.0 <= (scores.coverage80 or 0.0) <= 1.0


def test_scores_without_demand_are_none_not_nan() -> None:
    silent = standing_of([[-50.0] * 7])
    scores = scores_of(silent.served)
    assert (scores.wape, scores.wql, scores.bias) == (None, None, None)
    assert not [v for v in asdict(scores).values() if v is not None and math.isnan(v)]


def test_each_fold_is_calibrated_on_earlier_ones_alone() -> None:
    series = bakery_series(days=400, noise=15.0)
    plan = plan_folds(series, 28, 2, 3)
    entry = baseline_entry(Baseline.SAME_WEEKDAY_MEAN, plan.search)
    full, shorter = compete(entry, plan.contest), compete(entry, plan.contest[:2])
    for one, other in zip(full.served[:2], shorter.served, strict=True):
        np.testing.assert_array_equal(one.prediction.quantiles, other.prediction.quantiles)
    raw, served = full.raw[2].prediction, full.served[2].prediction
    assert not np.array_equal(raw.quantiles, served.quantiles)
    np.testing.assert_array_equal(raw.mean, served.mean)


def test_every_fold_has_a_record_beside_the_baseline() -> None:
    records = fold_scores([steady(4.0), steady(6.0)], reference=steady(5.0))
    assert len(records) == 6
    assert {record["fold"] for record in records} == {0, 1, 2}
    first = records[0]
    assert first["wape"] == pytest.approx(4.0 / 54.0)
    assert first["baseline"]["wape"] == pytest.approx(5.0 / 55.0)  # type: ignore[index]
