"""One truth of many processes: each tells the database of its breakers, and resets when asked to.

A process tells when something changed, and every `HEARTBEAT_SECONDS` that it is alive, with what
else is new; one that fell silent is told of no more. A reset is a row that every process finds when
it tells, at once if the doorbell was heard. No process opens a breaker because another did: what
fails for one may be its own network, and to find out costs it no more than the few calls that open
a breaker.
"""

import asyncio
import datetime as dt
import json
import math
import os
import socket
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import structlog
from sqlalchemy import Interval, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.tables.breakers import EVERYBODY
from shared.breaker import Breakers, Report
from shared.breaker.breaker import Clock
from shared.doorbell import Listener, wait_for_ring
from shared.outage import DatabaseErrors

BREAKERS_CHANNEL: Final = "morrow_breakers"
HEARTBEAT_SECONDS: Final = 5.0
RETELL_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 2 * HEARTBEAT_SECONDS
SILENCE: Final = timedelta(seconds=3 * HEARTBEAT_SECONDS)
TELL: Final = text("SELECT * FROM tell_breakers(:teller, :role, :silence, :seen)").bindparams(
    bindparam("silence", type_=Interval)
)

log = structlog.get_logger()


class Fleet:
    """This process's part of it. `role` says what kind of process it is."""

    def __init__(
        self,
        engine: AsyncEngine,
        breakers: Breakers,
        listener: Listener,
        role: str,
        clock: Clock = time.monotonic,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.instance = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"
        self._engine = engine
        self._clock = clock
        self._patience = patience
        self._breakers = breakers
        self._listener = listener
        self._role = role.removeprefix("morrow_")
        self._applied: dict[str, dt.datetime] = {}
        self._told: list[Report] = []
        self._told_at = -math.inf
        self._is_heard = True

    async def run(self) -> None:
        """Tell and listen until cancelled; while the database is away, try again."""
        async with self._listener.subscribe(BREAKERS_CHANNEL) as rung:
            self._breakers.on_change = rung.set
            while True:
                await self._try_to_tell()
                await wait_for_ring(rung, HEARTBEAT_SECONDS)

    async def tell(self) -> None:
        """Say what is, and close what all were asked to."""
        seen = list(self._breakers.reports())
        values = {
            "teller": self.instance,
            "role": self._role,
            "silence": SILENCE,
            "seen": None if self._holds_still(seen) else json.dumps(list(map(_as_json, seen))),
        }
        async with self._engine.begin() as connection:
            asked = {row.name: row.asked_at for row in await connection.execute(TELL, values)}
        if values["seen"] is not None:
            self._told, self._told_at = seen, self._clock()
        for name, asked_at in asked.items():
            if self._applied.get(name) != asked_at:
                self._reset(name)
        self._applied = asked

    def _holds_still(self, seen: list[Report]) -> bool:
        """Whether what was told last still stands, and is all there is to tell. It may have been
        deleted in a silence of ours that we know nothing of, so now and then all is told again."""
        is_recent = self._clock() - self._told_at < RETELL_SECONDS
        return self._is_heard and is_recent and seen == self._told

    async def _try_to_tell(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self.tell()
            self._is_heard = True
        except (*DatabaseErrors, TimeoutError) as error:
            if self._is_heard:
                log.warning("breakers_untold", error=str(error) or type(error).__name__)
            self._is_heard = False

    def _reset(self, name: str) -> None:
        if self._breakers.reset(name):
            log.info("breaker_reset", breaker=name)


def _as_json(report: Report) -> dict[str, Any]:
    return asdict(report) | {"owner": str(report.owner or EVERYBODY)}
