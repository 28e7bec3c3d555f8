"""Sales from Square: its orders, returns and edits, added up to days."""

from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest

from tests.sources.conftest import NOW, Desk
from tests.sources.upstreams import Answer, Asked, said

OPTIONS = {"locations": {"L1": "main", "L2": "kiosk"}}


def line(name: str, quantity: str = "1", **more: Any) -> dict[str, Any]:
    return {"uid": "u", "name": name, "quantity": quantity, "variation_name": "Regular"} | more


def order(
    number: Any,
    *lines: dict[str, Any],
    at: str = "2026-05-18T10:00:00Z",
    updated: str = "2026-05-18T10:01:00Z",
    **more: Any,
) -> dict[str, Any]:
    return {
        "id": f"o{number}",
        "location_id": "L1",
        "state": "COMPLETED",
        "created_at": at,
        "closed_at": at,
        "updated_at": updated,
        "line_items": list(lines),
    } | more


def found(*orders: dict[str, Any], cursor: str | None = None) -> Answer:
    body: dict[str, Any] = {"orders": list(orders)} if orders else {}
    return said(body | ({} if cursor is None else {"cursor": cursor}))


def pages(*answers: Answer) -> Any:
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


async def sold(desk: Desk) -> dict[tuple[str, str, str], float | None]:
    return {(str(day), place, what): n for day, place, what, n in await desk.sales()}


