"""One honest contest a series: every entry on folds that no search saw, beside the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from services.training.demand.backtest import Fold, FoldForecast, walk_forward
from services.training.demand.baseline import Baseline
from services.training.demand.calibrate import Calibration, calibrate
from services.training.demand.comparison import Gain, compare, informed
from services.training.demand.config import Family
from services.training.demand.entry import Entry
from services.training.demand.families import baseline_entry
from services.training.demand.metrics import (
    bias,
    coverage,
    mase,
    naive_scale,
    pinball,
    wape,
    wql,
)
from services.training.demand.outcome import Scores, Stage
from services.training.demand.prediction import LEVELS, SCORED_LEVELS, Floats

_SCORED: Final = [LEVELS.index(level) for level in SCORED_LEVELS]
_LOWER, _UPPER = LEVELS.index(0.1), LEVELS.index(0.9)
_MATURE_CONFIDENCE: Final = 0.95
_VALIDATED_CONFIDENCE: Final = 0.8
_STANDARD_ERRORS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry after the contest: `raw` forecasts, and the same `served`: calibrated on what
    came before each fold."""

    entry: Entry
    raw: tuple[FoldForecast, ...]
    served: tuple[FoldForecast, ...]

    @property
    def losses(self) -> list[Floats]:
        """Mean pinball loss of each scored day, fold by fold."""
        return [
            pinball(f.actual, f.quantiles[:, _SCORED], SCORED_LEVELS).mean(axis=1)
            for f in self.served
        ]

    @property
    def loss(self) -> float:
        return float(np.concatenate(self.losses).sum())


@dataclass(frozen=True, slots=True)
class Contest:
    """`reference` is the same-weekday mean, just as the reader of a forecast computes it;
    `expected` the share of its loss that is saved on the tenant's other series, where known."""

    reference: Standing
    standings: tuple[Standing, ...]
    expected: Gain | None = None

    @property
    def best(self) -> Standing:
        return winner(self.standings, self.reference)

    @property
    def own_gain(self) -> Gain:
        """Of the best over the reference, on the days of this contest alone."""
        return gain_over(self.reference, self.best)

    @property
    def gain(self) -> Gain:
        """The same in the light of what was to be expected: few folds of one series mislead."""
        usual = float(np.concatenate(self.reference.losses).mean())
        if self.expected is None or usual == 0.0:
            return self.own_gain
        return informed(self.own_gain, self.expected.times(usual))

    @property
    def calibration(self) -> Calibration:
        """Of the best entry, on every walk-forward forecast that it ever made."""
        return _learnt(self.best.entry, self.best.raw)


def hold_contest(
    entries: Sequence[Entry], folds: Sequence[Fold], expected: Gain | None = None
) -> Contest:
    """Every entry on the same folds, which no search saw."""
    reference = as_is(baseline_entry(Baseline.SAME_WEEKDAY_MEAN, []), folds)
    return Contest(reference, tuple(compete(entry, folds) for entry in entries), expected)


def compete(entry: Entry, folds: Sequence[Fold]) -> Standing:
    """The entry on every contest fold, each calibrated on the rehearsal and the folds before."""
    raw = walk_forward(folds, lambda series: entry.fit(series).predict())
    return Standing(entry, tuple(raw), tuple(_calibrated(entry, raw)))


def as_is(entry: Entry, folds: Sequence[Fold]) -> Standing:
    """The entry without calibration."""
    raw = tuple(walk_forward(folds, lambda series: entry.fit(series).predict()))
    return Standing(entry, raw, raw)


def winner(standings: Sequence[Standing], reference: Standing) -> Standing:
    """The combination unless another beats it clearly; without one, the best of those that beat
    the reference; of none, the best that is not a baseline.

    The combination errs least nearly everywhere, and few folds cannot tell where it does not: the
    best of three on them is often the luckiest."""
    ranked = sorted(standings, key=lambda standing: standing.loss)
    for incumbent in (s for s in ranked if s.entry.family is Family.COMBINE):
        return next((s for s in ranked if _is_clearly_better(s, incumbent)), incumbent)
    challengers = [s for s in ranked if s.entry.family is not Family.BASELINE]
    if ranked[0].loss < reference.loss or not challengers:
        return ranked[0]
    return challengers[0]


def _is_clearly_better(challenger: Standing, incumbent: Standing) -> bool:
    gain = gain_over(incumbent, challenger)
    return gain.mean > _STANDARD_ERRORS * gain.standard_error


def gain_over(reference: Standing, standing: Standing) -> Gain:
    return compare(reference.losses, standing.losses)


def skill(reference: Standing, standing: Standing) -> float:
    """1 - wql / wql of the reference; 0 where neither errs."""
    if reference.loss == 0.0:
        return 0.0 if standing.loss == 0.0 else -1.0
    return 1.0 - standing.loss / reference.loss


def stage_of(reference: Standing, standing: Standing, gain: Gain) -> Stage:
    """How far the evidence goes that the standing has such a gain over the reference.

    Paper: no gain over the reference. Decay: a gain, but lost on the latest of three folds or
    more. Mature and validation: a gain that is real with 95 % and 80 %. Discovery: less sure.
    """
    if gain.mean <= 0.0:
        return Stage.PAPER
    latest = reference.losses[-1].sum() - standing.losses[-1].sum()
    if latest < 0.0 and len(standing.served) >= 3:
        return Stage.DECAY
    if gain.probability >= _MATURE_CONFIDENCE:
        return Stage.MATURE
    return Stage.VALIDATION if gain.probability >= _VALIDATED_CONFIDENCE else Stage.DISCOVERY


def scores_of(forecasts: Sequence[FoldForecast]) -> Scores:
    """Scores over the scored days of these forecasts together: WAPE and MASE of the medians,
    bias of the means."""
    actual = np.concatenate([f.actual for f in forecasts])
    median = np.concatenate([f.median for f in forecasts])
    mean = np.concatenate([f.mean for f in forecasts])
    quantiles = np.concatenate([f.quantiles for f in forecasts])
    scale = naive_scale(forecasts[0].fold.series.history["quantity"].to_numpy())
    return Scores(
        wape=_defined(wape(actual, median)),
        wql=_defined(wql(actual, quantiles[:, _SCORED], SCORED_LEVELS)),
        bias=_defined(bias(actual, mean)),
        mase=_defined(mase(actual, median, scale)),
        coverage80=_defined(coverage(actual, quantiles[:, _LOWER], quantiles[:, _UPPER])),
    )


def fold_scores(standings: Sequence[Standing], reference: Standing) -> list[dict[str, object]]:
    """One record a family and fold, the reference's own scores beside it."""
    return [
        {
            "family": standing.entry.family.value,
            "fold": number,
            "cutoff": str(served.fold.cutoff.date()),
            "days": len(served.actual),
            **asdict(scores_of([served])),
            "baseline": asdict(scores_of([beside])),
        }
        for standing in standings
        for number, (served, beside) in enumerate(
            zip(standing.served, reference.served, strict=True)
        )
    ]


def _calibrated(entry: Entry, raw: Sequence[FoldForecast]) -> list[FoldForecast]:
    served = []
    for position, forecast in enumerate(raw):
        known = _learnt(entry, raw[:position])
        served.append(FoldForecast(forecast.fold, known.apply(forecast.prediction)))
    return served


def _learnt(entry: Entry, raw: Sequence[FoldForecast]) -> Calibration:
    return calibrate([*entry.rehearsal, *raw], entry.prior_days)


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None
