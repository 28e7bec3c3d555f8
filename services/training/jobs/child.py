"""What a child does: bytes in, an outcome out. It imports the core and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from services.training.demand.config import Progress, TrainingConfig
from services.training.demand.outcome import Refused, Trained
from services.training.demand.pooled.pools import Pools, PoolTooSmallError, fit_pools
from services.training.demand.series import Series
from services.training.demand.train import train

POOL_TOO_SMALL = "pool_too_small"

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class SavedPools:
    """A pools artifact, told apart from others by its digest."""

    sha256: str
    content: bytes = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The dataset artifact of one series, and how to train on it."""

    dataset: bytes
    config: TrainingConfig
    pools: SavedPools | None


@dataclass(frozen=True, slots=True)
class PoolLesson:
    """The dataset artifacts of many series, to learn from together."""

    datasets: tuple[bytes, ...]
    config: TrainingConfig


def learn(lesson: Lesson, report: Report) -> Trained | Refused:
    pools = None if lesson.pools is None else _pools_of(lesson.pools)
    return train(Series.from_bytes(lesson.dataset), lesson.config, report, pools=pools)


def learn_pools(lesson: PoolLesson, report: Report) -> bytes | Refused:
    """The pools' bytes; refused where the series hold too little to learn from."""
    series = [Series.from_bytes(dataset) for dataset in lesson.datasets]
    try:
        return fit_pools(series, lesson.config, report).to_bytes()
    except PoolTooSmallError as error:
        return Refused(POOL_TOO_SMALL, str(error))


@lru_cache(maxsize=1)
def _pools_of(saved: SavedPools) -> Pools:
    """Parsed once for all the series of a job that this child trains in a row."""
    return Pools.from_bytes(saved.content)
