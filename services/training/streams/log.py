"""The event log of one job as it is stored, read under the wall of its tenant."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import and_, select

from services.training.jobs.schemas import ENDED, EventOut, JobStatus
from services.training.streams.told import Told, tell
from services.training.tables import Job, JobEvent
from shared.database import Sessions, tenant_transaction
from shared.outage import DatabaseErrors

READ_SECONDS: Final = 10.0
BREATH: Final = 25
"""Events that are written out before all others have their turn."""
FIELDS: Final = tuple(
    getattr(JobEvent, name) for name in EventOut.model_fields if hasattr(JobEvent, name)
)

ReadErrors = (*DatabaseErrors, TimeoutError)
"""What a read may end in that the next one may not."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Events in their order. Where the job `has_ended`, none will come after the last of these
    that was asked for; where it is `gone`, it has been deleted."""

    told: Sequence[Told]
    has_ended: bool
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    sessions: Sessions
    tenant_id: UUID
    job_id: UUID

    async def last_seq(self) -> int:
        """Of the newest event; 0 where there is none."""
        wanted = select(Job.last_seq).where(Job.id == self.job_id)
        async with (
            asyncio.timeout(READ_SECONDS),
            tenant_transaction(self.sessions, self.tenant_id) as session,
        ):
            return await session.scalar(wanted) or 0

    async def after(self, seq: int, most: int) -> Reading:
        """At most `most` events after `seq`. The job's state and its events are one statement, so
        an ended job has told its last."""
        of_it = and_(JobEvent.job_id == Job.id, JobEvent.seq > seq)
        wanted = (
            select(Job.status, *FIELDS)
            .outerjoin(JobEvent, of_it)
            .where(Job.id == self.job_id)
            .order_by(JobEvent.seq)
            .limit(most)
        )
        async with (
            asyncio.timeout(READ_SECONDS),
            tenant_transaction(self.sessions, self.tenant_id) as session,
        ):
            rows = (await session.execute(wanted)).all()
        told: list[Told] = []
        for row in rows:
            if row.seq is not None:
                told.append(tell(EventOut.model_validate(row)))
            if len(told) % BREATH == 0:
                await asyncio.sleep(0)
        ended = not rows or (JobStatus(rows[0].status) in ENDED and len(told) < most)
        return Reading(told, ended, gone=not rows)
