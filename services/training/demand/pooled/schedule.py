"""When the pools of a tenant are cut, so that a contest can judge what knows nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from services.training.demand.backtest import Fold, fold_at, plan_folds
from services.training.demand.config import TrainingConfig
from services.training.demand.features import planned_regressors
from services.training.demand.series import Series

_FEWEST_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Schedule:
    """The last day that each dated pool knows, in order of time; `days` after the first of them
    the mixture is learnt, and with the next the contest may begin."""

    cutoffs: tuple[pd.Timestamp, ...]
    days: int

    @property
    def learnt_through(self) -> pd.Timestamp:
        return self.cutoffs[0] + pd.Timedelta(days=self.days)


def schedule_of(series: Sequence[Series], config: TrainingConfig) -> Schedule | None:
    """By the series with the longest history: one cut-off a horizon, and at least 14 days, before
    its first contest fold, another in the middle of its contest. None where it has no contest.

    Cut-offs are shared by all series; one with a shorter history has shorter folds, which lie
    later and find the same pools before them."""
    end = max(one.data_through for one in series)
    current = [one for one in series if one.data_through == end]
    longest = max(current, key=lambda one: len(one.history))
    contest = plan_folds(
        longest, config.horizon_days, config.search_folds, config.contest_folds
    ).contest
    if not contest:
        return None
    days = max(len(contest[0].actual), _FEWEST_DAYS)
    first = contest[0].cutoff - pd.Timedelta(days=days)
    return Schedule((first, contest[len(contest) // 2].cutoff), days)


def fold_after(series: Series, cutoff: pd.Timestamp, days: int) -> Fold | None:
    """The fold of so many days after the cut-off; None where the series was not there yet, or is
    not there any more."""
    row = (cutoff - series.history.index[0]).days
    if row < 0 or row + days >= len(series.history):
        return None
    fold = fold_at(series, planned_regressors(series), days, row)
    return fold if fold.can_judge else None
