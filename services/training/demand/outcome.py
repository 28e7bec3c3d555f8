"""What a training ends with: a trained model, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd


class Stage(StrEnum):
    PAPER = "paper"
    DISCOVERY = "discovery"
    VALIDATION = "validation"
    MATURE = "mature"
    DECAY = "decay"


@dataclass(frozen=True, slots=True)
class Scores:
    """Over the scored days of the contest folds: `wape` and `mase` of the median, `bias` of the
    mean. None where undefined: no such day, no demand on any of them (wape, wql, bias), or no
    variation before (mase). `coverage80` is the share of days within
    the 10 % and 90 % quantiles."""

    wape: float | None
    wql: float | None
    bias: float | None
    mase: float | None
    coverage80: float | None


@dataclass(frozen=True, slots=True)
class Refused:
    """No model was trained. `code` is stable: that of the quality finding that refuses, or
    `nothing_planned`, `unknown_region`, `nothing_to_judge`, `no_pool`, `not_solvable`; `message`
    names values and way out."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model, its record and its forecast.

    `scores` and `baseline_scores` are those of the contest folds, which no search saw; `skill` is
    1 - wql / baseline wql. A model of stage `paper` did not beat the same-weekday baseline:
    `forecast` is its own, and the baseline is what should be served. `confidence` is the
    probability, by the contest's weeks and by what the tenant's other products gained, that its
    gain is real: a few bad weeks may be outvoted, which a warning says. A product too new for a
    contest has no scores: its `skill` and `confidence` are those that the pool had on other
    products cut as short. `interval_coverage` is the share of contest days inside the 80 %
    interval, each fold calibrated on earlier folds alone.
    `effects`: "parts", a list of units a plan day for each additive part (they sum to the
    forecast's mean), and "magnitude", the mean absolute size of each over the open plan days.
    """

    family: str
    params: dict[str, object]
    scores: Scores
    baseline_scores: Scores
    skill: float
    stage: Stage
    confidence: float
    forecast: pd.DataFrame
    interval_coverage: float | None
    fold_scores: list[dict[str, object]]
    trials: list[dict[str, object]]
    effects: dict[str, dict[str, object]]
    demand_class: str
    warnings: tuple[str, ...]
    seconds: float
    bundle: dict[str, object]
