"""One model across all of a tenant's series: direct quantiles and a Tweedie mean by LightGBM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from services.training.demand.calendar import UnknownRegionError, require_region
from services.training.demand.config import Tell, between, untold
from services.training.demand.pooled.boosters import Rows, answer, fit_boosters
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
from services.training.demand.pooled.outlook import Memory
from services.training.demand.pooled.rows import training_pairs
from services.training.demand.pooled.seasons import rhythms_of
from services.training.demand.pooled.views import View, seen_by, unit_of
from services.training.demand.prediction import LEVELS, Floats, Prediction
from services.training.demand.series import Series

if TYPE_CHECKING:
    import lightgbm

FEWEST_ROWS: Final = 200
Memories = dict[tuple[str, str], Memory]
"""By location and product."""
MEMBERS: Final = ("direct", "corrected", "tweedie")
"""The forecasts that a pool has for a mixture."""
_ROWS: Final = 0.4
_FITTING: Final = {View.DIRECT: (_ROWS, 0.7), View.CORRECTING: (0.7, 1.0)}
"""What of the time of a fit the rows take, and each view's boosters, about."""
_MEDIAN: Final = LEVELS.index(0.5)


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
    """For the plan of one series, raw: `direct` and `corrected` by a model for each level, in
    these views of demand; `tweedie` with their spread around the mean of both views' models of the
    mean, which is the mean of all three: expected demand."""

    direct: Prediction
    corrected: Prediction
    tweedie: Prediction

    @property
    def quantile(self) -> Prediction:
        """The mean of the two views."""
        return combine([self.direct, self.corrected])

    @property
    def members(self) -> tuple[Prediction, ...]:
        """All `MEMBERS`, for a mixture."""
        return self.direct, self.corrected, self.tweedie


@dataclass(frozen=True, slots=True, eq=False)
class Boosters:
    """Of one view: `quantiles` one each of `BOOSTED_LEVELS`, `mean` the Tweedie one."""

    quantiles: tuple[lightgbm.Booster, ...]
    mean: lightgbm.Booster


@dataclass(frozen=True, slots=True, eq=False)
class FittedPool:
    """The boosters of each view, and all else that they need beside a series."""

    config: PoolConfig
    knowledge: Knowledge
    boosters: Mapping[View, Boosters]

    def predict(self, series: Series) -> PooledAnswer:
        """The answer for `series.plan`, of at most `horizon_days`. The series may end after the
        pool's cut-off, and may be one that the pool has not seen."""
        return self.answers([series])[0]

    def answers(self, series: Sequence[Series], past: Memories | None = None) -> list[PooledAnswer]:
        """What `predict` answers for each, every booster asked once for all of them. `past` as in
        `fit_pool`: none of it later than the end of any of the series."""
        if not series:
            return []
        asked = [_question(one, self, _memory(past, one)) for one in series]
        table = stacked([question.table for question in asked])
        ends = np.cumsum([len(one.plan) for one in series])[:-1]
        quantiles = [np.split(self._quantiles(view, table), ends) for view in View]
        mean = np.split(np.mean([self._mean(view, table) for view in View], axis=0), ends)
        rows = zip(asked, *quantiles, mean, strict=True)
        return [question.answer(*answered) for question, *answered in rows]

    def _quantiles(self, view: View, table: Columns) -> Floats:
        """Shape (rows, LEVELS), in units of the level."""
        features = as_matrix(table)
        levels = [answer(booster, features) for booster in self.boosters[view].quantiles]
        return unit_of(view, table)[:, None] * spread_over_levels(np.column_stack(levels))

    def _mean(self, view: View, table: Columns) -> Floats:
        relative = answer(self.boosters[view].mean, as_matrix(table))
        return unit_of(view, table) * np.maximum(relative, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """The days of one plan as the boosters see them, and the level of the series."""

    table: Columns
    scale: float

    def answer(self, direct: Floats, corrected: Floats, relative_mean: Floats) -> PooledAnswer:
        mean = self.scale * relative_mean
        first = Prediction(mean, self.scale * direct)
        second = Prediction(mean, self.scale * corrected)
        around = combine([first, second]).quantiles
        return PooledAnswer(first, second, Prediction(mean, _moved_to(mean, around)))


def _question(series: Series, pool: FittedPool, memory: Memory) -> _Question:
    example = example_of(series, pool.config, memory)
    targets = np.arange(example.track.days_known, example.track.days)
    origins = np.full(len(targets), example.track.origin)
    table = pool.knowledge.table(example, origins, targets)
    return _Question(table, float(example.scale[example.track.origin]))


def fit_pool(
    series: Sequence[Series],
    config: PoolConfig,
    seed: int,
    past: Memories | None = None,
    tell: Tell = untold,
) -> FittedPool:
    """The pool of these series as known at their ends; those that teach nothing are left out.
    Raises `PoolTooSmallError` where the others hold too few known days to learn from. The same
    series, configuration and seed give the same pool. `past` are the outlooks of pools that knew
    the same days, but no later ones; this pool's are added."""
    examples = [example_of(one, config, _memory(past, one)) for one in series if teaches(one)]
    tracks = [example.track for example in examples]
    pairs = training_pairs(tracks, config, seed)
    rows_found = sum(len(pair.targets) for pair in pairs)
    if rows_found < FEWEST_ROWS:
        raise PoolTooSmallError(rows_found)
    knowledge = Knowledge(_vocabulary(examples), rhythms_of(tracks))
    rows = training_rows(examples, pairs, knowledge, config, between(tell, 0.0, _ROWS))
    boosters = {
        view: _boosters(seen_by(view, rows), config, seed, between(tell, *_FITTING[view]))
        for view in View
    }
    return FittedPool(config, knowledge, boosters)


def _memory(past: Memories | None, series: Series) -> Memory:
    return {} if past is None else past.setdefault((series.location, series.product), {})


def teaches(series: Series) -> bool:
    """Whether a day of it is known, at a place whose calendar is."""
    try:
        require_region(series.country, series.subdivision)
    except UnknownRegionError:
        return False
    history = series.history
    return bool((history["open"] & history["quantity"].notna()).any())


def _boosters(rows: Rows, config: PoolConfig, seed: int, tell: Tell) -> Boosters:
    """Quantiles by extremely randomised trees, which err less together; the mean by usual ones."""
    quantiles = [
        {"objective": "quantile", "alpha": level, "extra_trees": True} for level in BOOSTED_LEVELS
    ]
    tweedie = {"objective": "tweedie", "tweedie_variance_power": config.tweedie_power}
    *found, mean = fit_boosters(rows, [*quantiles, tweedie], config, seed, tell)
    return Boosters(tuple(found), mean)


def stacked(tables: Sequence[Columns]) -> Columns:
    """The rows of tables with the same columns, one after another."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


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
