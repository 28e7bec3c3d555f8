"""The record of what was done, for those whom it concerns."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query

from services.training.audit import store
from services.training.audit.action import Action
from services.training.audit.schemas import AuditPage, entry_out
from services.training.audit.store import OPERATORS, OWN, Place, Wanted, list_entries
from services.training.deps import AdminViewer, Held
from services.training.tables.breakers import EVERYBODY
from shared.database import tenant_transaction
from shared.errors import invalid
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, bad_cursor, decode_cursor, next_cursor
from shared.scalars import Moment

router = APIRouter(tags=["tenants"])

Since = Annotated[Moment | None, Query(alias="from", description="this moment or later")]
Until = Annotated[Moment | None, Query(alias="to", description="earlier than this moment")]


@router.get("/audit-log")
async def list_audit_log(
    viewer: AdminViewer,
    held: Held,
    since: Since = None,
    until: Until = None,
    action: Annotated[Action | None, Query(description="acts of this kind alone")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AuditPage:
    """Who did what, newest first: what was done for the tenant, and what the operator did to it.
    The operator sees what the operator did."""
    reader = EVERYBODY if viewer is None else viewer
    wanted = Wanted(_in_utc("from", since), _in_utc("to", until), action, _place(cursor))
    async with tenant_transaction(held.sessions, reader) as session:
        found = await list_entries(session, reader, wanted, limit)
    items = [entry_out(entry, viewer) for entry in found]
    if not found:
        return AuditPage(items=items, next_cursor=None)
    last = store.place_of(found[-1], reader)
    after = next_cursor(len(found) == limit, last.at.isoformat(), last.chain, last.hash.hex())
    return AuditPage(items=items, next_cursor=after)


def _in_utc(field: str, moment: dt.datetime | None) -> dt.datetime | None:
    """A moment, or a day, without an offset is meant in UTC."""
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except OverflowError:
        raise invalid(field, "out_of_range", "in UTC this moment is in no year 1 to 9999") from None


def _place(cursor: str | None) -> Place | None:
    key = decode_cursor(cursor, str, int, str)
    if key is None:
        return None
    try:
        at, chain = dt.datetime.fromisoformat(str(key[0])), int(key[1])
        hash = bytes.fromhex(str(key[2]))
    except ValueError:
        raise bad_cursor() from None
    if at.utcoffset() != dt.timedelta(0) or chain not in (OPERATORS, OWN):
        raise bad_cursor()
    return Place(at, chain, hash)
