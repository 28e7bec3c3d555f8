"""What of a tenant waits on this host, and what became of what did."""

import asyncio
import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.deps import (
    Held,
    Ingester,
    KnownIngesterOrReader,
    Resources,
    Transaction,
)
from services.training.identity.caller import Caller
from services.training.spool.receipts import read_receipt
from services.training.spool.schemas import Receipt, SpoolPage
from services.training.spool.shelf import Entry
from services.training.spool.spool import STATUS_URL, HeldSpool, Spool, receipt_of
from shared.database import tenant_transaction
from shared.errors import Problem, database_unavailable, not_found
from shared.outage import DatabaseErrors
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_cursor

router = APIRouter(tags=["spool"])

ReceiptId = Annotated[UUID, Path(description="the `id` of a receipt")]


@router.get("/spool")
async def list_spool(
    caller: KnownIngesterOrReader,
    spool: HeldSpool,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> SpoolPage:
    """The batches that wait on this host for the database, the next one first. Answered from the
    disk, so also while the database is away."""
    return await asyncio.to_thread(_page, spool, caller.tenant_id, limit, cursor)


@router.get("/spool/{receipt_id}")
async def get_receipt(
    receipt_id: ReceiptId, caller: KnownIngesterOrReader, held: Held, spool: HeldSpool
) -> Receipt:
    """What became of a batch that was acknowledged with 202: it waits on this host, it was
    applied, or it was rejected, with its row errors."""
    # The disk first: what leaves it is in the database by then.
    found = await asyncio.to_thread(_waiting, spool, caller.tenant_id, receipt_id)
    if found is None:
        found = await _ended(held, caller, receipt_id)
    if found is None:
        raise not_found("receipt", receipt_id)
    return found


@router.delete("/spool/{receipt_id}", status_code=204)
async def discard_rejected(
    receipt_id: ReceiptId, caller: Ingester, session: Transaction, spool: HeldSpool
) -> None:
    """Remove from this host's disk a batch that was rejected; one that waits stays."""
    if await asyncio.to_thread(_waiting, spool, caller.tenant_id, receipt_id) is not None:
        raise Problem(409, "batch_waiting", "it waits for the database and will be applied")
    for entry in spool.shelf.rejected(caller.tenant_id):
        if entry.receipt_id == receipt_id:
            told = {"bytes": entry.bytes}
            record(
                session, caller.actor, Action.SPOOL_DISCARDED, f"batch:{receipt_id}", before=told
            )
            await asyncio.to_thread(entry.path.unlink, missing_ok=True)
            return
    raise not_found("rejected_batch", receipt_id)


def _page(spool: Spool, tenant_id: UUID, limit: int, cursor: str | None) -> SpoolPage:
    key = decode_cursor(cursor, int)
    after = 0 if key is None else int(key[0])
    waiting = spool.shelf.waiting(tenant_id)
    left = [place for place in enumerate(waiting, 1) if place[1].number > after]
    shown = [_shown(entry, position) for position, entry in left[:limit]]
    more = len(left) > limit
    return SpoolPage(
        waiting=len(waiting),
        bytes=sum(entry.bytes for entry in waiting),
        rejected=len(spool.shelf.rejected(tenant_id)),
        oldest_seconds=_age(waiting),
        items=[receipt for receipt in shown if receipt is not None],
        next_cursor=next_cursor(more, left[limit - 1][1].number) if more else None,
    )


def _waiting(spool: Spool, tenant_id: UUID, receipt_id: UUID) -> Receipt | None:
    for position, entry in enumerate(spool.shelf.waiting(tenant_id), 1):
        if entry.receipt_id == receipt_id:
            return _shown(entry, position)
    return None


def _shown(entry: Entry, position: int) -> Receipt | None:
    try:
        return receipt_of(entry, entry.header(), position)
    except FileNotFoundError:  # replayed meanwhile
        return None


def _age(waiting: list[Entry]) -> float | None:
    ages = (_shown(entry, 1) for entry in waiting)
    oldest = next((receipt for receipt in ages if receipt is not None), None)
    if oldest is None:
        return None
    return max(0.0, (dt.datetime.now(dt.UTC) - oldest.received_at).total_seconds())


async def _ended(held: Resources, caller: Caller, receipt_id: UUID) -> Receipt | None:
    if not caller.checked:
        raise database_unavailable()
    try:
        async with tenant_transaction(held.sessions, caller.tenant_id) as session:
            row = await read_receipt(session, receipt_id)
    except DatabaseErrors as error:
        if not await held.is_away(error):
            raise
        raise database_unavailable() from error
    return None if row is None else _of_row(row)


def _of_row(row: tables.SpoolReceipt) -> Receipt:
    columns = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    return Receipt.model_validate(columns | {"status_url": f"{STATUS_URL}{row.id}"})
