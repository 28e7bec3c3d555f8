"""The database is away: connections to it end, and none is made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

OTHERS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def away(dsn: str, operator: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """Its socket is elsewhere meanwhile, and only the operator's connection is left."""
    place = parse_qs(urlsplit(dsn).query)
    socket = Path(place["host"][0]) / f".s.PGSQL.{place['port'][0]}"
    elsewhere = socket.with_name("elsewhere")
    socket.rename(elsewhere)
    try:
        await operator.execute(OTHERS)
        await asyncio.sleep(0)
        yield
    finally:
        elsewhere.rename(socket)
