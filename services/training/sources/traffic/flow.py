"""A feed that measures the flow at a point now, and has no past: what it says is collected.

The shape is that of TomTom's flow segments: `GET {base_url}{path}?point=…&key=…` answers
`{"flowSegmentData": {"currentSpeed", "freeFlowSpeed", …}}`. The index of a measurement is by how
much longer than on an empty road one drives, 100 for as long as then.
"""

from typing import Final

from services.training.sources.options import FlowOptions
from services.training.sources.reading import as_number, as_object, wrong
from services.training.sources.run import Run
from services.training.sources.traffic.days import TrafficDay, add_sample, require_places
from shared.upstream.payload import Json

FASTEST: Final = 500.0
SLOWEST: Final = 0.5
"""A speed below it is a road that stands still: dividing by less would drown every other hour."""


async def pull_flow(run: Run) -> None:
    """One measurement of every location, each counted into the mean of its day."""
    token, options = run.connected.token, run.connected.options
    assert isinstance(options, FlowOptions)
    for place in require_places(run):
        run.require_time()
        query = {"point": f"{place.latitude:.5f},{place.longitude:.5f}"}
        answer = await run.supply.client.get(
            run.upstream({}),
            options.path,
            query if token is None else query | {"key": token},
            deadline=run.deadline,
        )
        today = run.now.astimezone(place.location.zone).date()
        sample = TrafficDay(today, read_level(answer))
        async with run.step() as session:
            kept = await add_sample(session, place.location.name, sample, run.now)
            await run.note(session, run.state, kept)


def read_level(answer: Json) -> float:
    """The index of one measurement."""
    data = as_object(as_object(answer, "the answer").get("flowSegmentData"), "flowSegmentData")
    speeds = [
        as_number(data.get(name), name, 0, FASTEST) for name in ("currentSpeed", "freeFlowSpeed")
    ]
    current, free = speeds
    if current is None or free is None or free < SLOWEST:
        raise wrong("flowSegmentData", data, "a currentSpeed and a freeFlowSpeed above zero")
    return 100 * free / max(current, SLOWEST)
