"""Stream tickets: one use, a minute at most, for clients that cannot set headers."""

import datetime as dt
import hashlib
import secrets
from uuid import UUID

from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from shared.database import Sessions, tenant_transaction

LIFETIME = dt.timedelta(seconds=60)


def make_ticket(tenant_id: UUID) -> str:
    """A ticket names its tenant, so that it is looked for under that tenant's wall only."""
    return f"{tenant_id.hex}.{secrets.token_urlsafe(32)}"


async def keep_ticket(
    session: AsyncSession, tenant_id: UUID, job_id: UUID, ticket: str, now: dt.datetime
) -> dt.datetime:
    """Store the ticket's digest; returns when it expires."""
    expires_at = now + LIFETIME
    session.add(
        tables.StreamTicket(
            tenant_id=tenant_id, digest=_digest(ticket), job_id=job_id, expires_at=expires_at
        )
    )
    await session.flush()
    return expires_at


async def use_ticket(sessions: Sessions, job_id: UUID, ticket: str) -> UUID | None:
    """The tenant that the ticket lets in to this job, once; None if it lets in nobody."""
    tenant_id = _tenant_of(ticket)
    if tenant_id is None:
        return None
    async with tenant_transaction(sessions, tenant_id) as session:
        used = await session.execute(
            delete(tables.StreamTicket)
            .where(
                tables.StreamTicket.digest == _digest(ticket),
                tables.StreamTicket.job_id == job_id,
                tables.StreamTicket.expires_at > func.now(),
            )
            .returning(tables.StreamTicket.job_id)
        )
        return tenant_id if used.scalar_one_or_none() is not None else None


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()


def _tenant_of(ticket: str) -> UUID | None:
    try:
        return UUID(hex=ticket.partition(".")[0])
    except ValueError:
        return None
