"""What a training child does: bytes in, an outcome out. It imports the core and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

from services.training.demand.config import Progress, TrainingConfig
from services.training.demand.outcome import Refused, Trained
from services.training.demand.series import Series
from services.training.demand.train import train


@dataclass(frozen=True, slots=True)
class Lesson:
    """The dataset artifact of one series, and how to train on it."""

    dataset: bytes
    config: TrainingConfig


def learn(lesson: Lesson, report: Callable[[Progress], None]) -> Trained | Refused:
    return train(Series.from_bytes(lesson.dataset), lesson.config, report)
