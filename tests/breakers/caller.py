"""A process that calls an upstream whenever it is told to: `caller DSN URL NAME OWNER`.

Reads a line for each call, and answers each with a line: `succeeded`, or the error's code. The
owner `-` is nobody.
"""

import asyncio
import sys
from functools import partial
from uuid import UUID

from services.training.breakers.fleet import BREAKERS_CHANNEL, Fleet
from shared.background import running
from shared.breaker import Breakers, BreakerTerms
from shared.database import PoolLimits, connect_directly, make_engine
from shared.doorbell import Bell, Listener
from shared.logging import configure_logging
from shared.roles import WORKER
from shared.upstream.client import CallTerms, Upstream, UpstreamClient
from shared.upstream.errors import UpstreamError

TERMS = BreakerTerms(failures=3, open_seconds=600)


async def call_when_told(dsn: str, url: str, name: str, owner: str) -> None:
    upstream = Upstream(name, url, True, {}, None if owner == "-" else UUID(owner))
    engine = make_engine(dsn, WORKER, PoolLimits(size=1), "caller")
    connect = partial(connect_directly, dsn, WORKER, "caller")
    bell = Bell(connect)
    listener = Listener(connect, (BREAKERS_CHANNEL,), bell, WORKER)
    breakers = Breakers({"sales": TERMS, "weather": TERMS})
    lines = await lines_of_stdin()
    async with (
        UpstreamClient(CallTerms(), breakers) as client,
        running(bell.run(), listener.run(), Fleet(engine, breakers, listener, WORKER).run()),
    ):
        while await lines.readline():
            try:
                await client.post(upstream, "x", {}, idempotent=False)
                print("succeeded", flush=True)
            except UpstreamError as error:
                print(error.code, flush=True)
    await engine.dispose()


async def lines_of_stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


if __name__ == "__main__":
    configure_logging("info", console=False)
    asyncio.run(call_when_told(*sys.argv[1:]))
