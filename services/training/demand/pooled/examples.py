"""A tenant's series as the pool reads them: tracks, Prophet's outlooks, and tables of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.training.demand.config import Tell, untold
from services.training.demand.pooled.boosters import Rows
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.features import (
    Columns,
    Vocabulary,
    as_matrix,
    feature_table,
    scale_of,
)
from services.training.demand.pooled.outlook import Memory, Outlook, outlook_of
from services.training.demand.pooled.rows import Pairs, ages
from services.training.demand.pooled.seasons import YearlyRhythm
from services.training.demand.pooled.track import Indices, Track, track_of
from services.training.demand.prediction import Floats
from services.training.demand.series import Series

_LARGEST_TARGET: Final = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One series of the pool; `scale` a day of history is what its demand is measured in."""

    track: Track
    outlook: Outlook
    scale: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What the pool knows beside the boosters: names, and the yearly rhythm of locations."""

    words: Vocabulary
    rhythms: Mapping[str, YearlyRhythm]

    def table(self, example: Example, origins: Indices, targets: Indices) -> Columns:
        """One row a pair of an origin and a later day."""
        track, scale = example.track, example.scale[origins]
        table = feature_table(track, origins, targets, example.scale, self.words, self.rhythms)
        return table | example.outlook.columns(origins, targets, scale)


def example_of(series: Series, config: PoolConfig, memory: Memory) -> Example:
    """The last `longest_days` of the series; `memory` holds nothing that it does not know."""
    recent = series.lately(config.longest_days)
    track = track_of(recent)
    reach = max(config.horizon_days, len(series.plan))
    return Example(track, outlook_of(recent, track, reach, memory), scale_of(track))


def training_rows(
    examples: Sequence[Example],
    pairs: Sequence[Pairs],
    knowledge: Knowledge,
    config: PoolConfig,
    tell: Tell = untold,
) -> Rows:
    """The rows of all pairs, weighted by age and by a power of volume."""
    names, features = _features(examples, pairs, knowledge, tell)
    weight = np.concatenate(
        [_weight(example, pair, config) for example, pair in zip(examples, pairs, strict=True)]
    )
    return Rows(
        features=features,
        names=names,
        target=np.concatenate(
            [_target(example, pair) for example, pair in zip(examples, pairs, strict=True)]
        ),
        weight=weight / weight.mean() if len(weight) else weight,
    )


def _features(
    examples: Sequence[Example], pairs: Sequence[Pairs], knowledge: Knowledge, tell: Tell
) -> tuple[tuple[str, ...], Floats]:
    """Filled series by series, so that the rows are in memory once."""
    ends = np.cumsum([len(pair.targets) for pair in pairs])
    names: tuple[str, ...] = ()
    features: Floats = np.empty((0, 0))
    for example, pair, end in zip(examples, pairs, ends, strict=True):
        table = knowledge.table(example, pair.origins, pair.targets)
        if not names:
            names, features = tuple(table), np.empty((ends[-1], len(table)))
        features[end - len(pair.targets) : end] = as_matrix(table)
        tell(end / ends[-1])
    return names, features


def _target(example: Example, pair: Pairs) -> Floats:
    relative: Floats = example.track.demand[pair.targets] / example.scale[pair.origins]
    return np.clip(relative, 0.0, _LARGEST_TARGET)


def _weight(example: Example, pair: Pairs, config: PoolConfig) -> Floats:
    fresh = 0.5 ** (ages(example.track, pair.targets) / config.half_life_days)
    weight: Floats = fresh * example.scale[pair.origins] ** config.volume_power
    return weight
