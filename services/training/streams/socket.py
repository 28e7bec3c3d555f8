"""The WebSocket of a job's events: one JSON text frame each, replayed and then live."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from services.training.deps import Resources, address_of, knock, let_in, resources_of
from services.training.identity.caller import Caller, unauthorized
from services.training.identity.origin import require_origin
from services.training.jobs.store import read_job
from services.training.streams.ending import Ending
from services.training.streams.hub import hub_of
from services.training.streams.tickets import use_ticket
from services.training.streams.told import Told, frames_of
from services.training.streams.watcher import SEND_SECONDS, Watcher
from shared.abortable import abort
from shared.auth import Scope
from shared.database import tenant_transaction
from shared.errors import Problem, not_found, problem_response
from shared.websocket_protocol import FRAMES

router = APIRouter()


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
    hub, write = hub_of(socket), socket.scope["extensions"].get(FRAMES, {}).get("write")
    with (
        resources.streams.holding(stream),
        resources.door.watch.over(caller) as standing,
        hub.watch("websocket", caller.tenant_id, job_id, since, standing, write) as watcher,
    ):
        await _serve(socket, watcher)


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


async def _serve(socket: WebSocket, watcher: Watcher) -> None:
    """Send until the stream has its ending, and say which."""
    hearing = asyncio.create_task(_hear(socket, watcher))
    try:
        while told := await watcher.next():
            await _send(socket, told, watcher)
        await _close(socket, watcher)
    except WebSocketDisconnect:
        watcher.end(Ending.GONE)
    except asyncio.CancelledError:
        watcher.end(Ending.RESTARTING)
        await _close(socket, watcher)
        raise
    finally:
        hearing.cancel()


async def _send(socket: WebSocket, told: Sequence[Told], watcher: Watcher) -> None:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            if FRAMES in socket.scope["extensions"]:
                await socket.send({"type": "websocket.send", FRAMES: frames_of(told)})
            else:
                for each in told:
                    await socket.send_text(each.text.decode())
    except TimeoutError:
        watcher.end(Ending.TOO_SLOW)
    else:
        watcher.sent(told)


async def _close(socket: WebSocket, watcher: Watcher) -> None:
    """Say why, if the client reads again in time; it may never, and then its connection is cut,
    and all that is kept to be sent goes with it."""
    ending = watcher.ending
    if ending is None or ending is Ending.GONE:
        return
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await socket.close(ending.code, ending.reason)
    except TimeoutError:
        abort(socket.scope)
    except WebSocketDisconnect:
        return


async def _hear(socket: WebSocket, watcher: Watcher) -> None:
    """Until the client has gone. What it sends, text or bytes, is passed over."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue
    watcher.end(Ending.GONE)
