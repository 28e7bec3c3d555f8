"""The WebSocket of a job's events: one JSON text frame each, replayed and then live."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from services.training.deps import Resources, address_of, knock, let_in, resources_of
from services.training.identity.caller import Caller, unauthorized
from services.training.identity.origin import require_origin
from services.training.identity.standing import KeyEnded, Standing
from services.training.jobs.schemas import EventOut
from services.training.jobs.store import read_job
from services.training.jobs.stream import follow
from services.training.jobs.tickets import use_ticket
from shared.auth import Scope
from shared.database import tenant_transaction
from shared.errors import Problem, not_found, problem_response

SEND_SECONDS = 5.0
FINISHED, REFUSED, RESTARTING, TOO_SLOW = 1000, 1008, 1012, 1013

router = APIRouter()
Batches = AsyncGenerator[Sequence[EventOut], None]


class TooSlow(Exception):
    """The client does not take what it is sent."""


@router.websocket("/training-jobs/{job_id}/ws")
async def watch_job(
    socket: WebSocket,
    job_id: UUID,
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
    ticket: Annotated[str | None, Query(max_length=200)] = None,
) -> None:
    resources = resources_of(socket)
    try:
        caller = await _admit(resources, socket, job_id, ticket)
        stream = await resources.streams.open(caller.tenant_id)
    except Problem as problem:
        await socket.send_denial_response(problem_response(socket, problem))
        return
    await socket.accept()
    with resources.door.watch.over(caller) as standing:
        batches = follow(
            resources.sessions, resources.listener, caller.tenant_id, job_id, since, standing
        )
        await _stream(socket, resources.streams.watch(stream, batches), standing)


async def _admit(
    resources: Resources, socket: WebSocket, job_id: UUID, ticket: str | None
) -> Caller:
    """Whose job this is: 401, 403 or 404 before the handshake where it is not theirs."""
    require_origin(socket.headers, resources.settings.allowed_origins)
    if ticket is None:
        caller = await _by_secret(socket)
    else:
        caller = await _by_ticket(resources, socket, job_id, ticket)
    caller.with_scope(Scope.READ)
    async with tenant_transaction(resources.sessions, caller.tenant_id) as session:
        if await read_job(session, job_id) is None:
            raise not_found("job", job_id)
    return caller


async def _by_secret(socket: WebSocket) -> Caller:
    scheme, _, secret = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise unauthorized("send an API key, or ?ticket= from POST /api/v1/stream-tickets")
    return await knock(socket, secret.strip())


async def _by_ticket(resources: Resources, socket: WebSocket, job_id: UUID, ticket: str) -> Caller:
    address = address_of(socket)
    resources.requests.require_attempt(address)
    found = await use_ticket(resources.sessions, job_id, ticket)
    if found is None:
        resources.requests.note_failure(address)
        raise unauthorized("the ticket is unknown, used, expired, or for another job")
    return await let_in(socket, found)


async def _stream(socket: WebSocket, batches: Batches, standing: Standing) -> None:
    """Send until the job is finished, the client is gone, or too slow to be waited for."""
    gone = asyncio.create_task(_until_gone(socket))
    try:
        async with contextlib.aclosing(batches):
            async for batch in batches:
                if gone.done():
                    return
                for event in batch:
                    standing.require()
                    await _send(socket, event)
        await socket.close(FINISHED)
    except KeyEnded:
        await _close(socket, REFUSED, "the key or token was revoked, or has expired")
    except TooSlow:
        await _close(socket, TOO_SLOW, "too slow: reconnect with since=<last seq>")
    except WebSocketDisconnect:
        return
    except asyncio.CancelledError:
        await socket.close(RESTARTING, "restarting: reconnect with since=<last seq>")
        raise
    finally:
        gone.cancel()


async def _send(socket: WebSocket, event: EventOut) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await socket.send_text(event.model_dump_json(exclude_none=True))
    except TimeoutError:
        raise TooSlow from None


async def _close(socket: WebSocket, code: int, why: str) -> None:
    """Say why, if the client reads again in time; it may never."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(SEND_SECONDS):
            await socket.close(code, why)


async def _until_gone(socket: WebSocket) -> None:
    """What a client sends, text or bytes, is passed over."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue
