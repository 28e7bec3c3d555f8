"""Sales from Shopify: orders by GraphQL, every one that was changed since.

https://shopify.dev/docs/api/admin-graphql: a query costs points, of which a bucket refills;
too dear a query, and one for which too few are left, are told in `errors` with status 200. Of a
line `currentQuantity` is what is left of it after edits and refunds, as Shopify advises to count,
so what comes back lowers the day on which it was sold.
"""

from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.faults import SourceFault
from services.training.sources.options import ShopifyOptions
from services.training.sources.reading import (
    as_cursor,
    as_instant,
    as_list,
    as_name,
    as_number,
    as_object,
    wrong,
)
from services.training.sources.run import Connected, Run
from services.training.sources.sales.business_day import business_day
from services.training.sources.sales.graphql import ask
from services.training.sources.sales.orders import (
    LARGEST,
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

LINES_AT_ONCE: Final = 30
MOST_LINE_PAGES: Final = 100
ONLY: Final = "Default Title"
"""What a variant is called where there is but one."""
_LINES: Final = (
    "pageInfo { hasNextPage endCursor } "
    "nodes { currentQuantity sku title variantTitle variant { id } }"
)
ORDERS: Final = (
    "query($first: Int!, $lines: Int!, $after: String, $since: String) { "
    "orders(first: $first, after: $after, query: $since, sortKey: UPDATED_AT) { "
    "pageInfo { hasNextPage endCursor } nodes { "
    "id updatedAt processedAt cancelledAt test retailLocation { id } "
    f"lineItems(first: $lines) {{ {_LINES} }} }} }} }}"
)
LINES: Final = (
    "query($id: ID!, $lines: Int!, $after: String) { order(id: $id) { "
    f"lineItems(first: $lines, after: $after) {{ {_LINES} }} }} }}"
)

Node = dict[str, Json]


async def pull_shopify(run: Run) -> None:
    """Every order that was placed, changed or cancelled since the last pass."""
    options = run.connected.options
    assert isinstance(options, ShopifyOptions)
    over = days_over(run, options)

    async def fetch(current: Pass) -> Page[list[Order]]:
        return await _fetch(run, options, current)

    async def keep(session: AsyncSession, orders: list[Order], current: Pass) -> int:
        return await keep_orders(session, run, orders, over, current)

    await read_pages(run, options, fetch, keep, lambda after: counted_through(run, over, after))


async def _fetch(run: Run, options: ShopifyOptions, current: Pass) -> Page[list[Order]]:
    variables: dict[str, Json] = {
        "first": options.page_size,
        "lines": LINES_AT_ONCE,
        "after": current.cursor,
        "since": _since(current, options),
    }
    data = await ask(run, options.api_version, ORDERS, variables)
    nodes, cursor = _connection(data.get("orders"), "orders")
    require_few(list(nodes))
    orders: list[Order] = []
    latest = run.now + LATEST_AHEAD
    changed = [
        as_instant(node.get("updatedAt"), f"orders[{at}].updatedAt", latest)
        for at, node in enumerate(nodes)
    ]
    for at, node in enumerate(nodes):
        lines = await _all_lines(run, options, node, f"orders[{at}]")
        orders.append(_order(node, lines, f"orders[{at}]", run.connected, options, latest))
    return Page(orders, cursor, max(changed, default=None), digest_of(list(nodes)))


def _since(current: Pass, options: ShopifyOptions) -> str | None:
    if current.since is not None:
        return f"updated_at:>='{current.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
    return None if options.since is None else f"updated_at:>='{options.since}T00:00:00Z'"


async def _all_lines(run: Run, options: ShopifyOptions, node: Node, where: str) -> list[Node]:
    """The order's lines, and those that its page had no room for."""
    lines, cursor = _connection(node.get("lineItems"), f"{where}.lineItems")
    pages = 1
    while cursor is not None:
        if (pages := pages + 1) > MOST_LINE_PAGES:
            raise SourceFault("endless_cursor", f"{where}.lineItems has no end")
        variables: dict[str, Json] = {"id": node.get("id"), "lines": LINES_AT_ONCE, "after": cursor}
        data = await ask(run, options.api_version, LINES, variables)
        order = as_object(data.get("order"), "order")
        more, cursor = _connection(order.get("lineItems"), f"{where}.lineItems")
        lines += more
    return lines


def _connection(value: Json, where: str) -> tuple[list[Node], str | None]:
    """The nodes of a page, and its cursor unless it is the last."""
    found = as_object(value, where)
    nodes = as_list(found.get("nodes"), f"{where}.nodes")
    page = as_object(found.get("pageInfo"), f"{where}.pageInfo")
    cursor = as_cursor(page.get("endCursor"), f"{where}.endCursor")
    if page.get("hasNextPage") is True and cursor is None:
        raise wrong(f"{where}.endCursor", None, "a cursor, for there is a next page")
    told = [as_object(node, f"{where}.nodes[{at}]") for at, node in enumerate(nodes)]
    return told, cursor if page.get("hasNextPage") is True else None


def _order(
    node: Node,
    lines: list[Node],
    where: str,
    connected: Connected,
    options: ShopifyOptions,
    latest: datetime,
) -> Order:
    """A cancelled one amounts to nothing, nor does one that was only a test."""
    order_id = as_name(node.get("id"), f"{where}.id")
    if node.get("cancelledAt") is not None or node.get("test") is True:
        return Order(order_id, ())
    retail = node.get("retailLocation")
    location = options.location
    if retail is not None:
        retail_id = as_name(as_object(retail, f"{where}.retailLocation").get("id"), f"{where}.id")
        location = options.locations.get(retail_id, location)
    sold_at = as_instant(node.get("processedAt"), f"{where}.processedAt", latest)
    day = business_day(sold_at, connected.zone_of(location), options.day_begins_at)
    return Order(
        order_id,
        tuple(
            _line(line, f"{where}.lineItems[{at}]", options, location, day)
            for at, line in enumerate(lines)
        ),
    )


def _line(line: Node, where: str, options: ShopifyOptions, location: str, day: date) -> Line:
    """Named as its options say, or else as it is titled."""
    quantity = as_number(line.get("currentQuantity"), f"{where}.currentQuantity", 0, LARGEST)
    if quantity is None:
        raise wrong(f"{where}.currentQuantity", None, "a number")
    variant = line.get("variant")
    told = {
        "sku": line.get("sku"),
        "id": as_object(variant, f"{where}.variant").get("id") if variant is not None else None,
    }.get(options.product_by)
    if told is not None and told != "":
        return Line(location, as_name(told, f"{where}.{options.product_by}"), day, quantity)
    title = as_name(line.get("title"), f"{where}.title")
    kind = line.get("variantTitle")
    if kind is not None and kind not in ("", ONLY):
        title = f"{title} {as_name(kind, f'{where}.variantTitle')}"[:200]
    return Line(location, title, day, quantity)