async def test_what_it_is_asked_is_what_square_documents(desk: Desk) -> None:
    desk.stand.answer = pages(found(order(1, line("roll")), cursor="c1"), found())
    await desk.connect("sales", "square", options=OPTIONS | {"page_size": 100}, credentials="t0k")
    assert (await desk.sync("sales")).error is None
    first, second = desk.stand.asked
    assert (first.method, first.path) == ("POST", "/v2/orders/search")
    assert first.headers["authorization"] == "Bearer t0k"
    assert first.headers["square-version"]
    assert first.json == {
        "location_ids": ["L1", "L2"],
        "limit": 100,
        "return_entries": False,
        "query": {
            "filter": {
                "state_filter": {"states": ["COMPLETED", "CANCELED"]},
                "date_time_filter": {"updated_at": {"start_at": "2009-01-01T00:00:00Z"}},
            },
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
    }
    assert second.json == first.json | {"cursor": "c1"}


async def test_lines_are_added_up_by_the_day_on_the_shops_wall(desk: Desk) -> None:
    desk.stand.answer = pages(
        found(
            order(1, line("roll", "2"), line("loaf", "0.750", variation_name="spelt")),
            order(2, line("roll", "3"), at="2026-05-18T21:59:00Z"),  # 23:59 in Berlin
            order(3, line("roll", "5"), at="2026-05-18T22:30:00Z"),  # 00:30 of the 19th
            order(4, line("roll", "7"), location_id="L2"),
            order(5, line("roll", "9"), location_id="L9"),
            order(6, line("roll", "11"), state="CANCELED"),
        )
    )
    await desk.connect("sales", "square", options=OPTIONS)
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {
        ("2026-05-18", "main", "roll"): 5.0,
        ("2026-05-18", "main", "loaf spelt"): 0.75,
        ("2026-05-19", "main", "roll"): 5.0,
        ("2026-05-18", "kiosk", "roll"): 7.0,
    }


async def test_a_bars_day_ends_when_it_closes(desk: Desk) -> None:
    desk.stand.answer = pages(
        found(
            order(1, line("beer", "2"), at="2026-05-18T23:30:00Z"),  # 01:30 in Berlin
            order(2, line("beer", "3"), at="2026-05-19T03:00:00Z"),  # 05:00
        )
    )
    await desk.connect("sales", "square", options=OPTIONS | {"day_begins_at": 4})
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {
        ("2026-05-18", "main", "beer"): 2.0,
        ("2026-05-19", "main", "beer"): 3.0,
    }


async def test_what_came_back_is_taken_off_the_day_on_which_it_came(desk: Desk) -> None:
    back = {"source_order_id": "o1", "return_line_items": [line("roll", "2")]}
    desk.stand.answer = pages(
        found(
            order(1, line("roll", "6")),
            order(2, line("roll", "4"), at="2026-05-19T09:00:00Z"),
            order(3, at="2026-05-19T10:00:00Z", returns=[back]),
        )
    )
    await desk.connect("sales", "square", options=OPTIONS)
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {
        ("2026-05-18", "main", "roll"): 6.0,
        ("2026-05-19", "main", "roll"): 2.0,
    }


async def test_a_late_edit_replaces_what_the_order_said(desk: Desk) -> None:
    """Its quantity, its product, its day; and a cancelled order was never there."""
    desk.stand.answer = pages(
        found(*(order(n, line("roll", "1"), line("bun", "1")) for n in range(4)))
    )
    await desk.connect("sales", "square", options=OPTIONS)
    await desk.sync("sales")
    late = {"updated": "2026-05-20T05:00:00Z"}
    desk.stand.answer = pages(
        found(
            order(0, line("roll", "10"), **late),
            order(1, line("roll", "1"), line("bun", "1"), at="2026-05-17T10:00:00Z", **late),
            order(2, line("roll", "1"), line("bun", "1"), state="CANCELED", **late),
        )
    )
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {
        ("2026-05-17", "main", "roll"): 1.0,
        ("2026-05-17", "main", "bun"): 1.0,
        ("2026-05-18", "main", "roll"): 11.0,
        ("2026-05-18", "main", "bun"): 1.0,
    }
    desk.stand.answer = pages(found(order(3, state="CANCELED", **late)))
    await desk.sync("sales")
    assert (await sold(desk))["2026-05-18", "main", "bun"] == 0.0
    assert desk.stand.asked[-1].json["query"]["filter"]["date_time_filter"] == {
        "updated_at": {"start_at": "2026-05-19T05:00:00Z"}
    }


async def test_a_day_counts_when_it_is_over(desk: Desk) -> None:
    desk.stand.answer = pages(
        found(
            order(1, line("roll", "2"), at="2026-05-19T08:00:00Z"),
            order(2, line("roll", "3"), at="2026-05-20T05:00:00Z", updated="2026-05-20T05:00:00Z"),
        )
    )
    await desk.connect("sales", "square", options=OPTIONS)
    await desk.sync("sales")
    assert list(await sold(desk)) == [("2026-05-19", "main", "roll")]
    desk.stand.answer = pages(found())
    desk.now = NOW + timedelta(days=1)
    await desk.sync("sales")
    assert (await sold(desk))["2026-05-20", "main", "roll"] == 3.0


async def test_however_orders_are_edited_and_syncs_broken_the_sums_are_right(desk: Desk) -> None:
    """Against the orders as they stand at the end, added up naively."""
    random, numbers = Random(5), count()
    truth: dict[str, dict[str, Any]] = {}
    changes: list[dict[str, Any]] = []

    def change() -> None:
        known = random.choice([*truth, None]) if truth else None
        day = date(2026, 5, 10) + timedelta(days=random.randrange(8))
        made = order(
            known[1:] if known else next(numbers),
            *(line(random.choice("abc"), str(random.randrange(1, 9))) for _ in range(3)),
            at=f"{day}T{random.randrange(24):02d}:00:00Z",
            updated=f"2026-05-19T00:{len(changes) // 60:02d}:{len(changes) % 60:02d}Z",
            state=random.choice(["COMPLETED"] * 4 + ["CANCELED"]),
        )
        truth[made["id"]] = made
        changes.append(made)

    def answer(asked: Asked) -> Answer:
        if random.random() < 0.2:
            return said({"errors": [{"code": "INTERNAL"}]}, 403)
        since = asked.json["query"]["filter"]["date_time_filter"]["updated_at"]["start_at"]
        due = sorted(
            (each for each in truth.values() if each["updated_at"] >= since),
            key=lambda each: str(each["updated_at"]),
        )
        first = int(asked.json.get("cursor", "0"))
        more = first + 7 < len(due)
        return found(*due[first : first + 7], cursor=str(first + 7) if more else None)

    desk.stand.answer = answer
    await desk.connect("sales", "square", options=OPTIONS)
    for _ in range(8):
        for _ in range(10):
            change()
        await desk.sync("sales")
    for _ in range(20):
        if (await desk.sync("sales")).error is None:
            break
    expected: dict[tuple[str, str, str], float] = {}
    for each in truth.values():
        if each["state"] == "COMPLETED":
            hour = int(each["closed_at"][11:13])
            day = date.fromisoformat(each["closed_at"][:10]) + timedelta(days=hour >= 22)
            for item in each["line_items"]:
                key = (str(day), "main", item["name"])
                expected[key] = expected.get(key, 0) + float(item["quantity"])
    assert {key: value for key, value in (await sold(desk)).items() if value} == expected


ANNOYANCES: list[tuple[str, Answer, str]] = [
    ("malformed", (200, b'{"orders": ['), "upstream_malformed"),
    ("NaN", (200, b'{"orders": [NaN]}'), "upstream_malformed"),
    ("a list", said([]), "wrong_type"),
    ("orders that are none", said({"orders": "many"}), "wrong_type"),
    ("an order that is none", said({"orders": [7]}), "wrong_type"),
    ("no id", said({"orders": [order(1) | {"id": None}]}), "wrong_type"),
    ("no change", said({"orders": [order(1) | {"updated_at": None}]}), "wrong_type"),
    ("a quantity that is a number", found(order(1, line("a") | {"quantity": 2})), "wrong_type"),
    ("a quantity that is none", found(order(1, line("a", "two"))), "wrong_type"),
    ("a quantity of NaN", found(order(1, line("a", "NaN"))), "wrong_type"),
    ("an endless quantity", found(order(1, line("a", "9" * 400))), "wrong_type"),
    ("a quantity beyond reason", found(order(1, line("a", "9" * 15))), "value_out_of_range"),
    ("lines that are none", found(order(1) | {"line_items": {}}), "wrong_type"),
    ("a name with a NUL", found(order(1, line("a\0"))), "wrong_type"),
    ("closed in the year 9999", found(order(1, at="9999-01-01T00:00:00Z")), "date_out_of_range"),
    ("closed at no time", found(order(1, at="noon")), "wrong_type"),
    ("a cursor that is a number", said({"orders": [], "cursor": 5}), "wrong_type"),
    ("returns that are none", found(order(1, returns=[5])), "wrong_type"),
    ("unauthorised", said({"errors": [{"code": "UNAUTHORIZED"}]}, 401), "upstream_status"),
]


async def test_whatever_comes_ends_in_a_named_error_and_nothing_is_kept(desk: Desk) -> None:
    for number, (what, answer, code) in enumerate(ANNOYANCES):
        desk.stand.answer = pages(answer)
        url = f"{desk.stand.url}/{number}"
        await desk.connect("sales", "square", base_url=url, options=OPTIONS, credentials="t0k")
        ended = await desk.sync("sales")
        assert ended.error is not None, what
        assert ended.error["code"] == code, (what, ended.error)
    assert await desk.sales() == []
    assert await desk.rows("SELECT * FROM order_lines") == []


@pytest.mark.parametrize("cursor", ["same", "new"])
async def test_a_cursor_without_end_is_followed_only_so_far(desk: Desk, cursor: str) -> None:
    numbers = count()
    desk.stand.answer = lambda _: found(cursor="c" if cursor == "same" else f"c{next(numbers)}")
    await desk.connect("sales", "square", options=OPTIONS)
    ended = await desk.sync("sales")
    assert ended.error is not None
    assert ended.error["code"] == "endless_cursor"
    assert len(desk.stand.asked) <= 10
