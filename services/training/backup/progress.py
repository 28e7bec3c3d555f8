"""How far a backup or a restoration is."""

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    DATABASE = "database"
    ARTIFACTS = "artifacts"


Report = Callable[[Stage, int, int], None]
"""Called with a stage, how many of its parts are done (tables or artifacts), and of how many."""


def counting(report: Report, stage: Stage, total: int) -> Callable[[], None]:
    """To be called for each part that is done."""
    done = 0
    report(stage, done, total)

    def another() -> None:
        nonlocal done
        done = min(done + 1, total)
        report(stage, done, total)

    return another
