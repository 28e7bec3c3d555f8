"""Traffic: days by Morrow's own contract, and measurements that are collected into days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.sources.conftest import NOW, Desk
from tests.sources.sample_suppliers import sample_at
from tests.sources.upstreams import Answer, Asked, said

TODAY = NOW.date()
DAYS = "SELECT location, date, level, samples FROM traffic_days ORDER BY 1, 2"


def even(asked: Asked) -> Answer:
    first, last = (date.fromisoformat(asked.query[name]) for name in ("start", "end"))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return said({"items": [{"date": str(day), "index": day.weekday()} for day in days]})


async def test_days_are_asked_for_from_the_first_sale_and_then_since_the_last(desk: Desk) -> None:
    rows = [{"date": "2026-04-01", "product": "rye", "quantity": 5}]
    await desk.tenant.client.post("/api/v1/sales", json={"rows": rows})
    desk.stand.answer = even
    await desk.connect("traffic", "http", credentials="s3cret")
    assert (await desk.sync("traffic")).error is None
    desk.now += timedelta(days=1)
    assert (await desk.sync("traffic")).error is None
    spans = [(asked.query["start"], asked.query["end"]) for asked in desk.stand.asked]
    assert spans == [("2026-04-01", "2026-05-19"), ("2026-05-06", "2026-05-20")]
    assert desk.stand.asked[0].headers["authorization"] == "Bearer s3cret"
    assert desk.stand.asked[0].query["latitude"] == "54.32000"
    kept = await desk.rows(DAYS)
    assert len(kept) == 50
    assert all(row["level"] == row["date"].weekday() for row in kept)
    shown = await desk.shown("traffic")
    assert (shown["data_through"], shown["gap_days"]) == ("2026-05-20", 0)


async def test_traffic_of_sales_that_came_later_is_read_afterwards(desk: Desk) -> None:
    desk.stand.answer = even
    await desk.connect("traffic", "http")
    await desk.sync("traffic")
    rows = [{"date": "2024-01-01", "product": "rye", "quantity": 5}]
    await desk.tenant.client.post("/api/v1/sales", json={"rows": rows})
    await desk.sync("traffic")
    kept = await desk.rows(DAYS)
    assert kept[0]["date"] == date(2024, 1, 1)
    assert (await desk.shown("traffic"))["gap_days"] == 0


async def test_a_day_that_is_missing_is_a_gap(desk: Desk) -> None:
    def patchy(asked: Asked) -> Answer:
        body = [{"date": f"2026-05-{day:02d}", "index": 3} for day in (1, 2, 6, 9)]
        return said({"items": [*body, {"date": "2026-05-10", "index": None}]})

    desk.stand.answer = patchy
    await desk.connect("traffic", "http")
    assert (await desk.sync("traffic")).error is None
    shown = await desk.shown("traffic")
    assert (shown["data_through"], shown["gap_days"]) == ("2026-05-09", 5)
    assert shown["gaps"][0] == {
        "location": "main",
        "first": "2026-05-03",
        "last": "2026-05-05",
        "days": 3,
    }


async def test_measurements_are_the_mean_of_their_day_in_the_locations_zone(desk: Desk) -> None:
    speeds = iter([50, 25, 40])
    desk.stand.answer = lambda _: said(
        {"flowSegmentData": {"currentSpeed": next(speeds), "freeFlowSpeed": 50}}
    )
    await desk.connect("traffic", "flow", credentials="k3y")
    for desk.now in (
        datetime(2026, 5, 19, 21, 59, tzinfo=UTC),
        datetime(2026, 5, 19, 22, 1, tzinfo=UTC),
        datetime(2026, 5, 20, 6, tzinfo=UTC),
    ):
        assert (await desk.sync("traffic")).error is None
    assert [tuple(row) for row in await desk.rows(DAYS)] == [
        ("main", date(2026, 5, 19), 100.0, 1),
        ("main", date(2026, 5, 20), 162.5, 2),
    ]
    assert desk.stand.asked[0].query == {"point": "54.32000,10.14000", "key": "k3y"}


async def test_the_sample_serves_both_kinds(desk: Desk) -> None:
    async with sample_at(NOW) as (url, _):
        await desk.connect("traffic", "http", base_url=url)
        ended = await desk.sync("traffic")
        assert (ended.error, ended.rows) == (None, 365)
        await desk.connect("traffic", "flow", base_url=url)
        assert await desk.rows(DAYS) == []
        assert (await desk.sync("traffic")).error is None
    assert len(await desk.rows(DAYS)) == 1


def item(**fields: Any) -> Answer:
    return said({"items": [{"date": "2026-05-10", "index": 5} | fields]})


def flow(**fields: Any) -> Answer:
    return said({"flowSegmentData": {"currentSpeed": 40, "freeFlowSpeed": 50} | fields})


TWICE = said({"items": [{"date": "2026-05-10", "index": 5}] * 2})
ANNOYANCES: list[tuple[str, str, Answer, str]] = [
    ("http", "malformed", (200, b"{"), "upstream_malformed"),
    ("http", "Infinity", (200, b'{"items": [Infinity]}'), "upstream_malformed"),
    ("http", "a list", said([]), "wrong_type"),
    ("http", "no items", said({}), "wrong_type"),
    ("http", "an item that is none", said({"items": [None]}), "wrong_type"),
    ("http", "no date", said({"items": [{"index": 5}]}), "wrong_type"),
    ("http", "a date that is none", item(date="2026-13-01"), "wrong_type"),
    ("http", "a day to come", item(date="2026-06-10"), "date_out_of_range"),
    ("http", "a day of long ago", item(date="1970-01-01"), "date_out_of_range"),
    ("http", "text for an index", item(index="5"), "wrong_type"),
    ("http", "a boolean index", item(index=True), "wrong_type"),
    ("http", "below zero", item(index=-1), "value_out_of_range"),
    ("http", "beyond reason", item(index=1e300), "value_out_of_range"),
    ("http", "a day twice", TWICE, "days_out_of_order"),
    ("http", "too many requests", said({}, 400), "upstream_status"),
    ("flow", "no data", said({}), "wrong_type"),
    ("flow", "no speed", flow(currentSpeed=None), "wrong_type"),
    ("flow", "text for a speed", flow(freeFlowSpeed="50"), "wrong_type"),
    ("flow", "no road", flow(freeFlowSpeed=0), "wrong_type"),
    ("flow", "faster than light", flow(currentSpeed=3e8), "value_out_of_range"),
]  # fmt: skip


async def test_whatever_comes_ends_in_a_named_error_and_nothing_is_kept(desk: Desk) -> None:
    for kind, what, answer, code in ANNOYANCES:
        desk.stand.answer = lambda _, answer=answer: answer
        await desk.connect("traffic", kind, credentials="k3y")
        ended = await desk.sync("traffic")
        assert ended.error is not None, what
        assert ended.error["code"] == code, (what, ended.error)
        assert "k3y" not in str(ended.error), what
    assert await desk.rows(DAYS) == []


async def test_a_road_that_stands_still_is_slow_but_not_without_end(desk: Desk) -> None:
    desk.stand.answer = lambda _: flow(currentSpeed=0)
    await desk.connect("traffic", "flow")
    assert (await desk.sync("traffic")).error is None
    [row] = await desk.rows(DAYS)
    assert row["level"] == pytest.approx(10_000)
