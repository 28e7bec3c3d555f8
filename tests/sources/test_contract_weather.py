"""Weather by Morrow's own contract."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.sources.conftest import NOW, Desk
from tests.sources.sample_suppliers import sample_at
from tests.sources.upstreams import Answer, said

TODAY = NOW.date()


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """One that has sold for a month."""
    rows = [{"date": str(TODAY - timedelta(days=30)), "product": "rye", "quantity": 5}]
    await desk.tenant.client.post("/api/v1/sales", json={"rows": rows})
    return desk


async def test_what_came_and_what_is_foreseen_are_kept_apart(desk: Desk) -> None:
    async with sample_at(NOW) as (url, sample):
        await desk.connect("weather", "http", base_url=url)
        ended = await desk.sync("weather")
        assert (ended.error, ended.warnings) == (None, ())
    rows = await desk.rows("SELECT date, lead, temp_mean, known_at FROM weather_days")
    kept = {(row["date"], row["lead"]): row["temp_mean"] for row in rows}
    assert {row["known_at"] for row in rows} == {NOW}
    assert {lead for _, lead in kept} == set(range(17))
    first = TODAY - timedelta(days=30 + 373)
    for n in range((TODAY - first).days):
        day = first + timedelta(days=n)
        assert kept[day, 0] == sample.skies.as_came(day)["temp_mean"]
    assert (TODAY, 0) not in kept


async def test_hindcasts_are_read_only_where_the_supplier_vouches_for_them(desk: Desk) -> None:
    async with sample_at(NOW) as (url, sample):
        await desk.connect("weather", "http", base_url=url, options={"hindcast": True})
        assert (await desk.sync("weather")).error is None
        assert sample.mishaps.calls["weather"] == 2 + 5
        assert (await desk.sync("weather")).error is None
        assert sample.mishaps.calls["weather"] == 2 + 5 + 1
    origin = TODAY - timedelta(days=30)
    [row] = await desk.rows(
        "SELECT temp_mean, known_at FROM weather_days WHERE date = $1 AND lead = 3",
        origin + timedelta(days=3),
    )
    assert row["temp_mean"] == sample.skies.as_foreseen(origin + timedelta(days=3), 3)["temp_mean"]
    assert row["known_at"].date() == origin


async def test_what_it_is_asked(desk: Desk) -> None:
    desk.stand.answer = lambda _: said({"items": []})
    await desk.connect("weather", "http", credentials="s3cret")
    await desk.sync("weather")
    asked = desk.stand.asked[-1]
    assert asked.path == "/weather"
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.query["known_at"] == "2026-05-20T06:00:00Z"
    assert asked.query["end"] == str(TODAY + timedelta(days=15))
    assert (asked.query["latitude"], asked.query["longitude"]) == ("54.3", "10.1")


def item(**fields: Any) -> Answer:
    return said({"items": [{"date": "2026-05-10", "temp_mean": 5} | fields]})


ANNOYANCES: list[tuple[str, Answer, str]] = [
    ("malformed", (200, b"["), "upstream_malformed"),
    ("NaN", (200, b'{"items": [{"temp_mean": NaN}]}'), "upstream_malformed"),
    ("no items", said({}), "wrong_type"),
    ("an item that is none", said({"items": ["rain"]}), "wrong_type"),
    ("text for a number", item(temp_mean="5"), "wrong_type"),
    ("a heat nobody survives", item(temp_max=300), "value_out_of_range"),
    ("a day of long ago", item(date=str(date(1999, 1, 1))), "date_out_of_range"),
    ("a day twice", said({"items": [{"date": "2026-05-10", "wind": 5}] * 2}), "days_out_of_order"),
    ("gone", said({}, 404), "upstream_status"),
]


async def test_whatever_comes_ends_in_a_named_error_and_nothing_is_kept(desk: Desk) -> None:
    for number, (what, answer, code) in enumerate(ANNOYANCES):
        waiting = [said({"items": []}), answer]
        desk.stand.answer = lambda _, waiting=waiting: (
            waiting.pop(0) if len(waiting) > 1 else waiting[0]
        )
        await desk.connect("weather", "http", base_url=f"{desk.stand.url}/{number}")
        ended = await desk.sync("weather")
        assert ended.error is not None, what
        assert ended.error["code"] == code, (what, ended.error)
    assert await desk.rows("SELECT * FROM weather_days") == []
