"""Traffic by Morrow's own contract: `GET {base_url}/traffic`, an index of each day at one place."""

from datetime import date, timedelta
from typing import Final

from services.training.sources.faults import SourceFault
from services.training.sources.reading import as_day, as_list, as_number, as_object
from services.training.sources.run import Run
from services.training.sources.span import first_sale, first_unread, with_through
from services.training.sources.traffic.days import (
    LARGEST,
    Place,
    TrafficDay,
    keep_days,
    require_places,
)
from shared.upstream.payload import Json

ONE: Final = timedelta(days=1)
CHUNK: Final = timedelta(days=366)
OVERLAP: Final = timedelta(days=14)
READ: Final = "read"


async def pull_contract_traffic(run: Run) -> None:
    """Of every location the days since it was last read, until yesterday."""
    places = require_places(run)
    today = run.now.astimezone(run.connected.zone).date()
    begun = await first_sale(run, today)
    for place in places:
        await _read_place(run, place, begun)


async def _read_place(run: Run, place: Place, since: date) -> None:
    name = place.location.name
    last = run.now.astimezone(place.location.zone).date() - ONE
    first = first_unread(run.state, name, READ, since, OVERLAP)
    while first <= last:
        run.require_time()
        end = min(first + CHUNK - ONE, last)
        query = {
            "latitude": f"{place.latitude:.5f}",
            "longitude": f"{place.longitude:.5f}",
            "start": first.isoformat(),
            "end": end.isoformat(),
        }
        answer = await run.supply.client.get(
            run.upstream(run.bearer()), "/traffic", query, deadline=run.deadline
        )
        days = read_days(answer, first, end)
        async with run.step() as session:
            kept = await keep_days(session, name, days, run.now)
            await run.note(session, with_through(run.state, READ, {name: end}, since), kept)
        first = end + ONE


def read_days(answer: Json, first: date, last: date) -> list[TrafficDay]:
    """The days between, each once; further fields are passed over, and days without an index."""
    items = as_list(as_object(answer, "the answer").get("items"), "items")
    found: dict[date, TrafficDay] = {}
    for at, item in enumerate(items):
        row = as_object(item, f"items[{at}]")
        day = as_day(row.get("date"), f"items[{at}].date", first, last)
        level = as_number(row.get("index"), f"items[{at}].index", 0, LARGEST)
        if day in found:
            raise SourceFault("days_out_of_order", f"items[{at}]: {day} is there twice")
        if level is not None:
            found[day] = TrafficDay(day, level)
    return list(found.values())
