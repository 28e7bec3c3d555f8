"""A client's side of a stream, and what tells of the job it watches."""

import asyncio
import contextlib
import json
import socket
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.training.jobs.events import EventType, NewEvent, append
from shared.database import Sessions, tenant_transaction
from tests.jobs.asking import PATIENCE_SECONDS
from tests.processes import Programs

JOBS = "/training-jobs"
SERVER_SENT = {"Accept": "text/event-stream"}


async def cancel(client: httpx.AsyncClient, job: str) -> None:
    assert (await client.post(f"{JOBS}/{job}/cancel")).status_code == 202


async def tell(
    sessions: Sessions, client: httpx.AsyncClient, job: str, count: int, message: str = "m"
) -> None:
    """Write into the job's log as a worker does that rings no bell."""
    tenant = (await client.get("/tenant")).json()["id"]
    async with tenant_transaction(sessions, UUID(tenant)) as session:
        events = [NewEvent(EventType.PRODUCT_PROGRESS, message, percent=1.0)] * count
        await append(session, UUID(job), events)


def watch(
    served: Programs, job: str, query: str = "", key: str | None = None, **options: Any
) -> connect:
    address = f"{served.address.replace('http', 'ws')}/api/v1{JOBS}/{job}/ws{query}"
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return connect(
        address,
        additional_headers=headers,
        open_timeout=PATIENCE_SECONDS,
        compression=None,
        **options,
    )


def narrow_socket(served: Programs) -> socket.socket:
    """A connection on which little can be on its way."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    narrow.connect(("127.0.0.1", served.port))
    return narrow


def key_of(client: httpx.AsyncClient) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


async def received(watcher: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    """Every event until the server closes, and the code it closes with."""
    events = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionClosed):
            while True:
                events.append(json.loads(await watcher.recv()))
        await watcher.wait_closed()
    assert watcher.close_code is not None
    return events, watcher.close_code


async def refused(served: Programs, job: str, query: str = "", key: str | None = None) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await watch(served, job, query, key)
    response = caught.value.response
    body = json.loads(response.body or b"{}")
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == response.status_code
    return response.status_code
