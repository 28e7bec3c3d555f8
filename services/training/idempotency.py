"""`Idempotency-Key`: the first answer again for the same request, by insert-first.

The row is inserted before the work, in the work's own transaction: a second request with the same
key waits for the first to commit, and then finds its answer.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from shared.errors import InputError, Problem

KEPT = "24 hours"
FIELD = "Idempotency-Key"
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", description="kept for a day"),
]


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What the first request with this key was answered."""

    status: int
    body: tables.Json
    location: str | None


def digest_of_request(method: str, path: str, body: bytes) -> bytes:
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).digest()


async def begin(
    session: AsyncSession, tenant_id: UUID, key: str, request_digest: bytes
) -> FirstAnswer | None:
    """None: the work is the caller's to do, and to `remember`. Else the first answer, or a 422
    where the key came with another request."""
    await session.execute(
        delete(tables.IdempotentAnswer).where(
            tables.IdempotentAnswer.key == key,
            tables.IdempotentAnswer.created_at < func.now() - text(f"interval '{KEPT}'"),
        )
    )
    inserted = await session.execute(
        insert(tables.IdempotentAnswer)
        .values(tenant_id=tenant_id, key=key, request_digest=request_digest)
        .on_conflict_do_nothing()
        .returning(tables.IdempotentAnswer.key)
    )
    if inserted.scalar_one_or_none() is not None:
        return None
    first = await session.scalar(
        select(tables.IdempotentAnswer).where(tables.IdempotentAnswer.key == key)
    )
    if first is None or first.status is None or first.body is None:
        raise Problem(409, "idempotency_key_in_use", "the first request with this key goes on")
    if first.request_digest != request_digest:
        message = "this Idempotency-Key came with another request: use a new one"
        fault = InputError(field=FIELD, code="idempotency_key_reused", message=message)
        raise Problem(422, "idempotency_key_reused", message, [fault])
    return FirstAnswer(first.status, first.body, first.location)


async def remember(session: AsyncSession, key: str, answer: FirstAnswer) -> None:
    await session.execute(
        update(tables.IdempotentAnswer)
        .where(tables.IdempotentAnswer.key == key)
        .values(status=answer.status, body=answer.body, location=answer.location)
    )
