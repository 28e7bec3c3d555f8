"""Forecasts served, counted in memory and told now and then: a read writes nothing of its own.

So this is the one kind of use that is not metered with the work: a process that is killed forgets
what it served since it last told, some seconds' worth.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError

from services.training.metering.usage import Kind, meter
from shared.database import Sessions, tenant_transaction
from shared.outage import DatabaseErrors

TELL_SECONDS: Final = 5.0

log = structlog.get_logger()


@dataclass(slots=True)
class ForecastTally:
    """What one process served, by tenant, and has not told yet."""

    sessions: Sessions
    tell_seconds: float = TELL_SECONDS
    _served: Counter[UUID] = field(default_factory=Counter)

    def note(self, tenant_id: UUID) -> None:
        """The forecast of one series was served."""
        self._served[tenant_id] += 1

    async def run(self) -> None:
        """Tell, for ever."""
        while True:
            await asyncio.sleep(self.tell_seconds)
            await self.tell()

    async def tell(self) -> None:
        """Add what was served to what was used; what cannot be told now is told later."""
        for tenant_id, count in list(self._served.items()):
            try:
                async with tenant_transaction(self.sessions, tenant_id) as session:
                    await meter(session, {Kind.FORECASTS: count})
            except IntegrityError:
                del self._served[tenant_id]  # of a tenant that was erased
            except DatabaseErrors as error:
                log.warning("forecasts_not_told", error=str(error))
                return
            else:
                self._served[tenant_id] -= count
                if not self._served[tenant_id]:
                    del self._served[tenant_id]
