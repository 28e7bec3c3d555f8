"""What each API process does about erased tenants: it forgets them, and goes on with erasures that
nobody goes on with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Interval, bindparam, text

from services.training.tenants.erasure import ERASED_CHANNEL, Eraser
from shared.artifacts import StoreUnavailable
from shared.doorbell import wait_for_ring
from shared.outage import DatabaseErrors

LOOK_SECONDS: Final = 5.0
ABANDONED: Final = timedelta(seconds=30)
"""An erasure that nobody touched for so long was broken off."""
LATE: Final = timedelta(days=1)
"""For so long an erased tenant is looked for again: no process that was cut off lives longer."""
SWEEP_EVERY: Final = timedelta(minutes=10)
SINCE: Final = text("SELECT * FROM erasures_since(:lately)").bindparams(
    bindparam("lately", LATE, type_=Interval)
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasing:
    """`forget` drops what this process remembers of a tenant."""

    eraser: Eraser
    forget: Callable[[UUID], None]
    forgotten: set[UUID] = field(default_factory=set)

    async def run(self) -> None:
        """Look until cancelled, at once when it is rung for."""
        async with self.eraser.held.listener.subscribe(ERASED_CHANNEL) as rung:
            while True:
                try:
                    await self.look()
                except (*DatabaseErrors, StoreUnavailable, OSError) as error:
                    log.warning("erasing_failed", error=str(error) or type(error).__name__)
                await wait_for_ring(rung, LOOK_SECONDS)

    async def look(self) -> None:
        """One look at all that are being erased, or were of late."""
        async with self.eraser.held.engine.connect() as connection:
            found = (await connection.execute(SINCE)).all()
        for erasure in found:
            await self._forget(erasure.tenant_id, finished=erasure.finished)
            if not erasure.finished and erasure.untouched > ABANDONED:
                await self.eraser.erase(erasure.tenant_id)
            elif erasure.finished and erasure.untouched > SWEEP_EVERY:
                await self.eraser.sweep(erasure.tenant_id)
        self.forgotten.intersection_update(erasure.tenant_id for erasure in found)

    async def _forget(self, tenant_id: UUID, *, finished: bool) -> None:
        self.forget(tenant_id)
        if tenant_id not in self.forgotten:
            if await self.eraser.erase_spool(tenant_id) and finished:
                await self.eraser.finish(tenant_id)
            self.forgotten.add(tenant_id)
