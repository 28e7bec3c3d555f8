"""Erasing a tenant, in transactions of a bounded size.

It begins with the receipt: from its commit on the tenant's keys are revoked, and nothing new comes
in. It may stop anywhere after that, and whoever goes on with it, asked or not, does what is left
and counts it into the same receipt, whose row is locked for each step: of two, one goes on.
"""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record
from services.training.deps import Resources
from services.training.queue.lifeline import CANCELLED_CHANNEL
from services.training.spool.spool import Spool
from services.training.tables import ApiKey, Erasure, Table, Tenant
from services.training.tenants.erased_rows import erase_rest, erase_some, erased_tables, find_rows
from shared.canonical import digest_of_json
from shared.database import tenant_transaction

ERASED_CHANNEL: Final = "morrow_erased"
BATCH: Final = 5_000
SEEN_ELSEWHERE_SECONDS: Final = 1.0
"""By then every process has looked for keys that ended, so that these may go."""
TRIES: Final = 5
ERASE_DETAILS: Final = text("SELECT erase_audit_details(:most)")
DETAILS: Final = text("""
SELECT count(*) FROM audit_log WHERE salt IS NOT NULL AND action NOT LIKE 'tenant.eras%'
""")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Eraser:
    """What of a process holds anything of tenants."""

    held: Resources
    spool: Spool

    async def erase(self, tenant_id: UUID) -> None:
        """Everything of a tenant whose erasure has begun."""
        keys_may_go = time.monotonic() + SEEN_ELSEWHERE_SECONDS
        for table in erased_tables():
            if table not in (Tenant, ApiKey):
                await self._erase_rows(tenant_id, table)
        await asyncio.sleep(keys_may_go - time.monotonic())
        await self._erase_last_rows(tenant_id)
        await self._erase_details(tenant_id)
        await self._erase_artifacts(tenant_id)
        await self.erase_spool(tenant_id)
        await self.finish(tenant_id)

    async def _erase_artifacts(self, tenant_id: UUID) -> int:
        gone = await self.held.artifacts.erase(str(tenant_id))
        async with self._step(tenant_id) as session:
            await _count(session, artifacts=gone)
        return gone

    async def erase_spool(self, tenant_id: UUID) -> None:
        """What waits on the disk of this host, also after the receipt was ended elsewhere."""
        gone = await self.spool.erase(tenant_id)
        if gone:
            async with self._step(tenant_id) as session:
                ended = await _count(session, spooled=gone)
            if ended:
                await self.finish(tenant_id)

    async def sweep(self, tenant_id: UUID) -> None:
        """Once more, for what a process that was cut off brought after the tenant had gone."""
        async with self._step(tenant_id) as session:
            late = await erase_rest(session)
            await _count(session, rows=late)
        rows, artifacts = sum(late.values()), await self._erase_artifacts(tenant_id)
        if rows or artifacts:
            log.warning("erased_late", tenant_id=str(tenant_id), rows=rows, artifacts=artifacts)
            await self.finish(tenant_id)

    async def _erase_rows(self, tenant_id: UUID, table: type[Table]) -> None:
        """Nearly all: what others stand on that came just now is left for the end."""
        gone = BATCH
        with contextlib.suppress(IntegrityError):
            while gone == BATCH:
                async with self._step(tenant_id) as session:
                    gone = await erase_some(session, table, BATCH)
                    await _count(session, rows={table.__tablename__: gone})

    async def _erase_last_rows(self, tenant_id: UUID) -> None:
        """What came meanwhile, by those who were at it, and the tenant: after that the foreign keys
        let nothing in."""
        for left in reversed(range(TRIES)):
            try:
                async with self._step(tenant_id) as session:
                    await session.execute(select(Tenant.tenant_id).with_for_update())
                    await _count(session, rows=await erase_rest(session))
                return
            except IntegrityError:
                if not left:
                    raise

    async def _erase_details(self, tenant_id: UUID) -> None:
        gone = BATCH
        while gone == BATCH:
            async with self._step(tenant_id) as session:
                gone = await session.scalar(ERASE_DETAILS, {"most": BATCH}) or 0
                await _count(session, audit_entries=gone)

    async def finish(self, tenant_id: UUID) -> None:
        """Look for what is left, and end the receipt if nothing is."""
        artifacts = await self.held.artifacts.count(str(tenant_id))
        places = {"artifacts": artifacts, "spool": await self.spool.count(tenant_id)}
        async with self._step(tenant_id) as session:
            remaining = await find_rows(session) | {at: n for at, n in places.items() if n}
            now = (await session.execute(select(func.now()))).scalar_one()
            receipt = await read_erasure(session)
            assert receipt is not None, "it was begun"
            receipt.remaining = remaining
            if remaining:
                log.error("erasure_incomplete", tenant_id=str(tenant_id), **remaining)
                return
            receipt.finished_at = receipt.finished_at or now
            if receipt.digest == (digest := digest_of_json(receipt_told(receipt))):
                return
            receipt.digest = digest
            told = {"receipt": receipt.digest, "rows": sum(receipt.rows.values())}
            record(session, OPERATOR, Action.TENANT_ERASED, f"tenant:{tenant_id}", after=told)

    @asynccontextmanager
    async def _step(self, tenant_id: UUID) -> AsyncIterator[AsyncSession]:
        async with tenant_transaction(self.held.sessions, tenant_id) as session:
            await session.execute(select(Erasure.tenant_id).with_for_update())
            yield session


