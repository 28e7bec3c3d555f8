"""Pools as they would have been before a contest and in the middle of it, and what they teach.

All goes in order of time, so that what an earlier pool expected serves later ones, never the other
way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd

from services.training.demand.backtest import Fold
from services.training.demand.comparison import Gain
from services.training.demand.config import Tell, between
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.expectation import expected_gain
from services.training.demand.pooled.forward import DatedPool, fit_dated_pools
from services.training.demand.pooled.newcomers import Newcomers, judge_newcomers
from services.training.demand.pooled.pool import Memories
from services.training.demand.pooled.rehearsal import (
    Mixtures,
    Rehearsal,
    learn_mixtures,
    rehearse,
)
from services.training.demand.pooled.schedule import Schedule, fold_after
from services.training.demand.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class Hindsight:
    """`mixtures` know nothing after `learnt_through` (None: they are unrehearsed, and know
    nothing), so that a contest can judge them; those to be `served` have learnt from its days too.
    `newcomers` tells how the last of the `dated` did on new products, `expected` what share of the
    baseline's loss the first of them and Prophet saved on the days that the mixtures learnt from;
    None where that could not be."""

    dated: tuple[DatedPool, ...]
    mixtures: Mixtures
    served: Mixtures
    learnt_through: pd.Timestamp | None
    newcomers: Newcomers | None
    expected: Gain | None

    @classmethod
    def none(cls) -> Self:
        """Where there was too little to learn from earlier."""
        unrehearsed = Mixtures.unrehearsed()
        return cls((), unrehearsed, unrehearsed, None, None, None)


def look_back(
    series: Sequence[Series],
    rehearsed: Sequence[Series],
    schedule: Schedule,
    config: PoolConfig,
    seed: int,
    past: Memories,
    tell: Tell,
) -> Hindsight:
    """Of pools of `series` at the schedule's cut-offs, rehearsed on some of these: on all of them
    before the contest, then on a part of them on each of its later folds in turn. What was expected
    is added to `past`."""
    before, amid = schedule.cutoffs
    first = fit_dated_pools(series, [before], config, seed, past, between(tell, 0.0, 0.4))
    early = _rehearsals(first, _folds(rehearsed, before, schedule.days), past)
    tell(0.5)
    second = fit_dated_pools(series, [amid], config, seed, past, between(tell, 0.5, 0.85))
    late = [
        rehearsal
        for turn, cutoff in enumerate(schedule.later)
        for rehearsal in _rehearsals(
            second, _folds(rehearsed[turn :: len(schedule.later)], cutoff, schedule.days), past
        )
    ]
    mixtures = learn_mixtures(early)
    return Hindsight(
        dated=(*first, *second),
        mixtures=mixtures,
        served=learn_mixtures([*early, *late]),
        learnt_through=schedule.learnt_through if first else None,
        newcomers=_newcomers([*first, *second], mixtures, rehearsed, schedule.days),
        expected=expected_gain(mixtures, early),
    )


def _rehearsals(
    dated: Sequence[DatedPool], folds: Sequence[Fold], past: Memories
) -> list[Rehearsal]:
    return [rehearsal for one in dated for rehearsal in rehearse(one.pool, folds, past)]


def _newcomers(
    dated: Sequence[DatedPool], mixtures: Mixtures, series: Sequence[Series], days: int
) -> Newcomers | None:
    if not dated:
        return None
    folds = _folds(series, dated[-1].cutoff, days)
    return judge_newcomers(dated[-1].pool, mixtures.alone, folds)


def _folds(series: Sequence[Series], cutoff: pd.Timestamp, days: int) -> list[Fold]:
    found = (fold_after(one, cutoff, days) for one in series)
    return [fold for fold in found if fold is not None]
