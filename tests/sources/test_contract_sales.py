"""Sales by Morrow's own contract: pages, changes, cursors, and whatever may be wrong with them."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from tests.sources.conftest import NOW, Desk
from tests.sources.upstreams import Answer, Asked, said

DAY = "2026-05-18"


def row(product: str = "rye", day: str = DAY, quantity: Any = 5, **more: Any) -> dict[str, Any]:
    return {"date": day, "product": product, "quantity": quantity} | more


def page(*rows: dict[str, Any], cursor: str | None = None) -> Answer:
    return said({"items": list(rows), "next_cursor": cursor})


def pages(*answers: Answer) -> Any:
    """One answer after the other; the last one again and again."""
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


async def test_rows_of_every_page_are_stored_as_if_they_were_pushed(desk: Desk) -> None:
    desk.stand.answer = pages(
        page(row(), row("bun", quantity=2.5, price=1.1, location="kiosk"), cursor="c1"),
        page(row("rye", "2026-05-19", None, open=0)),
    )
    await desk.connect("sales", "http", credentials="s3cret")
    ended = await desk.sync("sales")
    assert (ended.error, ended.rows) == (None, 3)
    assert await desk.sales() == [
        (date(2026, 5, 18), "kiosk", "bun", 2.5),
        (date(2026, 5, 18), "main", "rye", 5.0),
        (date(2026, 5, 19), "main", "rye", None),
    ]
    first, second = desk.stand.asked
    assert first.path == "/sales"
    assert first.query == {"limit": "1000"}
    assert first.headers["authorization"] == "Bearer s3cret"
    assert second.query == {"limit": "1000", "cursor": "c1"}


async def test_what_changed_since_the_newest_change_is_asked_for_with_an_overlap(
    desk: Desk,
) -> None:
    desk.stand.answer = pages(
        page(
            row(updated_at="2026-05-19T04:00:00+02:00"),
            row("bun", updated_at="2026-05-18T22:00:00Z"),
        )
    )
    await desk.connect("sales", "http", options={"overlap_hours": 2})
    await desk.sync("sales")
    desk.stand.answer = pages(page(row(quantity=7, updated_at="2026-05-20T01:00:00Z")))
    await desk.sync("sales")
    await desk.sync("sales")
    since = [asked.query.get("updated_since") for asked in desk.stand.asked]
    assert since == [None, "2026-05-19T00:00:00Z", "2026-05-19T23:00:00Z"]
    assert (date(2026, 5, 18), "main", "rye", 7.0) in await desk.sales()


async def test_no_change_moves_the_watermark_back_or_beyond_the_present(desk: Desk) -> None:
    await desk.connect("sales", "http", options={"overlap_hours": 0})
    for newest in ("2026-05-20T05:00:00Z", "2026-05-01T00:00:00Z", "2026-05-20T20:00:00Z"):
        desk.stand.answer = pages(page(row(quantity=len(desk.stand.asked), updated_at=newest)))
        assert (await desk.sync("sales")).error is None
    desk.stand.answer = pages(page())
    await desk.sync("sales")
    since = [asked.query.get("updated_since") for asked in desk.stand.asked[1:]]
    assert since == ["2026-05-20T05:00:00Z", "2026-05-20T05:00:00Z", "2026-05-20T06:00:00Z"]


async def test_a_supplier_that_dates_no_change_is_asked_since_the_last_pass(desk: Desk) -> None:
    desk.stand.answer = pages(page(row()))
    await desk.connect("sales", "http", options={"overlap_hours": 0})
    for _ in range(2):
        await desk.sync("sales")
        desk.now += timedelta(hours=1)
        desk.stand.answer = pages(page(row(quantity=6)))
    await desk.sync("sales")
    since = [asked.query.get("updated_since") for asked in desk.stand.asked]
    assert since == [None, "2026-05-20T06:00:00Z", "2026-05-20T07:00:00Z"]


async def test_a_sync_that_ended_in_the_middle_goes_on_at_its_cursor(desk: Desk) -> None:
    desk.stand.answer = pages(page(row(), cursor="c1"), page(row("bun"), cursor="c2"), (500, b""))
    await desk.connect("sales", "http")
    broken = await desk.sync("sales")
    assert broken.error is not None
    assert broken.error["code"] == "upstream_status"
    assert (broken.rows, len(await desk.sales())) == (2, 2)
    before = len(desk.stand.asked)
    desk.stand.answer = pages(page(row("cake")))
    assert (await desk.sync("sales")).rows == 1
    [asked] = desk.stand.asked[before:]
    assert asked.query["cursor"] == "c2"
    assert len(await desk.sales()) == 3


async def test_a_cursor_that_the_supplier_forgot_begins_the_pass_again(desk: Desk) -> None:
    desk.stand.answer = pages(page(row(), cursor="c1"), (500, b""))
    await desk.connect("sales", "http")
    assert (await desk.sync("sales")).error is not None

    def forgetful(asked: Asked) -> Answer:
        return said({}, 410) if "cursor" in asked.query else page(row(), row("bun"))

    desk.stand.answer = forgetful
    assert (await desk.sync("sales")).error is None
    assert len(await desk.sales()) == 2


async def test_of_a_key_that_is_on_a_page_twice_the_later_change_holds(desk: Desk) -> None:
    desk.stand.answer = pages(
        page(
            row(quantity=9, updated_at="2026-05-19T10:00:00Z"),
            row(quantity=4, updated_at="2026-05-19T08:00:00Z"),
        )
    )
    await desk.connect("sales", "http")
    assert (await desk.sync("sales")).error is None
    assert await desk.sales() == [(date(2026, 5, 18), "main", "rye", 9.0)]


async def test_only_the_fields_of_the_contract_are_taken_and_those_that_were_wished(
    desk: Desk,
) -> None:
    desk.stand.answer = pages(page(row(footfall=120, till="T-7", id=99)))
    await desk.connect("sales", "http", options={"regressors": ["footfall"]})
    assert (await desk.sync("sales")).error is None
    [known] = await desk.rows("SELECT values::text FROM regressor_days")
    assert known["values"] == '{"footfall": 120}'


ANNOYANCES: list[tuple[str, Answer, str]] = [
    ("malformed JSON", (200, b'{"items": ['), "upstream_malformed"),
    ("no JSON at all", (200, b"<html>"), "upstream_malformed"),
    ("NaN", (200, b'{"items": [{"quantity": NaN}]}'), "upstream_malformed"),
    ("infinite", (200, b'{"items": [{"quantity": 1e999}]}'), "upstream_malformed"),
    ("a list", said([]), "wrong_type"),
    ("nothing", said(None), "wrong_type"),
    ("no items", said({"next_cursor": None}), "wrong_type"),
    ("items as an object", said({"items": {}}), "wrong_type"),
    ("an item that is no object", said({"items": [5]}), "wrong_type"),
    ("a cursor that is a number", said({"items": [], "next_cursor": 7}), "wrong_type"),
    ("a cursor without end", said({"items": [], "next_cursor": "c" * 5000}), "wrong_type"),
    ("a quantity as text", page(row(quantity="5")), "invalid_rows"),
    ("a quantity that is a list", page(row(quantity=[5])), "invalid_rows"),
    ("a boolean quantity", page(row(quantity=True)), "invalid_rows"),
    ("a quantity beyond reason", page(row(quantity=1e30)), "invalid_rows"),
    ("no quantity", page({"date": DAY, "product": "rye"}), "invalid_rows"),
    ("no product", page({"date": DAY, "quantity": 1}), "invalid_rows"),
    ("a product that is a number", page(row(product=5)), "invalid_rows"),
    ("a product with a NUL", page(row(product="a\0b")), "invalid_rows"),
    ("a lone surrogate", page(row(product="\ud800")), "invalid_rows"),
    ("a date that is none", page(row(day="2026-02-30")), "invalid_rows"),
    ("a date of long ago", page(row(day="0001-01-01")), "invalid_rows"),
    ("a date far ahead", page(row(day="9999-12-31", quantity=None)), "invalid_rows"),
    ("a sale to come", page(row(day="2026-06-30")), "invalid_rows"),
    ("an instant for a date", page(row(day="2026-05-18T00:00:00Z")), "invalid_rows"),
    ("a change that is no instant", page(row(updated_at="yesterday")), "wrong_type"),
    ("a change without offset", page(row(updated_at="2026-05-18T00:00:00")), "wrong_type"),
    ("a change far ahead", page(row(updated_at="9999-01-01T00:00:00Z")), "date_out_of_range"),
    ("a change before all time", page(row(updated_at="0001-01-01T00:00:00+14:00")), "wrong_type"),
    ("one key, two quantities", page(row(quantity=1), row(quantity=2)), "invalid_rows"),
    ("too many at once", page(*[row(f"p{n}") for n in range(10_001)]), "page_too_large"),
    ("a page of megabytes", (200, b'{"items": [' + b" " * 20_000_000), "upstream_too_large"),
    ("forbidden", said({"error": "no such key"}, 403), "upstream_status"),
]  # fmt: skip


async def test_whatever_comes_ends_in_a_named_error_and_nothing_is_half_kept(desk: Desk) -> None:
    for number, (what, answer, code) in enumerate(ANNOYANCES):
        prefix = f"{desk.stand.url}/{number}"
        desk.stand.answer = pages(page(row(f"good {number}"), cursor="c1"), answer)
        await desk.connect("sales", "http", base_url=prefix, credentials="s3cret")
        ended = await desk.sync("sales")
        assert ended.error is not None, what
        assert ended.error["code"] == code, (what, ended.error)
        assert "s3cret" not in str(ended.error), what
        assert [sale[2] for sale in await desk.sales()] == sorted(
            f"good {each}" for each in range(number + 1)
        ), what
        [kept] = await desk.rows("SELECT state -> 'pass' ->> 'cursor' AS cursor FROM sources")
        assert kept["cursor"] == "c1", what
    last = (await desk.shown("sales"))["last_sync"]
    assert (last["status"], last["rows"], last["error"]["code"]) == ("failed", 1, code)


def endless(asked: Asked) -> Answer:
    """A new cursor for ever, and never a row."""
    return page(cursor=f"c{asked.query.get('cursor', '')}x")


def same_rows(asked: Asked) -> Answer:
    return page(row(), cursor=f"c{asked.query.get('cursor', '')}x")


def round_and_round() -> Callable[[Asked], Answer]:
    numbers = count()

    def answer(asked: Asked) -> Answer:
        return page(
            row(quantity=next(numbers)), cursor=str((int(asked.query.get("cursor", "0")) + 1) % 3)
        )

    return answer


@pytest.mark.parametrize(
    ("answer", "code", "most"),
    [
        (endless, "endless_cursor", 10),
        (same_rows, "repeated_page", 2),
        (round_and_round(), "endless_cursor", 4),
    ],
)
async def test_a_cursor_without_end_is_followed_only_so_far(
    desk: Desk, answer: Any, code: str, most: int
) -> None:
    desk.stand.answer = answer
    await desk.connect("sales", "http")
    ended = await desk.sync("sales")
    assert ended.error is not None
    assert ended.error["code"] == code
    assert len(desk.stand.asked) <= most


async def test_a_sync_whose_time_is_up_keeps_what_it_read(desk: Desk) -> None:
    await desk.connect("sales", "http")
    desk.stand.answer = pages(page(row(), cursor="c1"))
    ended = await desk.sync("sales", seconds=0.0)
    assert ended.error is not None
    assert ended.error["code"] in {"sync_timeout", "already_syncing"}
    assert desk.stand.asked == []


async def test_how_often_a_source_is_read_can_be_changed_without_reading_it_anew(
    desk: Desk,
) -> None:
    desk.stand.answer = pages(page(row(updated_at="2026-05-19T04:00:00Z")))
    await desk.connect("sales", "http")
    await desk.sync("sales")
    await desk.connect("sales", "http", options={"every_minutes": 30})
    await desk.sync("sales")
    assert desk.stand.asked[-1].query["updated_since"] == "2026-05-18T04:00:00Z"
    await desk.connect("sales", "http", options={"since": "2026-01-01"})
    await desk.sync("sales")
    assert desk.stand.asked[-1].query["updated_since"] == "2026-01-01T00:00:00Z"


async def test_a_source_connected_anew_is_read_from_its_beginning(desk: Desk) -> None:
    desk.stand.answer = pages(page(row(updated_at="2026-05-19T04:00:00Z")))
    await desk.connect("sales", "http")
    await desk.sync("sales")
    await desk.connect("sales", "http", base_url=f"{desk.stand.url}/v2")
    await desk.sync("sales")
    assert desk.stand.asked[-1].path == "/v2/sales"
    assert "updated_since" not in desk.stand.asked[-1].query


async def test_who_was_superseded_writes_no_more(desk: Desk) -> None:
    """A source that is connected anew in mid-sync gets nothing of what is still read of the old."""
    await desk.connect("sales", "http")
    meddled, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(asked: Asked) -> Answer:
        if "cursor" not in asked.query:
            return page(row("old"), cursor="c1")
        meddled.set()
        await go_on.wait()
        return page(row("older"))

    desk.stand.answer = slowly
    syncing = asyncio.create_task(desk.sync("sales"))
    await meddled.wait()
    await desk.connect("sales", "http", base_url=f"{desk.stand.url}/new")
    go_on.set()
    ended = await syncing
    assert ended.error is not None
    assert ended.error["code"] == "superseded"
    assert [sale[2] for sale in await desk.sales()] == ["old"]
    [kept] = await desk.rows("SELECT state::text, base_url FROM sources")
    assert (kept["base_url"], kept["state"]) == (f"{desk.stand.url}/new", "{}")


async def test_a_source_is_read_by_one_at_a_time(desk: Desk) -> None:
    await desk.connect("sales", "http")
    asked_once, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_: Asked) -> Answer:
        asked_once.set()
        await go_on.wait()
        return page(row())

    desk.stand.answer = slowly
    first = asyncio.create_task(desk.sync("sales"))
    await asked_once.wait()
    second = await desk.sync("sales", seconds=1.0)
    assert second.error is not None
    assert second.error["code"] == "already_syncing"
    assert len(desk.stand.asked) == 1
    third = asyncio.create_task(desk.sync("sales"))
    go_on.set()
    assert (await first).error is None
    assert (await third).error is None


async def test_what_a_dead_worker_held_is_taken_over_with_its_record(desk: Desk) -> None:
    await desk.connect("sales", "http")
    desk.stand.answer = pages(page(row(), cursor="c1"), page(row("bun")))
    stuck = asyncio.Event()

    async def stall(asked: Asked) -> Answer:
        if "cursor" in asked.query:
            stuck.set()
            await asyncio.Event().wait()
        return page(row(), cursor="c1")

    desk.stand.answer = stall
    sync_id = uuid4()
    dying = asyncio.create_task(desk.sync("sales", sync_id=sync_id))
    await stuck.wait()
    await desk.rows("UPDATE sources SET held_until = now() + interval '1 hour'")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await desk.rows("UPDATE sources SET holder = gen_random_uuid()")
    desk.stand.answer = pages(page(row("bun")))
    ended = await desk.sync("sales", sync_id=sync_id, takeover=True)
    assert (ended.sync_id, ended.error, ended.rows) == (sync_id, None, 2)
    assert desk.stand.asked[-1].query["cursor"] == "c1"


async def test_a_tenant_whose_series_are_all_used_is_told_so(desk: Desk) -> None:
    await desk.rows("UPDATE tenants SET limits = '{\"series\": 1}'")
    desk.stand.answer = pages(page(row("a"), row("b")))
    await desk.connect("sales", "http")
    ended = await desk.sync("sales")
    assert ended.error is not None
    assert ended.error["code"] == "series_limit"
    assert await desk.sales() == []


def test_the_clock_of_these_tests_is_in_the_past_of_no_row() -> None:
    assert datetime.fromisoformat(DAY).date() < NOW.date()
