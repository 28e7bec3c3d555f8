"""Weather by Morrow's own contract: `GET {base_url}/weather`, days of one place."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from services.training.sources.options import ContractWeatherOptions
from services.training.sources.reading import as_day, as_list, as_number, as_object
from services.training.sources.run import Run
from services.training.sources.span import (
    BEFORE_SALES,
    first_sale,
    first_unread,
    through,
    with_through,
)
from services.training.sources.weather.cells import Cell, require_cells
from services.training.sources.weather.days import (
    LONGEST_LEAD,
    RANGES,
    VARIABLES,
    DaysRead,
    between,
    foreseen,
    keep_days,
    observed,
    require_in_order,
)
from services.training.sources.weather.open_meteo_pull import end_of
from shared.upstream.payload import Json

ONE: Final = timedelta(days=1)
CHUNK: Final = timedelta(days=366)
OVERLAP: Final = timedelta(days=10)
HINDCASTS: Final = timedelta(days=366)
BETWEEN_HINDCASTS: Final = timedelta(days=7)
OBSERVED_PART, HINDCAST_PART = "observed", "hindcast"


async def pull_contract_weather(run: Run) -> None:
    """Of every cell what came since it was last read, and what is foreseen now."""
    options = run.connected.options
    assert isinstance(options, ContractWeatherOptions)
    cells = require_cells(run)
    begun = await first_sale(run, cells[0].today(run.now))
    for cell in cells:
        await _read_cell(run, cell, begun - BEFORE_SALES)
    if options.hindcast:
        for cell in cells:
            await _read_hindcasts(run, cell, begun)


async def _read_cell(run: Run, cell: Cell, since: date) -> None:
    today = cell.today(run.now)
    last = today + timedelta(days=LONGEST_LEAD - 1)
    first = first_unread(run.state, cell.key, OBSERVED_PART, since, OVERLAP)
    while first <= last:
        run.require_time()
        end = last if last - first < CHUNK else first + CHUNK - ONE
        read = await _ask(run, cell, first, end, run.now)
        came = observed(cell, between(read, first, min(end, today - ONE)), run.now)
        rows = came + foreseen(cell, between(read, today, end), run.now)
        state = with_through(run.state, OBSERVED_PART, {cell.key: min(end, today - ONE)}, since)
        async with run.step() as session:
            await run.note(session, state, await keep_days(session, rows))
        first = end + ONE


async def _read_hindcasts(run: Run, cell: Cell, begun: date) -> None:
    """What was foreseen on one day of each week of the past year."""
    today = cell.today(run.now)
    since = max(begun, today - HINDCASTS)
    asked = through(run.state, cell.key, HINDCAST_PART)
    origin = since if asked is None else asked + BETWEEN_HINDCASTS
    while origin < today - ONE:
        run.require_time()
        known_at = end_of(origin, cell)
        read = await _ask(run, cell, origin + ONE, origin + timedelta(days=LONGEST_LEAD), known_at)
        state = with_through(run.state, HINDCAST_PART, {cell.key: origin}, since)
        async with run.step() as session:
            kept = await keep_days(session, foreseen(cell, read, known_at))
            await run.note(session, state, kept)
        origin += BETWEEN_HINDCASTS


async def _ask(run: Run, cell: Cell, first: date, last: date, known_at: datetime) -> DaysRead:
    query = {
        "latitude": f"{cell.latitude:.1f}",
        "longitude": f"{cell.longitude:.1f}",
        "start": first.isoformat(),
        "end": last.isoformat(),
        "known_at": f"{known_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    answer = await run.supply.client.get(
        run.upstream(run.bearer()), "/weather", query, deadline=run.deadline
    )
    return read_days(answer, first, last)


def read_days(answer: Json, first: date, last: date) -> DaysRead:
    """The days between, in order; further fields are passed over."""
    items = as_list(as_object(answer, "the answer").get("items"), "items")
    rows = [as_object(item, f"items[{at}]") for at, item in enumerate(items)]
    days = [
        as_day(row.get("date"), f"items[{at}].date", first, last) for at, row in enumerate(rows)
    ]
    values = {
        name: np.array([_number(row, at, name) for at, row in enumerate(rows)], dtype=np.float64)
        for name in VARIABLES
    }
    return DaysRead(require_in_order(days, "items"), values)


def _number(row: Mapping[str, Json], at: int, name: str) -> float:
    found = as_number(row.get(name), f"items[{at}].{name}", *RANGES[name])
    return np.nan if found is None else found
