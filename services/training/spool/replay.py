"""What waits on the disk into the database: a tenant's batches in order, each exactly once.

A crash at any point repeats at most the reading: the receipt is written with the rows, and a batch
that has one is only removed.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.deps import Resources
from services.training.identity.tenant import is_known
from services.training.spool import telemetry
from services.training.spool.batch import Batch, Damaged
from services.training.spool.receipts import (
    take_receipt,
    was_erased,
    write_refusal,
    write_result,
)
from services.training.spool.schemas import Refusal, Status
from services.training.spool.shelf import Entry
from services.training.spool.spool import Spool
from services.training.spool.turn import turn
from shared.database import tenant_transaction
from shared.errors import Problem
from shared.outage import DatabaseErrors

POLL_SECONDS: Final = 0.5
REFUSED_BY_DATABASE: Final = ("22", "23")  # SQLSTATE classes: data, integrity

Stored = Callable[[AsyncSession], Awaitable[BaseModel]]
Reader = Callable[[Batch], Awaitable[Stored]]
"""What reads a batch: Problem where it cannot, else what stores it in a session."""

log = structlog.get_logger()


class TenantGone(Exception):
    """The database does not know the tenant; `erased` if it once did."""

    def __init__(self, *, erased: bool) -> None:
        self.erased = erased
        super().__init__("erased" if erased else "never known here")


class KindUnknown(Exception):
    """A later program kept this batch; it waits for one that can read it."""


class Step(Enum):
    """What became of the first batch of a tenant."""

    DONE = auto()
    STUCK = auto()
    AWAY = auto()


@dataclass(frozen=True, slots=True)
class Replay:
    """`readers` by the kind of batch."""

    held: Resources
    spool: Spool
    readers: Mapping[str, Reader]

    async def run(self) -> None:
        """Replay what waits, for ever; one process of the host at a time."""
        while True:
            try:
                await self._look()
            except OSError as error:
                log.error("spool_failed", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self.spool.nudged.wait()
            self.spool.nudged.clear()

    async def _look(self) -> None:
        shelf = self.spool.shelf
        telemetry.show(await asyncio.to_thread(shelf.tally))
        tenants = shelf.tenants()
        if tenants:
            with turn(shelf.root / "replaying", wait=False) as ours:
                if ours:
                    await self._replay(tenants)
            telemetry.show(await asyncio.to_thread(shelf.tally))

    async def _replay(self, tenants: list[UUID]) -> None:
        """One batch of each tenant in turn, as long as that gets anywhere."""
        while tenants:
            going_on = []
            for tenant_id in tenants:
                step = await self._replay_first(tenant_id)
                if step is Step.AWAY:
                    return
                if step is Step.DONE and not self.spool.shelf.is_empty(tenant_id):
                    going_on.append(tenant_id)
            tenants = going_on

    async def _replay_first(self, tenant_id: UUID) -> Step:
        waiting = self.spool.shelf.waiting(tenant_id)
        if not waiting:
            return Step.DONE
        try:
            await self._end(waiting[0], tenant_id)
        except TenantGone as gone:
            return await self._without_tenant(tenant_id, gone)
        except (*DatabaseErrors, OSError, KindUnknown) as error:
            if isinstance(error, DatabaseErrors) and await self.held.is_away(error):
                return Step.AWAY
            log.error("replay_failed", receipt=str(waiting[0].receipt_id), error=str(error))
            return Step.STUCK
        return Step.DONE

    async def _end(self, entry: Entry, tenant_id: UUID) -> None:
        """Apply or refuse a batch, and take it off the disk."""
        try:
            status = await self._apply(entry, tenant_id)
        except (Damaged, Problem, DBAPIError) as error:
            status = await self._refuse(entry, tenant_id, _refusal_for(error))
        if status is Status.REJECTED:
            await asyncio.to_thread(self.spool.shelf.reject, entry)
        else:
            await asyncio.to_thread(entry.path.unlink, missing_ok=True)
        telemetry.REPLAYED.labels(status.value).inc()
        log.info("batch_replayed", receipt=str(entry.receipt_id), status=status.value)

    async def _apply(self, entry: Entry, tenant_id: UUID) -> Status:
        batch = await asyncio.to_thread(entry.read)
        reader = self.readers.get(batch.header.kind)
        if reader is None:
            raise KindUnknown(batch.header.kind)
        store = await reader(batch)
        async with tenant_transaction(self.held.sessions, tenant_id) as session:
            await _require_tenant(session)
            earlier = await take_receipt(session, entry, batch.header)
            if earlier is None:
                result = await store(session)
                await write_result(session, entry.receipt_id, result.model_dump(mode="json"))
        return earlier or Status.APPLIED

    async def _refuse(self, entry: Entry, tenant_id: UUID, refusal: Refusal) -> Status:
        header = await asyncio.to_thread(entry.header)
        async with tenant_transaction(self.held.sessions, tenant_id) as session:
            await _require_tenant(session)
            earlier = await take_receipt(session, entry, header)
            if earlier is None:
                await write_refusal(session, entry.receipt_id, refusal)
        log.error("batch_rejected", receipt=str(entry.receipt_id), code=refusal.code)
        return earlier or Status.REJECTED

    async def _without_tenant(self, tenant_id: UUID, gone: TenantGone) -> Step:
        if gone.erased:
            await asyncio.to_thread(self.spool.shelf.erase, tenant_id)
            return Step.DONE
        # Not a reason to drop what was acknowledged: the database may be the wrong one.
        log.error("spooled_tenant_unknown", tenant=str(tenant_id))
        return Step.STUCK


async def _require_tenant(session: AsyncSession) -> None:
    if not await is_known(session):
        raise TenantGone(erased=await was_erased(session))


def _refusal_for(error: Damaged | Problem | DBAPIError) -> Refusal:
    """What the tenant is told; a database error that is nobody's fault is raised again."""
    match error:
        case Damaged():
            return Refusal(code="damaged_on_disk", detail=f"the file is damaged: {error}")
        case Problem():
            return Refusal(code=error.code, detail=error.detail, errors=error.errors)
        case _:
            state = str(getattr(error.orig, "sqlstate", None) or "")
            if not state.startswith(REFUSED_BY_DATABASE):
                raise error
            return Refusal(code="refused_by_database", detail=f"SQLSTATE {state}")
