"""How far a backup or a restoration is, as a bar for each stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from services.training.commands.progress import LABEL

if TYPE_CHECKING:
    from services.training.backup.progress import Report, Stage
    from services.training.commands.screen import Screen


@contextmanager
def stage_bars(screen: "Screen") -> "Iterator[Report]":
    """Bars over tables and artifacts; nothing is drawn where there is no terminal."""
    columns = (TextColumn(LABEL), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=screen.progress, disable=not screen.animated) as bars:
        begun: dict[str, TaskID] = {}

        def report(stage: "Stage", done: int, total: int) -> None:
            if stage.value not in begun:
                begun[stage.value] = bars.add_task(stage.value, total=total)
            bars.update(begun[stage.value], completed=done, total=total)

        yield report
