"""What of a job is shown on a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from services.training.commands.job_bars import COLUMNS, MOST_BARS, JobBars, time_left

VALIDATED = {"type": "data.validated", "data": {"queued": 30, "failed": 1}, "message": "31 series"}


class Drawn:
    """The bars as they stand after some events."""

    def __init__(self, *events: dict[str, Any], age: float = 0.0, width: int = 160) -> None:
        self.console = Console(file=io.StringIO(), width=width, force_terminal=False)
        self.bars = Progress(*COLUMNS, console=self.console, auto_refresh=False)
        shown = JobBars(self.bars, age)
        for seq, event in enumerate(events, 1):
            shown.show({"seq": seq, "at": "2026-01-01T00:00:00Z", "percent": 0.0, **event})

    @property
    def lines(self) -> list[str]:
        self.console.file = told = io.StringIO()
        self.console.print(self.bars.get_renderable())
        return [" ".join(line.split()) for line in told.getvalue().splitlines()]


def about(product: str, type: str, **data: Any) -> dict[str, Any]:
    message = f"{product} at main: {type}"
    return {"type": type, "message": message, "product": product, "location": "main", "data": data}


def test_the_job_tells_its_percent_its_age_and_what_the_service_says_is_left() -> None:
    [line] = Drawn({**VALIDATED, "percent": 40.0, "eta_seconds": 125.0}, age=3600).lines
    assert line.startswith("training ")
    assert "40% 1:00:00 ~2 min left 31 series" in line


def test_what_is_left_is_not_guessed_when_the_service_says_nothing() -> None:
    [line] = Drawn({**VALIDATED, "percent": 40.0, "eta_seconds": None}).lines
    assert "left" not in line


def test_what_was_told_last_of_what_is_left_holds() -> None:
    begun = about("roll", "product.started")
    line, _ = Drawn({**VALIDATED, "eta_seconds": 65.0}, begun).lines
    assert "~60 s left" in line


def test_a_series_has_a_bar_while_it_is_at_work() -> None:
    begun = about("roll [5]", "product.started")
    told = about("roll [5]", "product.progress", stage="search", fraction=0.5, trials=12)
    _, at_work = Drawn(VALIDATED, begun, told).lines
    assert at_work.startswith("roll [5] at main ")
    assert "50%" in at_work
    assert at_work.endswith("search, 12 trials")
    ended = about("roll [5]", "product.trained")
    assert [line[:8] for line in Drawn(VALIDATED, begun, told, ended).lines] == ["training"]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_on_a_narrow_terminal_each_bar_keeps_to_its_line(width: int) -> None:
    begun = about("pumpkin-seed-loaf-of-the-day", "product.started")
    told = {**VALIDATED, "message": "the pool of 31 series: learning", "eta_seconds": 125.0}
    assert len(Drawn(told, begun, width=width).lines) == 2


def test_series_that_ended_are_counted_of_all() -> None:
    ends = [
        about("a", "product.trained"),
        about("b", "product.failed", code="too_short", message="too short"),
        about("c", "product.skipped"),
    ]
    [line] = Drawn(VALIDATED, *ends).lines
    assert line.endswith("3 of 31 series, 1 failed")


def test_more_series_at_work_than_bars_are_counted_and_get_room_as_others_end() -> None:
    names = [f"p{number}" for number in range(MOST_BARS + 2)]
    begun = [about(name, "product.started") for name in names]
    drawn = Drawn(VALIDATED, *begun, about("p0", "product.trained"))
    assert len(drawn.lines) == MOST_BARS
    assert "1 of 31 series, 2 more at work" in drawn.lines[0]
    grown = [*begun, about("p0", "product.trained"), about("p9", "product.progress", fraction=0.1)]
    assert Drawn(VALIDATED, *grown).lines[-1].startswith("p9 at main")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, ""),
        (0.0, ""),
        (0.4, "<10 s left"),
        (14.0, "~10 s left"),
        (89.0, "~90 s left"),
        (90.0, "~2 min left"),
        (5399.0, "~90 min left"),
        (7200.0, "~2 h left"),
    ],
)
def test_what_is_left_is_told_no_finer_than_it_is_known(seconds: float | None, told: str) -> None:
    assert time_left(seconds) == told
