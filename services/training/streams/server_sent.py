"""A job's events as server-sent events: one record each, replayed and then live."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.training.deps import Resources
from services.training.identity.caller import Caller
from services.training.streams.ending import Ending
from services.training.streams.hub import Hub
from services.training.streams.told import Told, records_of
from services.training.streams.watcher import SEND_SECONDS, Watcher
from shared.abortable import abort

PING: Final = b": still here\n\n"
PING_SECONDS: Final = 10.0
"""Proxies take connections that are silent for longer for dead; and a request has so much of the
database's time anew with each piece that it is sent."""


class ServerSentEvents(Response):
    """Has no code to end with: whoever has not seen the job's last event comes back."""

    media_type = "text/event-stream"

    def __init__(
        self, held: Resources, hub: Hub, caller: Caller, job_id: UUID, since: int, stream: UUID
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._held = held
        self._hub = hub
        self._caller = caller
        self._job_id = job_id
        self._since = since
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with (
            self._held.streams.holding(self._stream),
            self._held.door.watch.over(self._caller) as standing,
            self._hub.watch(
                "server_sent", self._caller.tenant_id, self._job_id, self._since, standing
            ) as watcher,
        ):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while watcher.ending is None:
                await self._send_next(send, watcher)
            if watcher.ending is Ending.TOO_SLOW:
                abort(scope)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_next(self, send: Send, watcher: Watcher) -> None:
        """What comes next, or a sign of life where nothing does."""
        told = await watcher.next(PING_SECONDS)
        if watcher.ending is not None:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await send(_body(told))
        except TimeoutError:
            watcher.end(Ending.TOO_SLOW)
        else:
            if told:
                watcher.sent(told)


def _body(told: Sequence[Told]) -> dict[str, object]:
    body = records_of(told) if told else PING
    return {"type": "http.response.body", "body": body, "more_body": True}
