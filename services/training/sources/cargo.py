"""Syncs as tasks of the queue: one that dies with its worker is taken up at its cursor."""

import time
from functools import partial
from typing import Any
from uuid import UUID

from services.training.queue.finish import finish
from services.training.queue.runner import Cargo
from services.training.queue.task import ClaimedTask, State
from services.training.sources import syncs
from services.training.sources.kinds import SourceName
from services.training.sources.run import Supply
from services.training.sources.schemas import Cause
from services.training.sources.sync import sync_source
from shared.database import tenant_transaction


def sync_cargo(supply: Supply, timeout_seconds: float) -> Cargo:
    return Cargo(run=partial(_run, supply, timeout_seconds), bury=partial(_bury, supply))


async def _run(supply: Supply, timeout_seconds: float, task: ClaimedTask) -> None:
    """A source that cannot be read ends the task as well: it is tried again by its own schedule."""
    ended = await sync_source(
        supply,
        task.tenant_id,
        SourceName(task.payload["source"]),
        time.monotonic() + timeout_seconds,
        Cause(task.payload["cause"]),
        sync_id=task.group_id,
        takeover=task.claim.fence > 1,
    )
    state = State.SUCCEEDED if ended.error is None else State.FAILED
    async with tenant_transaction(supply.sessions, task.tenant_id) as session:
        await finish(session, task.claim, state, {"rows": ended.rows}, ended.error)


async def _bury(supply: Supply, task: ClaimedTask, error: dict[str, Any]) -> None:
    async with tenant_transaction(supply.sessions, task.tenant_id) as session:
        await finish(session, task.claim, State.FAILED, error=error)
        await syncs.end_sync(session, UUID(str(task.group_id)), [], error)
