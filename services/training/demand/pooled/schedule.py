"""When the pools of a tenant are cut, so that a contest can judge what knows nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from services.training.demand.backtest import Fold, contest_layout, fold_at
from services.training.demand.config import TrainingConfig
from services.training.demand.features import planned_regressors
from services.training.demand.series import Series

_FEWEST_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Schedule:
    """The last day that each dated pool knows, in order of time; `days` after the first of them
    the mixture is learnt, and with the next the contest may begin. `end` is the last known day."""

    cutoffs: tuple[pd.Timestamp, pd.Timestamp]
    days: int
    end: pd.Timestamp

    @property
    def learnt_through(self) -> pd.Timestamp:
        return self.cutoffs[0] + pd.Timedelta(days=self.days)

    @property
    def later(self) -> tuple[pd.Timestamp, ...]:
        """Cut-offs of folds that lie end to end from the second pool's on: at least one."""
        known = (self.end - self.cutoffs[1]).days
        steps = range(max(known // self.days, 1))
        return tuple(self.cutoffs[1] + pd.Timedelta(days=self.days * step) for step in steps)


def schedule_of(series: Sequence[Series], config: TrainingConfig) -> Schedule | None:
    """By the series with the longest history: one cut-off a horizon, and at least 14 days, before
    its first contest fold, another in the middle of its contest. None where it has no contest.

    Cut-offs are shared by all series; one with a shorter history has shorter folds, which lie
    later and find the same pools before them."""
    end = max(one.data_through for one in series)
    longest = max(len(one.history) for one in series if one.data_through == end)
    contest = contest_layout(
        longest, config.horizon_days, config.search_folds, config.contest_folds
    )
    if not contest.cutoffs:
        return None
    begin, middle = (
        end - pd.Timedelta(days=longest - 1 - contest.cutoffs[position])
        for position in (0, len(contest.cutoffs) // 2)
    )
    days = max(contest.days, _FEWEST_DAYS)
    return Schedule((begin - pd.Timedelta(days=days), middle), days, end)


def fold_after(series: Series, cutoff: pd.Timestamp, days: int) -> Fold | None:
    """The fold of so many days after the cut-off; None where the series was not there yet, or is
    not there any more."""
    row = (cutoff - series.history.index[0]).days
    if row < 0 or row + days >= len(series.history):
        return None
    fold = fold_at(series, planned_regressors(series), days, row)
    return fold if fold.can_judge else None
