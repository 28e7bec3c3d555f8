"""A job to look at while it runs: bars on a terminal, lines elsewhere."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from services.training.commands.progress import LABEL

if TYPE_CHECKING:
    from morrow.schemas import Event, Job
    from services.training.commands.screen import Screen

WHOLE_JOB: Final = 100.0
MOST_BARS: Final = 8
MINUTE, HOUR = 60, 3600
FINISHED: Final = "job.finished"
MARKS: Final = {
    "product.trained": "[green]✓[/]",
    "product.skipped": "[green]=[/]",
    "product.failed": "[yellow]✗[/]",
    "product.cancelled": "[yellow]✗[/]",
}
DEGRADED: Final = {"source.degraded": "[yellow]![/]"}
NOT_IN_LINES: Final = {"product.started", "product.progress"}

Series = tuple[str, str]


def watch_job(screen: "Screen", job: "Job", events: "Iterable[Event]") -> None:
    """Show a job's events until it is finished: a bar for it and one for each series at work, or
    a line for each event but the passing ones."""
    if screen.animated:
        _watch_in_bars(screen, job, events)
    else:
        _watch_in_lines(screen, events)


def _watch_in_lines(screen: "Screen", events: "Iterable[Event]") -> None:
    for event in events:
        if event["type"] not in NOT_IN_LINES:
            left = "" if event["type"] == FINISHED else time_left(event.get("eta_seconds"))
            told = f"[{event['percent']:5.1f} %{left and ', ' + left}] {event['message']}"
            screen.say(told)


def _watch_in_bars(screen: "Screen", job: "Job", events: "Iterable[Event]") -> None:
    with Progress(*COLUMNS, console=screen.progress) as bars:
        shown = JobBars(bars, age_seconds(job))
        for event in events:
            shown.show(event)


class TimeLeftColumn(ProgressColumn):
    """Counts down from what the service said last: it knows more of the job than its pace here."""

    def render(self, task: Task) -> Text:
        due = task.fields["due"]
        left = None if due is None or task.finished else max(0.0, due - task.get_time())
        return Text(time_left(left), style="progress.remaining")


IN_ONE_LINE: Final = Column(no_wrap=True, overflow="ellipsis")
COLUMNS: Final = (
    *(TextColumn(LABEL), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()),
    *(TimeLeftColumn(IN_ONE_LINE), TextColumn("{task.fields[doing]}", table_column=IN_ONE_LINE)),
)


class JobBars:
    """The bars of one job, that is so many seconds old."""

    def __init__(self, bars: Progress, age: float = 0.0) -> None:
        self._bars = bars
        self._job = bars.add_task("training", total=WHOLE_JOB, doing="", due=None)
        began = bars.tasks[0].start_time
        bars.tasks[0].start_time = None if began is None else began - age
        self._at_work: dict[Series, TaskID | None] = {}
        self._ended: Counter[str] = Counter()
        self._total: int | None = None

    def show(self, event: "Event") -> None:
        self._bars.update(self._job, completed=event["percent"])
        left = event.get("eta_seconds")
        if left is not None:
            self._bars.update(self._job, due=self._bars.get_time() + left)
        series = _series_of(event)
        if series is not None:
            self._show_series(event, series)
        else:
            self._show_job(event)

    def _show_job(self, event: "Event") -> None:
        if event["type"] == "data.validated":
            found = event.get("data") or {}
            counts = (found.get("queued", 0), found.get("skipped", 0), found.get("failed", 0))
            self._total = sum(counts)
        if event["type"] in DEGRADED:
            self._print(DEGRADED[event["type"]], event)
        self._doing(event["message"])

    def _show_series(self, event: "Event", series: Series) -> None:
        if event["type"] in MARKS:
            self._print(MARKS[event["type"]], event)
            self._ended[event["type"]] += 1
            self._drop(series)
            self._doing(self._counted())
            return
        data = event.get("data") or {}
        trials = data.get("trials", 0)
        bar = self._bar_of(series)
        if bar is not None:
            doing = data.get("stage", "") + (f", {trials} trials" if trials else "")
            self._bars.update(bar, completed=data.get("fraction", 0.0), doing=escape(doing))

    def _bar_of(self, series: Series) -> TaskID | None:
        """The bar of a series at work, if there is room for it."""
        if self._at_work.get(series) is None:
            shown = sum(bar is not None for bar in self._at_work.values())
            room = shown < MOST_BARS
            name = escape(f"  {' at '.join(series)}")
            self._at_work[series] = (
                self._bars.add_task(name, total=1.0, doing="", due=None) if room else None
            )
        return self._at_work[series]

    def _drop(self, series: Series) -> None:
        bar = self._at_work.pop(series, None)
        if bar is not None:
            self._bars.remove_task(bar)

    def _counted(self) -> str:
        of_all = "" if self._total is None else f" of {self._total}"
        hidden = sum(bar is None for bar in self._at_work.values())
        more = f", {hidden} more at work" if hidden else ""
        failed = self._ended["product.failed"]
        without = f", {failed} failed" if failed else ""
        return f"{self._ended.total()}{of_all} series{without}{more}"

    def _doing(self, told: str) -> None:
        self._bars.update(self._job, doing=escape(told))

    def _print(self, mark: str, event: "Event") -> None:
        self._bars.console.print(f"{mark} {escape(event['message'])}", highlight=False)


def time_left(seconds: float | None) -> str:
    """In words, no finer than it is known; nothing where it is not, or where nothing is left."""
    if not seconds:
        return ""
    if seconds < 10:
        return "<10 s left"
    if seconds < 90:
        return f"~{round(seconds, -1):.0f} s left"
    if seconds < 90 * MINUTE:
        return f"~{seconds / MINUTE:.0f} min left"
    return f"~{seconds / HOUR:.0f} h left"


def age_seconds(job: "Job") -> float:
    """How long ago the job was asked for, by this machine's clock; never less than none."""
    asked = dt.datetime.fromisoformat(job["created_at"])
    return max(0.0, (dt.datetime.now(dt.UTC) - asked).total_seconds())


def _series_of(event: "Event") -> Series | None:
    product, location = event.get("product"), event.get("location")
    return None if product is None or location is None else (product, location)
