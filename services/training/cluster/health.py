"""Whether a cluster is there: asked in under a tenth of a second, without Ray.

The head's port speaks HTTP/2. A server that lives sends its settings at once, before anything is
asked of it; a process that is stopped, or swamped, lets the kernel accept the connection and says
nothing, and a host that is gone not even that.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

PROBE_SECONDS: Final = 0.09
FRESH_SECONDS: Final = 3.0

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS: Final = b"\0\0\0\x04\0\0\0\0\0"
FRAME_HEAD: Final = 9
SETTINGS: Final = 4


async def probe(address: str, seconds: float = PROBE_SECONDS) -> str | None:
    """None where a server of `ray://host:port` answers within `seconds`, else why it counts as
    away."""
    place = urlsplit(address)
    try:
        async with asyncio.timeout(seconds):
            return await _greet(place.hostname or "", place.port or 0)
    except TimeoutError:
        return f"{place.netloc} did not answer within {seconds * 1000:.0f} ms"
    except (OSError, asyncio.IncompleteReadError) as error:
        return f"{place.netloc} cannot be reached: {error}"


async def _greet(host: str, port: int) -> str | None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(PREFACE + EMPTY_SETTINGS)
        head = await reader.readexactly(FRAME_HEAD)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            writer.transport.abort()
    return None if head[3] == SETTINGS else f"{host}:{port} is no Ray client server"


class Pulse:
    """The last answer of `probe`, asked anew once it is older than `FRESH_SECONDS`; who comes
    while it is being asked waits for the same answer."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._clock = clock
        self._asking = asyncio.Lock()
        self._fault: str | None = None
        self._asked_at: float | None = None

    async def fault(self) -> str | None:
        """None where the cluster answered lately."""
        async with self._asking:
            if self._asked_at is None or self._clock() - self._asked_at > FRESH_SECONDS:
                self._fault = await probe(self._address)
                self._asked_at = self._clock()
            return self._fault
