"""One worker of all leads: an advisory lock on the worker's lock connection says which.

The server frees the lock when the leader's connection ends or falls silent, so a killed, cut off or
frozen leader is followed within the silence that it bears and one look more. A leader that thaws
may for a moment be one of two: what it does must be fenced by itself (`queue/periodic.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.training.queue.locks import AdvisoryLocks, LockBusy, LockLost
from services.training.queue.telemetry import LEADS
from shared.doorbell import LOST

LEADERSHIP = "the leader of the periodic work"

log = structlog.get_logger()


async def lead(
    locks: AdvisoryLocks, work: Callable[[], Awaitable[None]], look_seconds: float
) -> None:
    """Do `work`, which does not end, for as long as this worker leads; try to lead while it does
    not. Until cancelled."""
    while True:
        try:
            async with locks.hold(LEADERSHIP):
                log.info("leadership_taken")
                with LEADS.track_inprogress():
                    await work()
        except LockBusy:
            pass
        except LockLost:
            log.warning("leadership_lost")
        except LOST as error:
            log.warning("leadership_not_asked_for", error=str(error))
        await asyncio.sleep(look_seconds)
