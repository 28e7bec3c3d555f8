"""A batch into the database, or, while that is away, onto the disk."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse

from services.training.deps import Resources
from services.training.identity.caller import Caller
from services.training.spool.batch import Batch
from services.training.spool.schemas import Receipt
from services.training.spool.spool import Spool
from shared.database import tenant_transaction
from shared.outage import DatabaseErrors

T = TypeVar("T")
Store = Callable[[AsyncSession], Awaitable[T]]

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "model": Receipt,
        "description": "the database is away: the batch is on the disk of this host, and is "
        "replayed in order, exactly once, when it is back",
    }
}


async def store_or_spool(
    held: Resources, spool: Spool, caller: Caller, batch: Batch, store: Store[T]
) -> T | Response:
    """What `store` says, in a transaction of its own; 202 with the batch's receipt if the
    database is away, or if earlier batches of the tenant still wait, which none may overtake.

    A batch whose commit was cut off is spooled as well: if it was committed after all, its replay
    finds every row unchanged.
    """
    if caller.checked and await spool.is_drained(caller.tenant_id):
        try:
            async with tenant_transaction(held.sessions, caller.tenant_id) as session:
                return await store(session)
        except DatabaseErrors as error:
            if not await held.is_away(error):
                raise
    return _accepted(await spool.keep(batch))


def _accepted(receipt: Receipt) -> Response:
    return JSONResponse(
        receipt.model_dump(mode="json"), 202, headers={"Location": receipt.status_url}
    )
