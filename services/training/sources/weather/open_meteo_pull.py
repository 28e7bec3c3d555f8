"""What is read from Open-Meteo: the forecast of now, then what came, then what was forecast."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from services.training.sources.faults import SourceFault
from services.training.sources.run import Run
from services.training.sources.span import (
    BEFORE_SALES,
    first_sale,
    first_unread,
    through,
    with_through,
)
from services.training.sources.weather.cells import Cell, by_zone, require_cells
from services.training.sources.weather.days import (
    LONGEST_LEAD,
    WeatherRow,
    between,
    foreseen,
    keep_days,
    observed,
)
from services.training.sources.weather.open_meteo import (
    answers_of,
    daily_query,
    previous_query,
    read_daily,
    read_previous,
)
from shared.upstream.errors import UpstreamError
from shared.upstream.payload import Json

CELLS_AT_ONCE: Final = 10
RECENT_DAYS: Final = 10
"""The archive is some five days late; until then the forecast's own past stands for what came."""
ARCHIVE_DELAY: Final = timedelta(days=2)
LATEST: Final = timedelta(days=30)
OVERLAP: Final = timedelta(days=3)
ARCHIVE_CHUNK: Final = timedelta(days=365)
PREVIOUS_CHUNK: Final = timedelta(days=60)
PREVIOUS_SINCE: Final = date(2024, 1, 1)
ONE: Final = timedelta(days=1)
ARCHIVED, PREVIOUS = "archived", "previous"


async def pull_open_meteo(run: Run) -> None:
    """Every cell; where only the forecasts of the past fail, the sync has still succeeded."""
    cells = require_cells(run)
    for batch in _batches(cells):
        await _read_forecast(run, batch)
    begun = await first_sale(run, cells[0].today(run.now))
    for batch in _batches(cells):
        await _read_archive(run, batch, begun - BEFORE_SALES)
    try:
        for batch in _batches(cells):
            await _read_previous(run, batch, max(begun, PREVIOUS_SINCE))
    except (UpstreamError, SourceFault) as fault:
        run.warn("no_previous_runs", f"what was forecast in the past could not be read: {fault}")


async def _read_forecast(run: Run, cells: Sequence[Cell]) -> None:
    today = cells[0].today(run.now)
    first, last = today - timedelta(days=RECENT_DAYS), today + timedelta(days=LONGEST_LEAD - 1)
    answer = await _ask(run, run.supply.hosts.forecast, daily_query(cells, first, last), "forecast")
    rows: list[WeatherRow] = []
    for cell, told in zip(cells, answers_of(answer, cells), strict=True):
        read = read_daily(told, first, last)
        archived = through(run.state, cell.key, ARCHIVED) or first - ONE
        rows += observed(cell, between(read, archived + ONE, today - ONE), run.now)
        rows += foreseen(cell, between(read, today, last), run.now)
    await _keep(run, rows, run.state)


async def _read_archive(run: Run, cells: Sequence[Cell], since: date) -> None:
    last = cells[0].today(run.now) - ARCHIVE_DELAY
    for together, first in _alike(run, cells, ARCHIVED, since, OVERLAP):
        for begin, end in _chunks(first, last, ARCHIVE_CHUNK):
            run.require_time()
            query = daily_query(together, begin, end)
            answer = await _ask(run, run.supply.hosts.archive, query, "archive")
            rows: list[WeatherRow] = []
            read_through: dict[str, date] = {}
            for cell, told in zip(together, answers_of(answer, together), strict=True):
                read = read_daily(told, begin, end)
                found = observed(cell, read, run.now)
                rows += found
                read_through[cell.key] = _archived_through(run, cell, found, begin, end)
            await _keep(run, rows, with_through(run.state, ARCHIVED, read_through, since))


async def _read_previous(run: Run, cells: Sequence[Cell], since: date) -> None:
    last = cells[0].today(run.now) - ONE
    for together, first in _alike(run, cells, PREVIOUS, since, timedelta(0)):
        for begin, end in _chunks(first, last, PREVIOUS_CHUNK):
            run.require_time()
            query = previous_query(together, begin, end)
            answer = await _ask(run, run.supply.hosts.previous_runs, query, "forecast")
            rows: list[WeatherRow] = []
            for cell, told in zip(together, answers_of(answer, together), strict=True):
                for lead, read in read_previous(told, begin, end).items():
                    for row in observed(cell, between(read, begin, end), run.now):
                        known_at = end_of(row.date - timedelta(days=lead), cell)
                        rows.append(WeatherRow(cell.key, row.date, lead, known_at, row.values))
            read_through = {cell.key: end for cell in together}
            await _keep(run, rows, with_through(run.state, PREVIOUS, read_through, since))


def _archived_through(
    run: Run, cell: Cell, found: Sequence[WeatherRow], begin: date, end: date
) -> date:
    """What is late comes later: nothing is passed over but what will never come."""
    if end < cell.today(run.now) - LATEST:
        return end
    before = through(run.state, cell.key, ARCHIVED) or begin - ONE
    return max([before, *(row.date for row in found)])


def end_of(day: date, cell: Cell) -> datetime:
    """The instant at which a day ends there."""
    return datetime.combine(day + ONE, time.min, tzinfo=cell.zone).astimezone(UTC)


async def _ask(run: Run, host: str, query: dict[str, str], what: str) -> Json:
    connected = run.connected
    key = connected.token or (None if connected.own_address else run.supply.hosts.key)
    keyed = query if key is None else query | {"apikey": key}
    upstream = run.upstream({}, None if connected.own_address else host)
    return await run.supply.client.get(upstream, f"/v1/{what}", keyed, deadline=run.deadline)


async def _keep(run: Run, rows: list[WeatherRow], state: dict[str, object]) -> None:
    async with run.step() as session:
        kept = await keep_days(session, rows)
        await run.note(session, state, kept)


def _batches(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    for alike in by_zone(cells):
        for first in range(0, len(alike), CELLS_AT_ONCE):
            yield alike[first : first + CELLS_AT_ONCE]


def _alike(
    run: Run, cells: Sequence[Cell], part: str, since: date, overlap: timedelta
) -> Iterator[tuple[list[Cell], date]]:
    """The cells by the day from which this part of their past is still to be read."""
    firsts = {cell: first_unread(run.state, cell.key, part, since, overlap) for cell in cells}
    for day in sorted(set(firsts.values())):
        yield [cell for cell in cells if firsts[cell] == day], day


def _chunks(first: date, last: date, length: timedelta) -> Iterator[tuple[date, date]]:
    while first <= last:
        end = min(first + length - ONE, last)
        yield first, end
        first = end + ONE
