"""What work asks of the database: the server's processor, its log, its statements."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import astuple, dataclass
from typing import Any, Final

import asyncpg

from benchmarks.processes import cpu_seconds
from shared.postgres import RunningPostgres

WATCHED: Final = {"shared_preload_libraries": "pg_stat_statements", "max_connections": "200"}
"""Settings of a server whose bills can be read."""

COUNTERS: Final = """
SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS wal_bytes,
  coalesce(sum(wal_fpi), 0)::float8 AS full_pages,
  coalesce(sum(calls), 0)::float8 AS statements,
  coalesce(sum(calls) FILTER (WHERE query LIKE 'COMMIT%'), 0)::float8 AS commits
FROM pg_stat_statements
"""


@dataclass(frozen=True, slots=True)
class Bill:
    """Seconds of the processor by all of the server's processes, bytes and whole pages written
    ahead, statements, commits among them, wall seconds."""

    cpu_seconds: float
    wal_bytes: float
    full_pages: float
    statements: float
    commits: float
    wall_seconds: float

    def __sub__(self, other: "Bill") -> "Bill":
        return Bill(*(mine - its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    def times(self, factor: float) -> "Bill":
        return Bill(*(factor * each for each in astuple(self)))


class Till:
    """Adds up what a server is asked for; its own questions are among it."""

    def __init__(self, server: RunningPostgres) -> None:
        self._server = server

    def read(self) -> Bill:
        return asyncio.run(self.read_within())

    async def read_within(self) -> Bill:
        """The same where a loop runs already."""
        connection = await asyncpg.connect(self._server.url())
        try:
            counted = await connection.fetchrow(COUNTERS)
        finally:
            await connection.close()
        assert counted is not None
        spent = cpu_seconds(self._server.server.pid)
        return Bill(cpu_seconds=spent, wall_seconds=time.monotonic(), **dict(counted))

    def bill(self, work: Callable[[], object]) -> Bill:
        before = self.read()
        work()
        return self.read() - before

    async def bill_of(self, work: Callable[[], Coroutine[Any, Any, object]]) -> Bill:
        before = await self.read_within()
        await work()
        return await self.read_within() - before


async def watch(server: RunningPostgres) -> None:
    """Have the server count its statements, once it was started with `WATCHED`."""
    connection = await asyncpg.connect(server.url())
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    await connection.close()
