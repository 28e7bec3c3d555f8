"""Whether a pooler stands between this process and the server that changes sessions.

In transaction mode a pooler lends a session of the server for one transaction: the next may run in
another, and this one serves somebody else meanwhile. Advisory locks, LISTEN and what is set for a
session are then lost, or others have them.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import asyncpg

from shared.database import connect_directly

SESSION: Final = "SELECT pg_backend_pid()"
ANSWER_SECONDS: Final = 10.0
ASKING: Final = (0, 0, 1, 1, 0, 1, 0, 0, 1, 1)
"""Which of two connections asks. A pooler that hands out the session used last gives both the same
one, one that hands them out in turns gives the first another when it asks again."""


async def sessions_change(dsn: str, role: str) -> bool:
    """Whether two connections to `dsn` are not each served by a session of their own.

    Raises what `connect_directly` raises, and TimeoutError where no second session is to be had.
    """
    async with AsyncExitStack() as held, asyncio.timeout(ANSWER_SECONDS):
        asking = [await _connected(held, dsn, role) for _ in range(2)]
        serving: list[set[int]] = [set(), set()]
        for one in ASKING:
            serving[one].add(await asking[one].fetchval(SESSION))
    return [len(sessions) for sessions in serving] != [1, 1] or serving[0] == serving[1]


async def _connected(
    held: AsyncExitStack, dsn: str, role: str
) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await connect_directly(dsn, role, "morrow-start", named_statements=False)
    held.callback(connection.terminate)
    return connection
