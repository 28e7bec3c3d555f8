"""The CPU-seconds of a task: metered with what comes of it, else by themselves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from services.training.jobs.workshop import SlotPool, Workshop
from services.training.metering.usage import Kind, meter
from services.training.queue.children import ChildSlot
from services.training.queue.task import ClaimedTask
from shared.database import tenant_transaction
from shared.outage import DatabaseErrors

TELL_SECONDS: Final = 5.0

log = structlog.get_logger()


@dataclass(slots=True)
class Spending:
    """A slot, and what was used in it for this task."""

    slot: ChildSlot
    before: float

    @property
    def cpu_seconds(self) -> float:
        return self.slot.cpu_seconds - self.before


@asynccontextmanager
async def spending(shop: Workshop, task: ClaimedTask, slots: SlotPool) -> AsyncIterator[Spending]:
    """One of these slots for the task. Who leaves it well meters what was used with the rows of
    what came of it; what a child used that failed, or was cancelled, is metered here, once."""
    async with slots.take() as slot:
        spent = Spending(slot, slot.cpu_seconds)
        try:
            yield spent
        except BaseException:
            await _meter_in_vain(shop, task, spent.cpu_seconds)
            raise


async def _meter_in_vain(shop: Workshop, task: ClaimedTask, used: float) -> None:
    """Without the fence: a task that its tenant cancelled has none any more, and was worked on."""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_SECONDS):
                async with tenant_transaction(shop.sessions, task.tenant_id) as session:
                    await meter(session, {Kind.CPU_SECONDS: used})
    except DatabaseErrors as error:
        log.warning("not_metered", cpu_seconds=used, error=str(error))
