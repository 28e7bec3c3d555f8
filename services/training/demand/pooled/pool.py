"""One model across all of a tenant's series: direct quantiles and a Tweedie mean by LightGBM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np

from services.training.demand.pooled.boosters import answer, fit_boosters
from services.training.demand.pooled.combine import combine
from services.training.demand.pooled.config import BOOSTED_LEVELS, PoolConfig
from services.training.demand.pooled.examples import (
    Example,
    Knowledge,
    example_of,
    training_rows,
)
from services.training.demand.pooled.features import Columns, Vocabulary, as_matrix
from services.training.demand.pooled.levels import spread_over_levels
from services.training.demand.pooled.outlook import COLUMNS
from services.training.demand.pooled.rows import training_pairs
from services.training.demand.pooled.seasons import rhythms_of
from services.training.demand.prediction import LEVELS, Floats, Prediction
from services.training.demand.series import Series

if TYPE_CHECKING:
    import lightgbm

FEWEST_ROWS: Final = 200
MEMBERS: Final = ("full", "plain", "tweedie")
"""The forecasts that a pool has for a mixture."""
_MEDIAN: Final = LEVELS.index(0.5)


class View(StrEnum):
    FULL = "full"
    PLAIN = "plain"


class PoolTooSmallError(ValueError):
    """Too few days with known demand to learn anything across series."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"the series hold {rows} usable days together, a pool needs {FEWEST_ROWS}: "
            "send more history, or train without the pooled family"
        )
        self.rows = rows

    def __reduce__(self) -> tuple[type[PoolTooSmallError], tuple[int]]:
        """Crosses processes: an exception is rebuilt from its message otherwise."""
        return type(self), (self.rows,)


@dataclass(frozen=True, slots=True, eq=False)
class PooledAnswer:
    """For the plan of one series, raw: `full` and `plain` by a model for each level, from these
    views of the features; `tweedie` with their spread around a model of the mean, which is the
    mean of all three: expected demand."""

    full: Prediction
    plain: Prediction
    tweedie: Prediction

    @property
    def quantile(self) -> Prediction:
        """The mean of the two views."""
        return combine([self.full, self.plain])

    @property
    def members(self) -> tuple[Prediction, ...]:
        """All `MEMBERS`, for a mixture."""
        return self.full, self.plain, self.tweedie


@dataclass(frozen=True, slots=True, eq=False)
class FittedPool:
    """`quantiles`: a booster for each of `BOOSTED_LEVELS`, by its view of the features, because
    the mean of two that look differently errs less than either; `mean`: the Tweedie one."""

    config: PoolConfig
    knowledge: Knowledge
    quantiles: Mapping[View, tuple[lightgbm.Booster, ...]]
    mean: lightgbm.Booster

    def predict(self, series: Series) -> PooledAnswer:
        """The answer for `series.plan`, of at most `horizon_days`. The series may end after the
        pool's cut-off, and may be one that the pool has not seen."""
        return self.answers([series])[0]

    def answers(self, series: Sequence[Series]) -> list[PooledAnswer]:
        """What `predict` answers for each, every booster asked once for all of them."""
        if not series:
            return []
        asked = [_question(one, self) for one in series]
        table = stacked([question.table for question in asked])
        ends = np.cumsum([len(one.plan) for one in series])[:-1]
        boosted = {view: self._boosted(view, table) for view in View}
        mean = np.maximum(answer(self.mean, as_matrix(table)), 0.0)
        rows = zip(
            asked,
            np.split(boosted[View.FULL], ends),
            np.split(boosted[View.PLAIN], ends),
            np.split(mean, ends),
            strict=True,
        )
        return [question.answer(full, plain, relative) for question, full, plain, relative in rows]

    def _boosted(self, view: View, table: Columns) -> Floats:
        """Shape (rows, LEVELS), in units of the level."""
        features = as_matrix(seen_by(view, table))
        levels = [answer(booster, features) for booster in self.quantiles[view]]
        return spread_over_levels(np.column_stack(levels))


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """The days of one plan as the boosters see them, and the level of the series."""

    table: Columns
    scale: float

    def answer(self, full: Floats, plain: Floats, relative_mean: Floats) -> PooledAnswer:
        mean = self.scale * relative_mean
        seen, blind = (Prediction(mean, self.scale * quantiles) for quantiles in (full, plain))
        around = combine([seen, blind]).quantiles
        return PooledAnswer(seen, blind, Prediction(mean, _moved_to(mean, around)))


def _question(series: Series, pool: FittedPool) -> _Question:
    example = example_of(series, pool.config)
    targets = np.arange(example.track.days_known, example.track.days)
    origins = np.full(len(targets), example.track.origin)
    table = pool.knowledge.table(example, origins, targets)
    return _Question(table, float(example.scale[example.track.origin]))


def fit_pool(series: Sequence[Series], config: PoolConfig, seed: int) -> FittedPool:
    """The pool of these series as known at their ends. Raises `PoolTooSmallError` where they hold
    too few known days to learn from. The same series, configuration and seed give the same pool."""
    examples = [example_of(one, config) for one in series]
    tracks = [example.track for example in examples]
    pairs = training_pairs(tracks, config, seed)
    rows_found = sum(len(pair.targets) for pair in pairs)
    if rows_found < FEWEST_ROWS:
        raise PoolTooSmallError(rows_found)
    knowledge = Knowledge(_vocabulary(examples), rhythms_of(tracks))
    rows = training_rows(examples, pairs, knowledge, config)
    levels = [{"objective": "quantile", "alpha": level} for level in BOOSTED_LEVELS]
    tweedie = {"objective": "tweedie", "tweedie_variance_power": config.tweedie_power}
    quantiles = {
        View.FULL: fit_boosters(rows, levels, config, seed),
        View.PLAIN: fit_boosters(rows.without(COLUMNS), levels, config, seed),
    }
    (mean,) = fit_boosters(rows, [tweedie], config, seed)
    return FittedPool(config, knowledge, quantiles, mean)


def stacked(tables: Sequence[Columns]) -> Columns:
    """The rows of tables with the same columns, one after another."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def seen_by(view: View, table: Columns) -> Columns:
    """The columns of a table that a view holds."""
    match view:
        case View.FULL:
            return table
        case View.PLAIN:
            return {name: column for name, column in table.items() if name not in COLUMNS}
        case _:
            assert_never(view)


def _vocabulary(examples: Sequence[Example]) -> Vocabulary:
    """All names, in order; of the regressors those known for some day to come."""
    tracks = [example.track for example in examples]
    known = {
        name
        for track in tracks
        for name, values in track.regressors.items()
        if not np.isnan(values[track.days_known :]).all()
    }
    return Vocabulary(
        products=tuple(sorted({track.product for track in tracks})),
        locations=tuple(sorted({track.location for track in tracks})),
        occasions=tuple(sorted({name for track in tracks for name in track.occasions})),
        regressors=tuple(sorted(known)),
    )


def _moved_to(mean: Floats, quantiles: Floats) -> Floats:
    """The quantiles, multiplied day by day so that their median is the mean."""
    median = quantiles[:, _MEDIAN]
    factor = np.divide(mean, median, out=np.ones_like(mean), where=median > 0)
    moved: Floats = quantiles * np.clip(factor, 0.5, 2.0)[:, None]
    return moved
