"""The lines of a till's old orders go, and the sales of their days stay what they were."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.training.pruning.sweeps import sweeps_of
from services.training.pruning.terms import Terms
from services.training.queue.pruner import Measure, prune
from tests.sources.conftest import Desk
from tests.sources.test_square import OPTIONS, found, line, order, pages, sold
from tests.sources.upstreams import said

NOW = datetime.now(UTC).replace(hour=12)
DAY = timedelta(days=1)
KEPT = timedelta(days=10)
TERMS = Terms(
    **dict.fromkeys(("runs", "events", "trials", "orphans", "weather", "traffic"), 400 * DAY),
    order_lines=KEPT,
)
OLD, YOUNG = (NOW - 20 * DAY).date(), (NOW - 3 * DAY).date()
AWAY = said({"errors": [{"code": "INTERNAL"}]}, 403)


def of(number: int, day: date, quantity: int, edited: timedelta = 2 * DAY) -> dict[str, Any]:
    times = {"at": f"{day}T10:00:00Z", "updated": f"{NOW - edited:%Y-%m-%dT%H:%M:%SZ}"}
    return order(number, line("roll", str(quantity)), **times)


@pytest.fixture
async def till(desk: Desk) -> Desk:
    """Two orders of an old day and one of a young one have been read: 1 + 2, and 4."""
    desk.now = NOW
    desk.stand.answer = pages(found(of(1, OLD, 1), of(2, OLD, 2), of(3, YOUNG, 4)))
    await desk.connect("sales", "square", options=OPTIONS)
    assert (await desk.sync("sales")).error is None
    return desk


async def pruned(desk: Desk, measure: Measure | None = None) -> int:
    sweeps = [each for each in sweeps_of(TERMS) if each.name == "order_lines"]
    gone = await prune(desk.sessions, desk.tenant.id, sweeps, measure or Measure())
    return gone["order_lines"]


async def edited(desk: Desk, *orders: dict[str, Any]) -> list[float | None]:
    """The sales of the old day and of the young one once the till has told of these."""
    desk.stand.answer = pages(found(*orders))
    assert (await desk.sync("sales")).error is None
    return await both(desk)


async def both(desk: Desk) -> list[float | None]:
    found_by_day = await sold(desk)
    return [found_by_day.get((str(day), "main", "roll")) for day in (OLD, YOUNG)]


async def test_old_lines_go_and_their_days_sales_stay(till: Desk) -> None:
    assert await pruned(till) == 2
    assert await pruned(till) == 0
    assert [row["day"] for row in await till.rows("SELECT day FROM order_lines")] == [YOUNG]
    assert await both(till) == [3.0, 4.0]


async def test_an_edit_of_an_old_order_leaves_its_settled_day_as_it_is(till: Desk) -> None:
    await pruned(till)
    assert await edited(till, of(1, OLD, 50), of(3, YOUNG, 5)) == [3.0, 5.0]
    assert await edited(till, of(2, YOUNG, 2, edited=DAY)) == [3.0, 7.0]
    assert await till.rows("SELECT * FROM order_lines WHERE day = $1", OLD) == []


async def test_a_day_of_which_only_some_lines_are_gone_is_settled_too(till: Desk) -> None:
    assert await pruned(till, Measure(batch=1, most=1)) == 1
    assert await edited(till, of(1, OLD, 50), of(2, OLD, 50)) == [3.0, 4.0]


async def test_no_day_is_settled_between_two_pages(till: Desk) -> None:
    """Of a day whose lines are on both, the second would be all."""
    await till.connect("sales", "square", options=OPTIONS | {"day_begins_at": 1})  # read anew
    till.stand.answer = pages(found(of(1, OLD, 1), cursor="c"), AWAY)
    assert (await till.sync("sales")).error is not None
    assert await pruned(till) == 0
    assert await edited(till, of(2, OLD, 6)) == [7.0, 4.0]
    assert await pruned(till) == 2


async def test_no_day_is_settled_while_a_sync_holds_the_till(till: Desk) -> None:
    await till.rows("UPDATE sources SET holder = gen_random_uuid()")
    assert await pruned(till) == 0
    await till.rows("UPDATE sources SET holder = NULL")
    assert await pruned(till) == 2


async def test_no_day_is_settled_before_it_was_counted(till: Desk) -> None:
    counted = "UPDATE sources SET state = state || jsonb_build_object('counted_through', $1::text)"
    await till.rows(counted, (OLD - DAY).isoformat())
    assert await pruned(till) == 0


async def test_a_till_that_is_read_anew_is_counted_anew(till: Desk) -> None:
    await pruned(till)
    await till.connect("sales", "square", options=OPTIONS | {"day_begins_at": 1})
    everything = (of(1, OLD, 10), of(2, OLD, 20), of(3, YOUNG, 40))
    assert await edited(till, *everything) == [30.0, 40.0]
    assert await pruned(till) == 2


async def test_a_day_before_the_first_asked_for_is_not_counted_of_its_edits_alone(
    till: Desk,
) -> None:
    await pruned(till)
    await till.connect("sales", "square", options=OPTIONS | {"since": YOUNG.isoformat()})
    assert await edited(till, of(1, OLD, 50), of(3, YOUNG, 5)) == [3.0, 5.0]
