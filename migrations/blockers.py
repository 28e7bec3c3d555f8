"""Who stands in a migration's way: read from a second connection while the first one waits.

Once the wait is over, the server no longer knows what was waited for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog
from sqlalchemy.engine import make_url

APPLICATION: Final = "morrow-migrate"
LONGEST_QUERY: Final = 200
IN_THE_WAY: Final = """
SELECT b.pid, a.usename, a.application_name,
  extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds, a.state, a.query
FROM (SELECT DISTINCT unnest(pg_blocking_pids($1)) AS pid) b
LEFT JOIN pg_stat_activity a ON a.pid = b.pid ORDER BY a.xact_start, b.pid
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that holds, or waits earlier for, a lock that is waited for.

    Everybody may see the login and the application; the rest is None for who is not a member of
    `pg_read_all_stats`. Morrow grants that to nobody: it shows the statements of all databases of
    the server, and who is to end a session needs more power than this login has anyway.
    """

    pid: int
    login: str | None
    application: str | None
    seconds: float | None
    state: str | None
    query: str | None

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction: see pg_prepared_xacts"
        told = " of ".join(filter(None, [self.application, self.login]))
        who = f"pid {self.pid} ({told or 'which has gone'})"
        if self.seconds is None:
            return f"{who}, whose statement only pg_read_all_stats shows"
        query = " ".join((self.query or "").split())[:LONGEST_QUERY]
        return f"{who}, {self.state}, in a transaction for {self.seconds:.0f} s: {query}"


@dataclass(slots=True)
class Watch:
    """Who was seen last to be in the way of the session `pid`."""

    pid: int
    seen: tuple[Blocker, ...] = field(default=())

    def told(self) -> str:
        return "; ".join(map(str, self.seen)) or "nobody who was seen"


@asynccontextmanager
async def watched(dsn: str, pid: int, every: float) -> AsyncIterator[Watch]:
    """Look `every` so many seconds who is in the way of `pid`, until the end of the block."""
    watch = Watch(pid)
    looking = asyncio.create_task(_look_again_and_again(dsn, watch, every))
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look_again_and_again(dsn: str, watch: Watch, every: float) -> None:
    try:
        connection = await asyncpg.connect(
            make_url(dsn).set(drivername="postgresql").render_as_string(hide_password=False),
            server_settings={"application_name": APPLICATION},
            statement_cache_size=0,
        )
        try:
            while True:
                rows = await connection.fetch(IN_THE_WAY, watch.pid)
                watch.seen = tuple(Blocker(*row) for row in rows) or watch.seen
                await asyncio.sleep(every)
        finally:
            connection.terminate()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("migration_unwatched", error=str(error))  # it goes on, but cannot name them
