"""Sales from Shopify: its orders by GraphQL, what they cost, and what is left of their lines."""

from typing import Any

from services.training.sources.sales.graphql import wait_of
from tests.sources.conftest import Desk
from tests.sources.upstreams import Answer, said

OPTIONS = {"locations": {"gid://shopify/Location/1": "kiosk"}}


def line(title: str, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {
        "currentQuantity": quantity,
        "sku": f"sku-{title}",
        "title": title,
        "variantTitle": "Default Title",
        "variant": {"id": f"gid://shopify/ProductVariant/{title}"},
    } | more


def connection(*nodes: Any, cursor: str | None = None) -> dict[str, Any]:
    page = {"hasNextPage": cursor is not None, "endCursor": cursor or "last"}
    return {"pageInfo": page, "nodes": list(nodes)}


def order(number: int, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Order/{number}",
        "updatedAt": "2026-05-18T10:01:00Z",
        "processedAt": "2026-05-18T10:00:00Z",
        "cancelledAt": None,
        "test": False,
        "retailLocation": None,
        "lineItems": connection(*lines),
    } | more


def orders(*found: Any, cursor: str | None = None) -> Answer:
    return said({"data": {"orders": connection(*found, cursor=cursor)}})


def pages(*answers: Answer) -> Any:
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def refused(code: str, **cost: Any) -> Answer:
    return said(
        {
            "errors": [{"message": code.title(), "extensions": {"code": code}}],
            "extensions": {"cost": cost},
        }
    )


async def sold(desk: Desk) -> dict[tuple[str, str, str], float | None]:
    return {(str(day), place, what): n for day, place, what, n in await desk.sales()}


async def test_what_it_is_asked_is_what_shopify_documents(desk: Desk) -> None:
    desk.stand.answer = pages(orders(order(1, line("roll")), cursor="c1"), orders(order(2)))
    await desk.connect("sales", "shopify", credentials="shpat", options={"page_size": 5})
    assert (await desk.sync("sales")).error is None
    await desk.sync("sales")
    first, second, third = desk.stand.asked
    assert (first.method, first.path) == ("POST", "/admin/api/2026-07/graphql.json")
    assert first.headers["x-shopify-access-token"] == "shpat"
    assert "authorization" not in first.headers
    assert first.json["variables"] == {"first": 5, "lines": 30, "after": None, "since": None}
    assert second.json["variables"]["after"] == "c1"
    assert third.json["variables"]["since"] == "updated_at:>='2026-05-17T10:01:00Z'"
    assert "sortKey: UPDATED_AT" in first.json["query"]


async def test_what_is_left_of_the_lines_is_added_up_by_business_day_and_place(
    desk: Desk,
) -> None:
    retail = {"retailLocation": {"id": "gid://shopify/Location/1"}}
    desk.stand.answer = pages(
        orders(
            order(1, line("roll", 3), line("loaf", 1, variantTitle="spelt")),
            order(2, line("roll", 2), processedAt="2026-05-18T22:30:00Z"),
            order(3, line("roll", 5), **retail),
            order(4, line("roll", 7), cancelledAt="2026-05-18T11:00:00Z"),
            order(5, line("roll", 9), test=True),
        )
    )
    await desk.connect("sales", "shopify", options=OPTIONS)
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {
        ("2026-05-18", "main", "roll"): 3.0,
        ("2026-05-18", "main", "loaf spelt"): 1.0,
        ("2026-05-19", "main", "roll"): 2.0,
        ("2026-05-18", "kiosk", "roll"): 5.0,
    }


async def test_what_came_back_lowers_the_day_on_which_it_was_sold(desk: Desk) -> None:
    desk.stand.answer = pages(orders(order(1, line("roll", 6)), order(2, line("roll", 4))))
    await desk.connect("sales", "shopify")
    await desk.sync("sales")
    edited = order(1, line("roll", 4), updatedAt="2026-05-19T09:00:00Z")
    desk.stand.answer = pages(orders(edited))
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {("2026-05-18", "main", "roll"): 8.0}


async def test_an_order_with_many_lines_is_read_to_its_end(desk: Desk) -> None:
    more = order(1) | {"lineItems": connection(line("roll", 1), cursor="l1")}
    rest = said({"data": {"order": {"lineItems": connection(line("roll", 2), line("bun", 3))}}})
    desk.stand.answer = pages(orders(more), rest)
    await desk.connect("sales", "shopify")
    assert (await desk.sync("sales")).error is None
    assert await sold(desk) == {
        ("2026-05-18", "main", "roll"): 3.0,
        ("2026-05-18", "main", "bun"): 3.0,
    }
    assert desk.stand.asked[1].json["variables"] == {
        "id": "gid://shopify/Order/1",
        "lines": 30,
        "after": "l1",
    }


async def test_products_are_named_as_wished(desk: Desk) -> None:
    for by, name in (("sku", "sku-roll"), ("id", "gid://shopify/ProductVariant/roll")):
        desk.stand.answer = pages(
            orders(order(1, line("roll", 2), line("gift", 1, sku=None, variant=None)))
        )
        url = f"{desk.stand.url}/{by}"
        await desk.connect("sales", "shopify", base_url=url, options={"product_by": by})
        await desk.rows("TRUNCATE sales")
        assert (await desk.sync("sales")).error is None
        assert {what for _, _, what in await sold(desk)} == {name, "gift"}


async def test_who_is_told_to_wait_waits_as_long_as_the_bucket_needs(desk: Desk) -> None:
    status = {"currentlyAvailable": 80, "restoreRate": 50}
    throttled = refused("THROTTLED", requestedQueryCost=100, throttleStatus=status)
    desk.stand.answer = pages(throttled, orders(order(1, line("roll"))))
    await desk.connect("sales", "shopify")
    assert (await desk.sync("sales")).error is None
    assert len(desk.stand.asked) == 2


def test_the_wait_is_what_is_missing_by_the_rate_at_which_it_refills() -> None:
    cost = {
        "requestedQueryCost": 900,
        "throttleStatus": {"currentlyAvailable": 100, "restoreRate": 50},
    }
    assert wait_of({"extensions": {"cost": cost}}) == 16.0
    assert wait_of({}) == 2.0
    assert wait_of({"extensions": {"cost": {"requestedQueryCost": 1e9}}}) == 30.0


async def test_who_would_wait_beyond_the_deadline_says_so_at_once(desk: Desk) -> None:
    desk.stand.answer = pages(refused("THROTTLED", requestedQueryCost=1e6))
    await desk.connect("sales", "shopify")
    ended = await desk.sync("sales", seconds=20)
    assert ended.error is not None
    assert ended.error["code"] == "throttled"
    assert len(desk.stand.asked) == 1


CUT = {"nodes": [], "pageInfo": {"hasNextPage": True}}
LATE = "9999-01-01T00:00:00Z"
ANNOYANCES: list[tuple[str, Answer, str]] = [
    ("malformed", (200, b'{"data": {'), "upstream_malformed"),
    ("NaN", (200, b'{"data": NaN}'), "upstream_malformed"),
    ("nothing", said({}), "wrong_type"),
    ("too dear", refused("MAX_COST_EXCEEDED"), "query_too_dear"),
    ("no access", refused("ACCESS_DENIED"), "refused"),
    ("errors that are none", said({"errors": "no", "data": {}}), "wrong_type"),
    ("half an answer", said({"errors": [{"message": "x"}], "data": {"orders": None}}), "refused"),
    ("no orders", said({"data": {"orders": None}}), "wrong_type"),
    ("no page", said({"data": {"orders": {"nodes": []}}}), "wrong_type"),
    ("a page without its cursor", said({"data": {"orders": CUT}}), "wrong_type"),
    ("an order that is none", orders(5), "wrong_type"),
    ("no id", orders(order(1) | {"id": 5}), "wrong_type"),
    ("a quantity as text", orders(order(1, line("a", "2"))), "wrong_type"),
    ("no quantity", orders(order(1, line("a", None))), "wrong_type"),
    ("a quantity beyond reason", orders(order(1, line("a", 1e12))), "value_out_of_range"),
    ("below zero", orders(order(1, line("a", -1))), "value_out_of_range"),
    ("processed at no time", orders(order(1) | {"processedAt": "noon"}), "wrong_type"),
    ("changed in 9999", orders(order(1) | {"updatedAt": LATE}), "date_out_of_range"),
    ("lines that are none", orders(order(1) | {"lineItems": []}), "wrong_type"),
    ("forbidden", said({"errors": "[API] Invalid API key"}, 401), "upstream_status"),
]  # fmt: skip


async def test_whatever_comes_ends_in_a_named_error_and_nothing_is_kept(desk: Desk) -> None:
    for number, (what, answer, code) in enumerate(ANNOYANCES):
        desk.stand.answer = pages(answer)
        url = f"{desk.stand.url}/{number}"
        await desk.connect("sales", "shopify", base_url=url, credentials="shpat")
        ended = await desk.sync("sales")
        assert ended.error is not None, what
        assert ended.error["code"] == code, (what, ended.error)
        assert "shpat" not in str(ended.error), what
    assert await desk.sales() == []


async def test_cursors_of_orders_and_of_lines_are_followed_only_so_far(desk: Desk) -> None:
    desk.stand.answer = pages(orders(order(1, line("roll")), cursor="c"), orders(cursor="c"))
    await desk.connect("sales", "shopify")
    ended = await desk.sync("sales")
    assert ended.error is not None
    assert ended.error["code"] == "endless_cursor"
    more = order(1) | {"lineItems": connection(line("roll", 1), cursor="l1")}
    again = said({"data": {"order": {"lineItems": connection(line("roll"), cursor="l1")}}})
    desk.stand.answer = pages(orders(more), again)
    await desk.connect("sales", "shopify", base_url=f"{desk.stand.url}/v2")
    ended = await desk.sync("sales")
    assert ended.error is not None
    assert ended.error["code"] == "endless_cursor"
    assert len(desk.stand.asked) < 120
