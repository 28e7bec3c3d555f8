"""The spool of one API process: a batch onto the disk, and a nudge to whoever replays."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Annotated, Final
from uuid import UUID

import structlog
from fastapi import Depends
from starlette.requests import HTTPConnection

from services.training.settings import Settings
from services.training.spool import telemetry
from services.training.spool.batch import Batch, Header
from services.training.spool.schemas import Receipt, Status
from services.training.spool.shelf import Entry, Shelf, ShelfFull, open_shelf
from shared.errors import Problem

DRAIN_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.02
STATUS_URL: Final = "/api/v1/spool/"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Spool:
    """`nudged` wakes the replay of this process."""

    shelf: Shelf
    nudged: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, batch: Batch) -> Receipt:
        """Acknowledge a batch: it is on the disk. 503 where there is no room, and then it isn't."""
        try:
            entry = await asyncio.to_thread(self.shelf.append, batch)
        except ShelfFull as full:
            raise _no_room("spool_full", str(full)) from full
        except OSError as error:
            log.error("spool_failed", error=str(error))
            reason = error.strerror or type(error).__name__
            raise _no_room("spool_unavailable", f"the disk refused it: {reason}") from error
        telemetry.ACKNOWLEDGED.labels(batch.header.kind).inc()
        self.nudged.set()
        log.warning("batch_spooled", receipt=str(entry.receipt_id), bytes=entry.bytes)
        waiting = self.shelf.waiting(batch.header.tenant_id)
        return receipt_of(entry, batch.header, position_of(entry, waiting))

    async def is_drained(self, tenant_id: UUID, seconds: float = DRAIN_SECONDS) -> bool:
        """Whether nothing of the tenant waits, or no longer does within `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.shelf.is_empty(tenant_id):
            if time.monotonic() > deadline:
                return False
            self.nudged.set()
            await asyncio.sleep(LOOK_SECONDS)
        return True

    async def count(self, tenant_id: UUID) -> int:
        """How many batches of the tenant are on this disk, rejected ones too."""
        shelf = self.shelf
        return len(shelf.waiting(tenant_id)) + len(shelf.rejected(tenant_id))

    async def erase(self, tenant_id: UUID) -> int:
        """Remove them all; how many there were."""
        return await asyncio.to_thread(self.shelf.erase, tenant_id)


def open_spool(settings: Settings) -> Spool:
    """The spool below `settings.spool_path`. Raises OSError where it cannot be made."""
    return Spool(
        open_shelf(
            settings.spool_path,
            most_bytes=settings.spool_bytes,
            most_tenant_bytes=settings.spool_tenant_bytes,
        )
    )


def position_of(entry: Entry, waiting: list[Entry]) -> int:
    """Its place among those that wait, from 1; a replayed one was the first."""
    return 1 + sum(other.number < entry.number for other in waiting)


def receipt_of(entry: Entry, header: Header, position: int) -> Receipt:
    """The receipt of a batch that waits."""
    return Receipt(
        id=entry.receipt_id,
        kind=header.kind,
        status=Status.WAITING,
        received=header.rows,
        bytes=entry.bytes,
        received_at=header.received_at,
        position=position,
        status_url=f"{STATUS_URL}{entry.receipt_id}",
    )


def _no_room(code: str, detail: str) -> Problem:
    telemetry.REFUSED.labels(code).inc()
    return Problem(
        503,
        code,
        f"the database is away and this batch could not be kept: {detail}; send it again later",
        headers={"Retry-After": "30"},
    )


def spool_of(connection: HTTPConnection) -> Spool:
    spool: Spool = connection.app.state.spool
    return spool


HeldSpool = Annotated[Spool, Depends(spool_of)]
