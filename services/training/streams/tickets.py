"""Stream tickets: one use, a minute at most, for clients that cannot set headers.

Each is bound to a job and to the key, or token, that asked for it: it dies with that one, and lets
in nobody for longer. All times are the database's.
"""

import datetime as dt
import hashlib
import secrets
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, or_
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.identity.caller import Caller
from services.training.identity.keys import is_good
from services.training.tables import ApiKey, StreamTicket
from shared.auth import Scope
from shared.database import Sessions, tenant_transaction

LIFETIME: Final = dt.timedelta(seconds=60)

KEY_IS_GOOD: Final = exists().where(ApiKey.id == StreamTicket.key_id, is_good())


def make_ticket(tenant_id: UUID) -> str:
    """A ticket names its tenant, so that it is looked for under that tenant's wall only."""
    return f"{tenant_id.hex}.{secrets.token_urlsafe(32)}"


async def keep_ticket(
    session: AsyncSession, caller: Caller, job_id: UUID, ticket: str
) -> dt.datetime:
    """Store the ticket's digest; returns when it expires."""
    kept = await session.execute(
        insert(StreamTicket)
        .values(
            tenant_id=caller.tenant_id,
            digest=_digest(ticket),
            job_id=job_id,
            key_id=caller.key_id,
            subject=caller.subject,
            caller_until=caller.expires_at,
            expires_at=func.least(func.now() + LIFETIME, caller.expires_at),
        )
        .returning(StreamTicket.expires_at)
    )
    expires_at: dt.datetime = kept.scalar_one()
    return expires_at


async def use_ticket(sessions: Sessions, job_id: UUID, ticket: str) -> Caller | None:
    """The caller that the ticket lets in to this job, once, to read; None if it lets in nobody."""
    tenant_id = _tenant_of(ticket)
    if tenant_id is None:
        return None
    async with tenant_transaction(sessions, tenant_id) as session:
        used = await session.execute(
            delete(StreamTicket)
            .where(
                StreamTicket.digest == _digest(ticket),
                StreamTicket.job_id == job_id,
                StreamTicket.expires_at > func.now(),
                or_(StreamTicket.key_id.is_(None), KEY_IS_GOOD),
            )
            .returning(StreamTicket.key_id, StreamTicket.subject, StreamTicket.caller_until)
        )
        found = used.one_or_none()
    if found is None:
        return None
    scopes = frozenset({Scope.READ})
    return Caller(tenant_id, found.key_id, scopes, found.caller_until, found.subject)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()


def _tenant_of(ticket: str) -> UUID | None:
    try:
        return UUID(hex=ticket.partition(".")[0])
    except ValueError:
        return None
