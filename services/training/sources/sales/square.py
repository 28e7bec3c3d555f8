"""Sales from Square: `POST /v2/orders/search`, every order that was changed since.

https://developer.squareup.com/reference/square/orders-api/search-orders: at most ten locations a
search; sorted by the field that is filtered by; quantities are decimals as text; a return is an
order of its own, whose `returns` name what came back.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.options import SquareOptions
from services.training.sources.reading import (
    as_cursor,
    as_decimal,
    as_instant,
    as_list,
    as_name,
    as_object,
)
from services.training.sources.run import Connected, Run
from services.training.sources.sales.business_day import business_day
from services.training.sources.sales.orders import (
    Line,
    Order,
    counted_through,
    days_over,
    keep_orders,
)
from services.training.sources.sales.paging import (
    LATEST_AHEAD,
    Page,
    Pass,
    digest_of,
    read_pages,
    require_few,
)
from shared.upstream.payload import Json

VERSION: Final = "2026-01-22"
FIRST: Final = datetime(2009, 1, 1, tzinfo=UTC)
"""Square's own beginning."""
COMPLETED: Final = "COMPLETED"
PLAIN: Final = "Regular"
"""What a variation is called where there is but one."""


async def pull_square(run: Run) -> None:
    """Every order that was completed, changed or cancelled since the last pass."""
    options = run.connected.options
    assert isinstance(options, SquareOptions)
    headers = run.bearer() | {"Square-Version": VERSION}
    over = days_over(run, options)

    async def fetch(current: Pass) -> Page[list[Order]]:
        answer = await run.supply.client.post(
            run.upstream(headers),
            "/v2/orders/search",
            _search(current, options),
            deadline=run.deadline,
            idempotent=True,
        )
        return read_page(answer, run.connected, options, run.now)

    async def keep(session: AsyncSession, orders: list[Order], current: Pass) -> int:
        return await keep_orders(session, run, orders, over, current)

    await read_pages(run, options, fetch, keep, lambda after: counted_through(run, over, after))


def _search(current: Pass, options: SquareOptions) -> Json:
    since = current.since
    if since is None:
        since = FIRST if options.since is None else datetime.combine(
            options.since, datetime.min.time(), tzinfo=UTC
        )  # fmt: skip
    search: dict[str, Json] = {
        "location_ids": list(options.locations),
        "limit": options.page_size,
        "return_entries": False,
        "query": {
            "filter": {
                "state_filter": {"states": [COMPLETED, "CANCELED"]},
                "date_time_filter": {"updated_at": {"start_at": _text(since)}},
            },
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
    }
    return search if current.cursor is None else search | {"cursor": current.cursor}


def read_page(
    answer: Json, connected: Connected, options: SquareOptions, now: datetime
) -> Page[list[Order]]:
    body = as_object(answer, "the answer")
    items = require_few(as_list(body.get("orders", []), "orders"))
    orders = [as_object(item, f"orders[{at}]") for at, item in enumerate(items)]
    latest = now + LATEST_AHEAD
    changed = [
        as_instant(order.get("updated_at"), f"orders[{at}].updated_at", latest)
        for at, order in enumerate(orders)
    ]
    return Page(
        content=[
            _order(order, f"orders[{at}]", connected, options, latest)
            for at, order in enumerate(orders)
        ],
        next_cursor=as_cursor(body.get("cursor"), "cursor"),
        newest=max(changed, default=None),
        digest=digest_of(items),
    )


def _order(
    order: dict[str, Json],
    where: str,
    connected: Connected,
    options: SquareOptions,
    latest: datetime,
) -> Order:
    """One that is not completed amounts to nothing: it may have been, and was cancelled since."""
    order_id = as_name(order.get("id"), f"{where}.id")
    location = options.locations.get(as_name(order.get("location_id"), f"{where}.location_id"))
    if order.get("state") != COMPLETED or location is None:
        return Order(order_id, ())
    closed_at = order.get("closed_at") or order.get("created_at")
    sold_at = as_instant(closed_at, f"{where}.closed_at", latest)
    day = business_day(sold_at, connected.zone_of(location), options.day_begins_at)
    lines = [
        Line(location, product, day, quantity)
        for product, quantity in _quantities(order, where, options)
    ]
    return Order(order_id, tuple(lines))


def _quantities(
    order: dict[str, Json], where: str, options: SquareOptions
) -> Iterator[tuple[str, float]]:
    """What was sold, and below zero what came back."""
    for at, line in enumerate(as_list(order.get("line_items", []), f"{where}.line_items")):
        yield _line(line, f"{where}.line_items[{at}]", options)
    for at, each in enumerate(as_list(order.get("returns", []), f"{where}.returns")):
        here = f"{where}.returns[{at}]"
        returned = as_object(each, here).get("return_line_items", [])
        for number, line in enumerate(as_list(returned, f"{here}.return_line_items")):
            product, quantity = _line(line, f"{here}.return_line_items[{number}]", options)
            yield product, -quantity


def _line(item: Json, where: str, options: SquareOptions) -> tuple[str, float]:
    line = as_object(item, where)
    quantity = as_decimal(line.get("quantity"), f"{where}.quantity")
    found = line.get("catalog_object_id")
    if options.product_by == "id" and found is not None:
        return as_name(found, f"{where}.catalog_object_id"), quantity
    name = as_name(line.get("name") or found or "custom amount", f"{where}.name")
    variation = line.get("variation_name")
    if variation is None or variation in ("", PLAIN):
        return name, quantity
    return f"{name} {as_name(variation, f'{where}.variation_name')}"[:200], quantity


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
