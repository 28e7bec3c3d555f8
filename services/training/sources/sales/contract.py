"""Sales by Morrow's own contract: `GET {base_url}/sales`, days of products in pages."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sales.json_rows import frame_of
from services.training.sales.sales_rows import (
    FIELDS,
    KEY_FIELDS,
    SalesRows,
    check_sales,
)
from services.training.sales.store import store_sales
from services.training.sources.options import ContractOptions
from services.training.sources.reading import as_cursor, as_instant, as_list, as_object
from services.training.sources.run import Run
from services.training.sources.sales.paging import (
    LATEST_AHEAD,
    Page,
    Pass,
    digest_of,
    read_pages,
    require_few,
)
from shared.upstream.payload import Json

Item = dict[str, Json]
UPDATED_AT: Final = "updated_at"


async def pull_contract_sales(run: Run) -> None:
    """Every row that was changed since the last pass."""
    options = run.connected.options
    assert isinstance(options, ContractOptions)

    async def fetch(current: Pass) -> Page[SalesRows]:
        answer = await run.supply.client.get(
            run.upstream(run.bearer()), "/sales", _query(current, options), deadline=run.deadline
        )
        return read_page(answer, options, run.now)

    async def keep(session: AsyncSession, rows: SalesRows, _: Pass) -> int:
        receipt = await store_sales(session, rows, run.connected.most_series)
        return receipt.received

    await read_pages(run, options, fetch, keep)


def _query(current: Pass, options: ContractOptions) -> dict[str, str]:
    query = {"limit": str(options.page_size)}
    if current.since is not None:
        query["updated_since"] = f"{current.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    elif options.since is not None:
        query["updated_since"] = f"{options.since}T00:00:00Z"
    return query | ({} if current.cursor is None else {"cursor": current.cursor})


def read_page(answer: Json, options: ContractOptions, now: datetime) -> Page[SalesRows]:
    """The page's rows by the rules of `POST /sales`; of a key that is there twice with its instants
    of change, the later one."""
    body = as_object(answer, "the answer")
    items = require_few(as_list(body.get("items"), "items"))
    rows = [as_object(item, f"items[{at}]") for at, item in enumerate(items)]
    changed = [_changed_at(row, at, now) for at, row in enumerate(rows)]
    wanted = {*FIELDS, *options.regressors}
    kept = _latest(rows, changed)
    frame = frame_of([{name: row[name] for name in row if name in wanted} for row in kept])
    return Page(
        content=check_sales(frame, now.date()),
        next_cursor=as_cursor(body.get("next_cursor"), "next_cursor"),
        newest=max((at for at in changed if at is not None), default=now if items else None),
        digest=digest_of(items),
    )


def _changed_at(row: Item, at: int, now: datetime) -> datetime | None:
    value = row.get(UPDATED_AT)
    if value is None:
        return None
    return as_instant(value, f"items[{at}].{UPDATED_AT}", now + LATEST_AHEAD)


def _latest(rows: list[Item], changed: list[datetime | None]) -> list[Item]:
    """Without the rows that a later change of the same key has overtaken."""
    last: dict[tuple[str, ...], datetime] = {}
    keys = [tuple(repr(row.get(name)) for name in KEY_FIELDS) for row in rows]
    for key, at in zip(keys, changed, strict=True):
        if at is not None:
            last[key] = max(at, last.get(key, at))
    return [
        row
        for row, key, at in zip(rows, keys, changed, strict=True)
        if at is None or at == last[key]
    ]
