"""Policies in the database, and where the tenant's series stand by them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.actor import Actor
from services.training.audit.record import record
from services.training.jobs.schemas import ENDED
from services.training.retraining.due import Standing
from services.training.retraining.policy import RETRAINING, Policy, PolicyOut
from services.training.tables import (
    Job,
    PeriodicRun,
    Retraining,
    RetrainingPolicy,
)

# One row a series, however many days of sales there are.
STANDINGS: Final = text("""
SELECT m.series_id, m.at AS trained_at, m.asked,
  g.known_days - m.known_days AS new_days, g.corrected_days - m.corrected_days AS corrected_days,
  g.known_days AS known_days, g.known_days > m.judged_days AS to_be_judged,
  (SELECT max(r.at) FROM retrainings r
   WHERE r.tenant_id = m.tenant_id AND r.series_id = m.series_id) AS retrained_at
FROM training_marks m JOIN series_growth g USING (tenant_id, series_id)
WHERE m.tenant_id = app_tenant()
  AND (g.known_days > m.known_days OR g.corrected_days > m.corrected_days)
ORDER BY m.series_id
""")
NOTE_JUDGED: Final = text("""
UPDATE training_marks m SET judged_days = s.known
FROM unnest(CAST(:series AS bigint[]), CAST(:known AS bigint[])) AS s (series_id, known)
WHERE m.tenant_id = app_tenant() AND m.series_id = s.series_id AND m.judged_days < s.known
""")


async def read_policy(session: AsyncSession) -> Policy:
    """What the tenant wishes, else the default."""
    kept = await session.scalar(select(RetrainingPolicy))
    return Policy() if kept is None else Policy.model_validate(kept.wishes)


async def read_policy_out(session: AsyncSession) -> PolicyOut:
    kept = await session.scalar(select(RetrainingPolicy).execution_options(populate_existing=True))
    checked_at = await session.scalar(
        select(PeriodicRun.ended_at).where(PeriodicRun.name == RETRAINING)
    )
    wishes = Policy() if kept is None else Policy.model_validate(kept.wishes)
    return PolicyOut(
        **wishes.model_dump(),
        updated_at=None if kept is None else kept.updated_at,
        checked_at=checked_at,
    )


async def keep_policy(session: AsyncSession, tenant_id: UUID, policy: Policy, actor: Actor) -> None:
    """Keep the policy in place of the one before; both are in the audit log."""
    before = await read_policy(session)
    wishes = policy.model_dump()
    statement = insert(RetrainingPolicy).values(tenant_id=tenant_id, wishes=wishes)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id"], set_={"wishes": wishes, "updated_at": func.now()}
        )
    )
    record(
        session,
        actor,
        Action.RETRAINING_POLICY_CHANGED,
        "retraining_policy",
        before=before.model_dump(),
        after=wishes,
    )


async def read_now(session: AsyncSession) -> dt.datetime:
    """The database's clock, by which everything here is dated."""
    now: dt.datetime = (await session.execute(select(func.now()))).scalar_one()
    return now


async def has_open_job(session: AsyncSession) -> bool:
    open_job = exists().where(Job.status.not_in([status.value for status in ENDED]))
    return bool(await session.scalar(select(open_job)))


async def read_standings(session: AsyncSession) -> list[Standing]:
    """Of each series that was trained, and of which anything came or was corrected since."""
    return [Standing(**row._mapping) for row in await session.execute(STANDINGS)]


async def note_judged(session: AsyncSession, judged: Sequence[Standing]) -> None:
    """Their accuracy was looked at with all the days that are known now."""
    if judged:
        series = [standing.series_id for standing in judged]
        known = [standing.known_days for standing in judged]
        await session.execute(NOTE_JUDGED, {"series": series, "known": known})


async def add_retrainings(
    session: AsyncSession,
    tenant_id: UUID,
    job_id: UUID,
    causes: Mapping[int, dict[str, object]],
) -> None:
    """Say of each series of the job why it is trained again."""
    rows = [
        {"tenant_id": tenant_id, "job_id": job_id, "series_id": series_id, "cause": cause}
        for series_id, cause in causes.items()
    ]
    await session.execute(insert(Retraining), rows)
