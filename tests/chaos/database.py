"""The run's own PostgreSQL, which may be shot down, and the run's eyes in it."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

import migrations
from shared.doorbell import LOST
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR

SERVER = EmbeddedPostgres(fsync=False, settings={"max_connections": "200"})
"""A crash of the server loses nothing without fsync, for the kernel lives on."""


class Database:
    """Synchronous, for a server starts in the main thread and outside any event loop."""

    def __init__(
        self, folder: Path, start: Callable[[Path], RunningPostgres] = SERVER.start
    ) -> None:
        self._folder = folder
        self._start = start
        self._running = start(folder)
        self._loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        migrations.upgrade(self.dsn(MIGRATOR))

    def dsn(self, role: str) -> str:
        return self._running.url(role)

    def run(self, coroutine: Any) -> Any:
        return self._loop.run(coroutine)

    def ask(self, question: str, *values: object) -> list[asyncpg.Record]:
        """The answer to an operator; `LOST` where the server is away."""
        return self._loop.run(self._ask(question, *values))

    def execute(self, script: str) -> None:
        self._loop.run(self._execute(script))

    def look(self, question: str, *values: object) -> list[asyncpg.Record] | None:
        """The same, None where the server is away."""
        try:
            return self.ask(question, *values)
        except LOST:
            return None

    def restart(self) -> None:
        """An immediate shutdown, as by a crash, and a start that recovers from it."""
        self._running.server.send_signal(signal.SIGQUIT)
        self._running.server.wait()
        self._running.stop()
        self._running = self._start(self._folder)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._loop.run(asyncio.sleep(0))  # the transport closes in the next turn
        self._loop.close()
        self._running.stop()

    async def _ask(self, question: str, *values: object) -> list[asyncpg.Record]:
        return await (await self._connected()).fetch(question, *values, timeout=30)

    async def _execute(self, script: str) -> None:
        await (await self._connected()).execute(script)

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._running.url(), timeout=5)
        return self._connection
