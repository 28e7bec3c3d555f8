"""How streams end, other than with their job: nobody waits for who is slow, and whoever is cut off
can come back without a gap."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.training.metering.caps import take_turns
from services.training.streams.watcher import SEND_SECONDS
from shared.database import Sessions, tenant_transaction
from tests.conftest import Database
from tests.jobs.asking import PATIENCE_SECONDS, check_log
from tests.processes import Programs, programs_on
from tests.served import database
from tests.streams.watching import (
    JOBS,
    SERVER_SENT,
    cancel,
    key_of,
    narrow_socket,
    received,
    tell,
    watch,
)

__all__ = ["database"]

WAITING_FOR_A_TURN = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
)
MANY = 8
LARGE = "x" * 1900


async def sent_events(
    client: httpx.AsyncClient, job: str, since: int = 0
) -> AsyncIterator[dict[str, object]]:
    """Those of one answer of server-sent events, until it ends."""
    headers = SERVER_SENT | {"Last-Event-ID": str(since)}
    async with client.stream("GET", f"{JOBS}/{job}/events", headers=headers) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])


RECORDS = "Accept: text/event-stream\r\n"
SOCKET = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def ask(served: Programs, key: str, path: str, headers: str) -> socket.socket:
    """Ask, and read nothing."""
    narrow = narrow_socket(served)
    request = f"GET /api/v1{JOBS}/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    narrow.settimeout(PATIENCE_SECONDS)
    narrow.sendall(f"{request}{headers}\r\n".encode())
    return narrow


def is_held(served: Programs, port: int) -> bool:
    """Whether the kernel still knows the server's end of the connection from this port."""
    ends = [line.split()[1:3] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    asked = (f":{served.port:04X}", f":{port:04X}")
    return any((here[-5:], there[-5:]) == asked for here, there in ends)


def read_out(unread: socket.socket) -> None:
    with contextlib.closing(unread):
        while unread.recv(2**16):
            continue


async def test_a_restarting_server_says_so_and_is_gone_at_once(
    database: Database, client: httpx.AsyncClient, job: str, tmp_path: Path
) -> None:
    with programs_on(database, tmp_path) as programs:
        api = programs.serve()
        async with programs.client(key_of(client)) as here:
            records = sent_events(here, job)
            assert (await anext(records))["seq"] == 1
            async with watch(programs, job, key=key_of(client)) as watcher:
                await watcher.recv()
                api.send(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    assert await received(watcher) == ([], 1012)
                    assert [each async for each in records] == []
                assert "since=" in (watcher.close_reason or "")
        api.ended()


async def test_a_handshake_that_is_under_way_at_a_restart_is_answered_and_then_told(
    database: Database, client: httpx.AsyncClient, job: str, sessions: Sessions, tmp_path: Path
) -> None:
    """It waits for its turn among those who open streams of its tenant."""
    tenant = UUID((await client.get("/tenant")).json()["id"])
    with programs_on(database, tmp_path) as programs:
        api = programs.serve()
        async with tenant_transaction(sessions, tenant) as session:
            await take_turns(session)
            opening = asyncio.create_task(open_and_receive(programs, job, key_of(client)))
            while not await session.scalar(WAITING_FOR_A_TURN):
                await asyncio.sleep(0.02)
            api.send(signal.SIGTERM)
            await asyncio.to_thread(api.wait_for, "Waiting for connections to close")
        assert await opening == ([], 1012)
        api.ended()
        assert '"level": "error"' not in api.said()


async def open_and_receive(
    programs: Programs, job: str, key: str
) -> tuple[list[dict[str, Any]], int]:
    async with watch(programs, job, key=key) as watcher:
        return await received(watcher)


async def test_a_stream_lasts_so_long_and_who_comes_back_misses_nothing(
    database: Database, client: httpx.AsyncClient, job: str, sessions: Sessions, tmp_path: Path
) -> None:
    lifetime = {"MORROW_STREAM_LIFETIME_SECONDS": "0.3"}
    with programs_on(database, tmp_path, **lifetime) as programs:
        programs.serve()

        async def by_socket() -> list[dict[str, object]]:
            seen: list[dict[str, object]] = []
            code = 1012
            while code == 1012:
                query = f"?since={len(seen)}"
                async with watch(programs, job, query, key_of(client)) as watcher:
                    events, code = await received(watcher)
                seen += events
            assert code == 1000
            return seen

        async def by_records() -> list[dict[str, object]]:
            seen: list[dict[str, object]] = []
            async with programs.client(key_of(client)) as here:
                while not (seen and seen[-1]["type"] == "job.finished"):
                    seen += [each async for each in sent_events(here, job, len(seen))]
            return seen

        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            watching = [group.create_task(by_socket()), group.create_task(by_records())]
            for _ in range(5):
                await asyncio.sleep(0.3)
                await tell(sessions, client, job, 3)
            await cancel(client, job)
    for task in watching:
        check_log(task.result())
        assert len(task.result()) == 17


async def test_a_reader_that_does_not_read_is_cut_off_and_slows_nobody(
    served: Programs, client: httpx.AsyncClient, job: str, sessions: Sessions
) -> None:
    for _ in range(MANY):
        await tell(sessions, client, job, 1000, LARGE)
    unread = ask(served, key_of(client), f"{job}/events", RECORDS)
    async with watch(served, job, key=key_of(client), sock=narrow_socket(served)) as slow:
        async with watch(served, job, key=key_of(client)) as watcher:
            for _ in range(MANY * 1000 + 1):
                await watcher.recv()
        await asyncio.sleep(SEND_SECONDS + 0.5)
        events, code = await received(slow)
    check_log(events)
    assert (len(events) < MANY * 1000, code) == (True, 1013)
    with pytest.raises(ConnectionResetError):
        read_out(unread)
    assert "Traceback" not in served.started[-1].said()


async def test_a_reader_that_never_reads_again_is_forgotten(
    served: Programs, client: httpx.AsyncClient, job: str, sessions: Sessions
) -> None:
    """Its connection is cut, and what was kept for it goes: it would have to read a goodbye."""
    for _ in range(MANY):
        await tell(sessions, client, job, 1000, LARGE)
    unread = ask(served, key_of(client), f"{job}/ws", SOCKET)
    port = unread.getsockname()[1]
    assert is_held(served, port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while is_held(served, port):
            await asyncio.sleep(0.1)
    with pytest.raises(ConnectionResetError):
        read_out(unread)
