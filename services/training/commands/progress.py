"""Progress to look at: bars on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from services.training.commands.follow import FINISHED

if TYPE_CHECKING:
    from services.training.commands.answers import Event
    from services.training.commands.screen import Screen

Advance = Callable[[float], None]

CHUNK_BYTES = 64 * 1024
LABEL = "{task.description:<34}"
WHOLE_JOB = 100.0
ENDED = {"product.trained", "product.skipped", "product.failed", "product.cancelled"}
MARKS = {
    "product.trained": "[green]✓[/]",
    "product.skipped": "[green]=[/]",
    "product.failed": "[yellow]✗[/]",
    "product.cancelled": "[yellow]✗[/]",
    "source.degraded": "[yellow]![/]",
}
NOT_IN_LINES = {"product.started", "product.progress"}


@contextmanager
def byte_bar(screen: "Screen", what: str, size: int) -> Iterator[Advance]:
    """A bar over `size` bytes; nothing is drawn where there is no terminal."""
    columns = (TextColumn(LABEL), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with _bar(screen, what, size or 1, columns) as advance:
        yield advance


@contextmanager
def count_bar(screen: "Screen", what: str, total: int) -> Iterator[Advance]:
    """A bar over so many things; nothing is drawn where there is no terminal."""
    columns = (TextColumn(LABEL), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _bar(screen, what, total, columns) as advance:
        yield advance


@contextmanager
def _bar(
    screen: "Screen", what: str, total: int, columns: tuple[ProgressColumn, ...]
) -> Iterator[Advance]:
    with Progress(*columns, console=screen.progress, disable=not screen.animated) as bars:
        bar = bars.add_task(escape(what), total=total)
        yield lambda amount: bars.advance(bar, amount)


def sent_chunks(body: bytes, advance: Advance, share: float | None = None) -> Iterator[bytes]:
    """The body piece by piece, as it is sent; all of it advances by `share`, or by its size."""
    a_byte = 1.0 if share is None else share / max(1, len(body))
    for first in range(0, len(body), CHUNK_BYTES):
        chunk = body[first : first + CHUNK_BYTES]
        yield chunk
        advance(a_byte * len(chunk))


def watch_job(screen: "Screen", events: "Iterator[Event]") -> None:
    """Show a job's events until it is finished: a bar for it, a line for each product at work."""
    if screen.animated:
        _watch_in_bars(screen, events)
    else:
        _watch_in_lines(screen, events)


def _watch_in_lines(screen: "Screen", events: "Iterator[Event]") -> None:
    for event in events:
        if event["type"] not in NOT_IN_LINES:
            screen.say(f"[{event['percent']:5.1f} %] {event['message']}")


def _watch_in_bars(screen: "Screen", events: "Iterator[Event]") -> None:
    columns = (TextColumn(LABEL), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[doing]}"),
        console=screen.progress,
    ) as bars:
        job = JobBars(bars)
        for event in events:
            job.show(event)


class JobBars:
    """The bars of one job."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._job = bars.add_task("training", total=WHOLE_JOB, doing="")
        self._products: dict[tuple[str, str], TaskID] = {}

    def show(self, event: "Event") -> None:
        self._bars.update(self._job, completed=event["percent"])
        if "product" in event:
            self._show_product(event, (event["product"], event["location"]))
        elif event["type"] == FINISHED:
            self._bars.update(self._job, doing=escape(event["message"]))
        elif event["type"] in MARKS:
            self._tell(event)

    def _show_product(self, event: "Event", series: tuple[str, str]) -> None:
        if event["type"] in ENDED:
            self._tell(event)
            bar = self._products.pop(series, None)
            if bar is not None:
                self._bars.remove_task(bar)
            return
        if series not in self._products:
            name = f"  {' at '.join(series)}"
            self._products[series] = self._bars.add_task(escape(name), total=1.0, doing="")
        data = event.get("data", {})
        trials = data.get("trials", 0)
        self._bars.update(
            self._products[series],
            completed=data.get("fraction", 0.0),
            doing=data.get("stage", "") + (f", {trials} trials" if trials else ""),
        )

    def _tell(self, event: "Event") -> None:
        self._bars.console.print(
            f"{MARKS[event['type']]} {escape(event['message'])}", highlight=False
        )
