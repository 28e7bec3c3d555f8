"""A tenant's turn: look where its series stand, judge what was published, ask for one job.

Nothing is decided under a lock. The turn is fenced in the transaction that asks for the job, so of
two leaders that looked at the same time one asks.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.actor import SERVICE
from services.training.audit.record import record
from services.training.jobs.schemas import PRIORITIES
from services.training.jobs.store import PREPARE, add_job
from services.training.metering.caps import read_limits
from services.training.metering.quotas import is_spent
from services.training.metering.usage import Kind
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.periodic import Turn, end_turn
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.retraining import store
from services.training.retraining.accuracy import Accuracy
from services.training.retraining.due import Plan, Standing, due_of, is_rested, plan_of
from services.training.retraining.policy import Policy
from services.training.retraining.published import judge_published
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Bell

BATCH = 100

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at the beginning of a turn; no standings where nothing may be asked for."""

    policy: Policy
    now: dt.datetime
    standings: Sequence[Standing]


async def retrain_due(sessions: Sessions, bell: Bell, turn: Turn) -> None:
    """Ask for a job that trains the tenant's due series again, and end the turn with it."""
    look = await _look(sessions, turn.tenant_id)
    judged = _to_be_judged(look)
    found = await _judge(sessions, turn.tenant_id, judged)
    due = [
        due_of(each, look.policy, found.get(each.series_id), look.now) for each in look.standings
    ]
    plan = plan_of([each for each in due if each is not None], look.policy)
    async with tenant_transaction(sessions, turn.tenant_id) as session:
        told = {"standings": len(look.standings), "judged": len(judged)}
        if plan is None:
            await end_turn(session, turn, told)
        else:
            job_id = uuid4()
            await end_turn(session, turn, told | {"job_id": str(job_id), "due": len(plan.due)})
            await _ask(session, turn.tenant_id, job_id, plan)
        await store.note_judged(session, _settled(judged, found))
    if plan is not None:
        log.info("retraining_asked_for", job_id=str(job_id), series=len(plan.due))
        bell.ring(QUEUED_CHANNEL)


async def _look(sessions: Sessions, tenant_id: UUID) -> Look:
    """While any job of the tenant is open the next is not asked for: it may be about the same. Nor
    while the day's quota is spent."""
    async with tenant_transaction(sessions, tenant_id) as session:
        policy, now = await store.read_policy(session), await store.read_now(session)
        most = (await read_limits(session)).cpu_seconds_per_day
        waits = (
            not policy.enabled
            or await store.has_open_job(session)
            or await is_spent(session, Kind.CPU_SECONDS, most)
        )
        return Look(policy, now, () if waits else await store.read_standings(session))


def _to_be_judged(look: Look) -> list[Standing]:
    if not look.policy.on_degraded_accuracy:
        return []
    return [
        each
        for each in look.standings
        if each.to_be_judged and is_rested(each, look.policy, look.now)
    ]


async def _judge(
    sessions: Sessions, tenant_id: UUID, standings: Sequence[Standing]
) -> dict[int, Accuracy]:
    found: dict[int, Accuracy] = {}
    for first in range(0, len(standings), BATCH):
        series_ids = [each.series_id for each in standings[first : first + BATCH]]
        async with tenant_transaction(sessions, tenant_id) as session:
            found |= await judge_published(session, series_ids)
    return found


def _settled(judged: Sequence[Standing], found: dict[int, Accuracy]) -> list[Standing]:
    """Those not to be judged again before more days come. A degraded one is, until it is trained:
    its job may fail, and others may go first."""
    return [
        each
        for each in judged
        if (accuracy := found.get(each.series_id)) is None or not accuracy.degraded
    ]


async def _ask(session: AsyncSession, tenant_id: UUID, job_id: UUID, plan: Plan) -> None:
    await add_job(session, tenant_id, job_id, plan.request, plan.cause)
    causes = {each.standing.series_id: each.cause() for each in plan.due}
    await store.add_retrainings(session, tenant_id, job_id, causes)
    prepare = NewTask(job_id, PREPARE, "prepare", {}, PRIORITIES[plan.request.priority])
    await enqueue(session, tenant_id, [prepare])
    record(session, SERVICE, Action.JOB_CREATED, f"job:{job_id}", after=plan.cause.model_dump())
