"""The circuit breakers of all processes, and their reset."""

from itertools import groupby
from uuid import UUID

from fastapi import APIRouter

from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record
from services.training.breakers import store
from services.training.breakers.fleet import BREAKERS_CHANNEL
from services.training.breakers.schemas import BreakerPage, ResetAccepted
from services.training.breakers.together import together
from services.training.deps import Held, OperatorOnly, Viewer
from services.training.tables.breakers import EVERYBODY
from shared.database import tenant_transaction
from shared.errors import not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, bad_cursor, decode_cursor, next_cursor
from shared.text import Name

router = APIRouter(tags=["platform"])


@router.get("/circuit-breakers")
async def list_circuit_breakers(
    viewer: Viewer, held: Held, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> BreakerPage:
    """Whom the service calls, and whether it does at present: of every process, from any of them.

    A tenant sees its own sources' and the shared ones, the operator all.
    """
    async with held.engine.connect() as connection:
        told = await store.read_told(connection, viewer, _key_after(cursor), limit)
    items = [
        together(owner, name, list(rows))
        for (name, owner), rows in groupby(told, key=lambda row: (row.name, row.owner))
    ]
    full = len(items) == limit
    last = (told[-1].name, str(told[-1].owner)) if told else ()
    return BreakerPage(items=items, next_cursor=next_cursor(full, *last))


@router.post("/circuit-breakers/{name}/reset", status_code=202, dependencies=[OperatorOnly])
async def reset_circuit_breaker(name: Name, held: Held) -> ResetAccepted:
    """Close it in every process, whoever owns it."""
    async with tenant_transaction(held.sessions, EVERYBODY) as session:
        if not await store.ask_for_reset(session, name):
            raise not_found("circuit_breaker", name)
        record(session, OPERATOR, Action.BREAKER_RESET, f"circuit_breaker:{name}")
    held.bell.ring(BREAKERS_CHANNEL)
    return ResetAccepted(name=name)


def _key_after(cursor: str | None) -> store.BreakerKey | None:
    key = decode_cursor(cursor, str, str)
    if key is None:
        return None
    try:
        return str(key[0]), UUID(str(key[1]))
    except ValueError:
        raise bad_cursor() from None
