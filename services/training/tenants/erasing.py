"""What each API process does about erased tenants: it forgets them, and goes on with erasures that
nobody goes on with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, Interval, Uuid, bindparam, text

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
ERASED: Final = text("SELECT erased_among(:asked)").bindparams(
    bindparam("asked", type_=ARRAY(Uuid))
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasing:
    """`forget` drops what this process remembers of a tenant."""

    eraser: Eraser
    forget: Callable[[UUID], None]

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
        await self._erase_shelf()
        for erasure in found:
            self.forget(erasure.tenant_id)
            if not erasure.finished and erasure.untouched > ABANDONED:
                await self.eraser.erase(erasure.tenant_id)
            elif erasure.finished and erasure.untouched > SWEEP_EVERY:
                await self.eraser.sweep(erasure.tenant_id)

    async def _erase_shelf(self) -> None:
        """Of those erased while this host was away, however long ago."""
        here = [UUID(path.name) for path in self.eraser.spool.shelf.directories()]
        if not here:
            return
        async with self.eraser.held.engine.connect() as connection:
            erased = (await connection.execute(ERASED, {"asked": here})).scalars().all()
        for tenant_id in erased:
            await self.eraser.erase_spool(tenant_id)
