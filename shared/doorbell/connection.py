"""A connection outside every pool, made anew whenever it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import asyncpg
import structlog

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect = Callable[[], Awaitable[Connection]]
LOST = (
    OSError,  # a TimeoutError among them
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked between the server's last word and the end of the stream
)

CONNECT_SECONDS: Final = 4.0
RETRY_SECONDS: Final = 0.5

log = structlog.get_logger()


async def keep_connected(
    connect: Connect, use: Callable[[Connection], Awaitable[None]], lost: str
) -> None:
    """Give `use` a connection, and another whenever it loses one, until cancelled; `lost` is what
    the log says then. The next is made at once, but two attempts never begin within
    `RETRY_SECONDS`."""
    clock = asyncio.get_running_loop().time
    while True:
        may_retry_at = clock() + RETRY_SECONDS
        try:
            await _connect_to_use(connect, use)
        except LOST as error:
            log.warning(lost, error=str(error) or type(error).__name__)
            await asyncio.sleep(max(0.0, may_retry_at - clock()))


def require_open(connection: Connection) -> None:
    if connection.is_closed():
        raise ConnectionResetError("the server ended the connection")


async def _connect_to_use(connect: Connect, use: Callable[[Connection], Awaitable[None]]) -> None:
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await connect()
    try:
        await use(connection)
    finally:
        connection.terminate()