async def begin(session: AsyncSession, tenant_id: UUID) -> bool:
    """Put the session's tenant on its way out, or find it there; False where there is none."""
    tenant = await session.scalar(select(Tenant.tenant_id).with_for_update())
    if tenant is None:
        receipt = await read_erasure(session)
        return receipt is not None and receipt.finished_at is None
    begun = await session.execute(
        insert(Erasure)
        .values(tenant_id=tenant_id)
        .on_conflict_do_nothing()
        .returning(Erasure.asked_at)
    )
    if begun.scalar_one_or_none() is not None:
        await session.execute(
            update(ApiKey).where(ApiKey.revoked_at.is_(None)).values(revoked_at=func.now())
        )
        record(session, OPERATOR, Action.ERASURE_BEGUN, f"tenant:{tenant_id}")
    return True


async def read_erasure(session: AsyncSession) -> Erasure | None:
    """The receipt of the session's tenant."""
    return await session.scalar(select(Erasure).execution_options(populate_existing=True))


async def count_details(session: AsyncSession) -> int:
    """How many entries of the record tell of the session's tenant, and will not."""
    return await session.scalar(DETAILS) or 0


def receipt_told(receipt: Erasure) -> dict[str, object]:
    """What the digest of a receipt is of."""
    return {
        "tenant_id": str(receipt.tenant_id),
        "asked_at": _moment(receipt.asked_at),
        "erased_at": _moment(receipt.finished_at),
        "rows": receipt.rows,
        "audit_entries": receipt.audit_entries,
        "artifacts": receipt.artifacts,
        "spooled": receipt.spooled,
    }


def ring(held: Resources, tenant_id: UUID) -> None:
    """Tell every process: those who keep anything of the tenant, and those who work for it."""
    held.bell.ring(ERASED_CHANNEL)
    held.bell.ring(CANCELLED_CHANNEL)


async def _count(session: AsyncSession, rows: Mapping[str, int] | None = None, **more: int) -> bool:
    """Add to the receipt of the session's tenant, which the caller has locked; whether it was
    ended already."""
    receipt = await read_erasure(session)
    assert receipt is not None, "it was begun"
    if rows is not None:
        sums = {name: receipt.rows.get(name, 0) + count for name, count in rows.items()}
        receipt.rows = receipt.rows | sums
    for name, count in more.items():
        setattr(receipt, name, getattr(receipt, name) + count)
    receipt.touched_at = (await session.execute(select(func.now()))).scalar_one()
    await session.flush()
    return receipt.finished_at is not None


def _moment(at: dt.datetime | None) -> str | None:
    return None if at is None else at.astimezone(dt.UTC).isoformat()
