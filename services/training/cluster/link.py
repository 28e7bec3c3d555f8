"""The worker's end of its bridge: started when it is needed, and anew when it has ended."""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

import structlog

from services.training.cluster import messages
from services.training.cluster.errors import AWAY, ClusterAway
from services.training.cluster.messages import Alive, Begin, Connected, Ended, Order, Turned, Word
from services.training.cluster.parcel import Errand

PROGRAM: Final = "services.training.cluster.bridge"
CONNECT_SECONDS: Final = 60.0
SILENCE_SECONDS: Final = 20.0
"""Of a bridge, which says every second that it lives."""
REFUSED_SECONDS: Final = 10.0
"""How long a refusal stands before the cluster is asked again."""

HANDED_ON: Final = (
    *("RAY_", "GRPC_", "SSL_", "PYTHON", "LC_", "LD_"),
    *("PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ"),
)

log = structlog.get_logger()


class Link:
    """`refusal` is why nothing can be begun, while that is known."""

    def __init__(
        self, address: str, preload: list[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._preload = preload
        self._clock = clock
        self._connecting = asyncio.Lock()
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._refused: tuple[Turned, float] | None = None
        self._calls: dict[int, asyncio.Queue[Word]] = {}
        self._numbers = itertools.count(1)

    @property
    def refusal(self) -> Turned | None:
        if self._refused is None or self._clock() - self._refused[1] > REFUSED_SECONDS:
            return None
        return self._refused[0]

    async def connect(self) -> None:
        """Raises `ClusterAway` where the cluster does not take this worker."""
        async with self._connecting:
            if self._writer is not None:
                return
            refused = self.refusal or await self._start()
            if refused is not None:
                raise ClusterAway(refused.code, refused.message)

    def begin(self, seat: int, errand: Errand, seconds: float) -> tuple[int, asyncio.Queue[Word]]:
        """Of a link that is connected: the call's number, and what is said of it, the last thing
        being how it ended."""
        call = next(self._numbers)
        words = self._calls[call] = asyncio.Queue()
        if self._writer is None:
            words.put_nowait(Ended(call, "lost", "the connection was lost", None))
        self.order(Begin(call, seat, errand, seconds))
        return call, words

    def order(self, order: Order) -> None:
        if self._writer is not None:
            messages.write(self._writer, order)

    def forget(self, call: int) -> None:
        self._calls.pop(call, None)

    async def close(self) -> None:
        """End the bridge, and so all that it has at the cluster."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await self._end()

    async def _start(self) -> Turned | None:
        if find_spec("ray") is None:
            turned = Turned(AWAY, "Ray is not installed here: pip install 'morrow[ray]'")
            return self._refuse(turned)
        try:
            reader, writer = await self._launch()
            verdict = await _first_word(reader, self._address)
        except BaseException:
            await self._end()
            raise
        if isinstance(verdict, Turned):
            writer.close()
            await self._end()
            return self._refuse(verdict)
        self._writer = writer
        self._listening = asyncio.create_task(self._listen(reader))
        log.info("cluster_connected", address=self._address)
        return None

    async def _launch(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ours, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-P", "-m", PROGRAM, str(theirs.fileno()))
            self._process = await asyncio.create_subprocess_exec(
                *command,
                self._address,
                json.dumps(self._preload),
                pass_fds=[theirs.fileno()],
                env=_environment(),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                start_new_session=True,  # a signal to the worker's group is the worker's to answer
            )
        return await asyncio.open_connection(sock=ours)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Until the bridge has ended: what it was at is lost then."""
        turned = Turned(AWAY, "the connection to the cluster ended")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await messages.read(reader)
                if isinstance(message, Alive):
                    continue
                if isinstance(message, Turned):
                    turned = self._refuse(message)
                elif (words := self._calls.get(message.call)) is not None:
                    words.put_nowait(message)
        log.warning("cluster_disconnected", code=turned.code, reason=turned.message)
        how, value = _ending(turned)
        under_way = list(self._calls.items())
        await self._end()
        for call, words in under_way:
            words.put_nowait(Ended(call, how, value, None))

    def _refuse(self, turned: Turned) -> Turned:
        log.warning("cluster_refused", code=turned.code, reason=turned.message)
        self._refused = turned, self._clock()
        return turned

    async def _end(self) -> None:
        writer, self._writer = self._writer, None
        process, self._process = self._process, None
        if writer is not None:
            writer.close()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _first_word(reader: asyncio.StreamReader, address: str) -> Connected | Turned:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            verdict: Connected | Turned = await messages.read(reader)
            return verdict
    except TimeoutError:
        return Turned(AWAY, f"{address} did not take this worker in {CONNECT_SECONDS:g} s")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Turned(AWAY, "the bridge to the cluster ended before it was connected")


def _ending(turned: Turned) -> tuple[str, object]:
    if turned.code == AWAY:
        return "lost", turned.message
    return "away", (turned.code, turned.message)


def _environment() -> dict[str, str]:
    """Ray's and the system's, and nothing of the worker's own: there are secrets in it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}
    return kept | {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "0",  # or seats of a dead worker work on for so long
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
