"""Bars over what is sent or gone through, on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from services.training.commands.screen import Screen

Reach = Callable[[float], None]
Advance = Callable[[float], None]

LABEL = "{task.description:<34}"


@contextmanager
def share_bar(screen: "Screen", what: str) -> Iterator[Reach]:
    """A bar from 0 to 1, moved to where one is; nothing is drawn where there is no terminal."""
    columns = (TextColumn(LABEL), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.progress, disable=not screen.animated) as bars:
        bar = bars.add_task(escape(what), total=1.0)
        yield lambda share: bars.update(bar, completed=share)


@contextmanager
def count_bar(screen: "Screen", what: str, total: int) -> Iterator[Advance]:
    """A bar over so many things, moved by each; nothing is drawn where there is no terminal."""
    columns = (TextColumn(LABEL), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.progress, disable=not screen.animated) as bars:
        bar = bars.add_task(escape(what), total=total)
        yield lambda amount: bars.advance(bar, amount)
