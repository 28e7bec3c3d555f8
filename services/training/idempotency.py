"""`Idempotency-Key`: the first answer again for the same request, by insert-first.

The row is inserted before the work, in the work's own transaction: a second request with the same
key waits for the first to commit, and then finds its answer.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request
from fastapi.responses import JSONResponse
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
class Answer:
    """What a request is answered. `again`: the first with its key was, and nothing was done now."""

    status: int
    body: tables.Json
    location: str
    again: bool = False

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, {"Location": self.location})


async def answer_once(
    session: AsyncSession,
    tenant_id: UUID,
    request: Request,
    key: str | None,
    work: Callable[[], Awaitable[Answer]],
) -> Answer:
    """What `work` in this session answers; where the key came before, what it answered then, or a
    422 if that was another request. Without a key the work is done whenever it is asked for."""
    if key is None:
        return await work()
    digest = _digest(request.method, request.url.path, await request.body())
    first = await _begin(session, tenant_id, key, digest)
    if first is not None:
        return replace(first, again=True)
    answer = await work()
    await _remember(session, key, answer)
    return answer


def _digest(method: str, path: str, body: bytes) -> bytes:
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).digest()


async def _begin(
    session: AsyncSession, tenant_id: UUID, key: str, request_digest: bytes
) -> Answer | None:
    """None: the work is to be done, and remembered. Else the first answer."""
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
    return Answer(first.status, first.body, first.location or "")


async def _remember(session: AsyncSession, key: str, answer: Answer) -> None:
    await session.execute(
        update(tables.IdempotentAnswer)
        .where(tables.IdempotentAnswer.key == key)
        .values(status=answer.status, body=answer.body, location=answer.location)
    )
