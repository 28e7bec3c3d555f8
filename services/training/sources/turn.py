"""A tenant's turn: ask for a sync of each of its sources that is due. The pulling itself is tasks,
so no upstream, however slow, keeps the leader from other tenants."""

from typing import Final
from uuid import uuid4

from sqlalchemy import func, select

from services.training.queue.periodic import Turn, end_turn
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import Priority
from services.training.sources import store, syncs
from services.training.sources.ask import ask_for_sync
from services.training.sources.due import is_due
from services.training.sources.schemas import Cause
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Bell

SOURCE_SYNC: Final = "source_sync"


async def ask_for_due_syncs(sessions: Sessions, bell: Bell, turn: Turn) -> None:
    """Ask for what is due, and end the turn with it, in one transaction."""
    async with tenant_transaction(sessions, turn.tenant_id) as session:
        now = (await session.execute(select(func.now()))).scalar_one()
        sources, last = await store.read_sources(session), await syncs.last_syncs(session)
        due = [each for name, each in sources.items() if is_due(each, last.get(name), now)]
        await end_turn(session, turn, {"asked_for": [each.source for each in due]})
        for each in due:
            asked = (uuid4(), each, Cause.SCHEDULED, Priority.SCHEDULED)
            await ask_for_sync(session, turn.tenant_id, *asked)
    if due:
        bell.ring(QUEUED_CHANNEL)
