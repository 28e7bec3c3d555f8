"""Training jobs over HTTP: asked for, looked at, cancelled."""

import datetime as dt
from functools import partial
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.deps import Held, Reader, Trainer, Transaction
from services.training.idempotency import Answer, IdempotencyKey, answer_once
from services.training.identity.caller import Caller
from services.training.jobs import store
from services.training.jobs.admission import check_room, check_wanted
from services.training.jobs.cancel import cancel_job
from services.training.jobs.events import EVENTS_CHANNEL
from services.training.jobs.schemas import (
    PRIORITIES,
    Failure,
    JobOut,
    JobPage,
    ProductCounts,
    ProductOut,
    ProductPage,
    TrainingRequest,
    product_state,
)
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.lifeline import CANCELLED_CHANNEL
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import State
from shared.database import tenant_transaction
from shared.errors import not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, bad_cursor, decode_cursor, next_cursor

router = APIRouter(tags=["training"])

MOST_PRODUCTS = 10**9


@router.post("/training-jobs", status_code=202, response_model=JobOut)
async def create_job(
    wanted: TrainingRequest,
    request: Request,
    caller: Trainer,
    held: Held,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Queue a job; its `Location` is where to look. Answered at once, whatever the size."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        create = partial(_create_job, session, caller, wanted)
        answer = await answer_once(session, caller.tenant_id, request, idempotency_key, create)
    if not answer.again:
        held.bell.ring(QUEUED_CHANNEL)
    return answer.response()


async def _create_job(session: AsyncSession, caller: Caller, wanted: TrainingRequest) -> Answer:
    job = await _enqueue_job(session, caller, wanted)
    told = wanted.model_dump(mode="json", exclude_defaults=True)
    record(session, caller.actor, Action.JOB_CREATED, f"job:{job.id}", after=told)
    return Answer(202, job.model_dump(mode="json"), f"/api/v1/training-jobs/{job.id}")


async def _enqueue_job(session: AsyncSession, caller: Caller, wanted: TrainingRequest) -> JobOut:
    await check_room(session, caller.tenant_id)
    await check_wanted(session, wanted)
    job_id = uuid4()
    await store.add_job(session, caller.tenant_id, job_id, wanted)
    prepare = NewTask(job_id, store.PREPARE, "prepare", {}, PRIORITIES[wanted.priority])
    await enqueue(session, caller.tenant_id, [prepare])
    job = await store.lock_job(session, job_id)
    return store.job_out(job, ProductCounts(), dt.datetime.now(dt.UTC))


@router.get("/training-jobs")
async def list_jobs(
    _: Reader, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> JobPage:
    """The tenant's jobs, newest first."""
    jobs = await store.list_jobs(session, _before(cursor), limit)
    counts = await store.count_products(session, [job.id for job in jobs])
    now = dt.datetime.now(dt.UTC)
    items = [store.job_out(job, counts[job.id], now) for job in jobs]
    last = (jobs[-1].created_at.isoformat(), str(jobs[-1].id)) if jobs else ()
    return JobPage(items=items, next_cursor=next_cursor(len(jobs) == limit, *last))


@router.get("/training-jobs/{job_id}")
async def get_job(job_id: UUID, _: Reader, session: Transaction) -> JobOut:
    job = await own_job(session, job_id)
    counts = await store.count_products(session, [job_id])
    return store.job_out(job, counts[job_id], dt.datetime.now(dt.UTC))


@router.get("/training-jobs/{job_id}/products")
async def list_job_products(
    job_id: UUID,
    _: Reader,
    session: Transaction,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ProductPage:
    """Each series of the job: where it is, what it scored, why it failed."""
    await own_job(session, job_id)
    key = decode_cursor(cursor, int)
    seen = int(key[0]) if key else 0
    if not 0 <= seen <= MOST_PRODUCTS:
        raise bad_cursor()
    tasks = await store.list_products(session, job_id, seen, limit)
    return ProductPage(
        items=[product_out(task) for task in tasks],
        next_cursor=next_cursor(len(tasks) == limit, seen + len(tasks)),
    )


@router.post("/training-jobs/{job_id}/cancel", status_code=202)
async def cancel(job_id: UUID, caller: Trainer, held: Held) -> JobOut:
    """Nothing more of the job starts, running fits stop, finished models stay."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        before = {"status": (await own_job(session, job_id)).status}
        await cancel_job(session, job_id)
        job = await store.lock_job(session, job_id)
        told = {"before": before, "after": {"status": job.status}}
        record(session, caller.actor, Action.JOB_CANCELLED, f"job:{job_id}", **told)
        counts = await store.count_products(session, [job_id])
        answer = store.job_out(job, counts[job_id], dt.datetime.now(dt.UTC))
    held.bell.ring(CANCELLED_CHANNEL)
    held.bell.ring(EVENTS_CHANNEL, str(job_id))
    return answer


async def own_job(session: AsyncSession, job_id: UUID) -> tables.Job:
    """The caller's own job; 404 where they have none such."""
    job = await store.read_job(session, job_id)
    if job is None:
        raise not_found("job", job_id)
    return job


def _before(cursor: str | None) -> tuple[dt.datetime, UUID] | None:
    key = decode_cursor(cursor, str, str)
    if key is None:
        return None
    try:
        at, job_id = dt.datetime.fromisoformat(str(key[0])), UUID(str(key[1]))
    except ValueError:
        raise bad_cursor() from None
    if at.tzinfo is None:
        raise bad_cursor()
    return at, job_id


def product_out(task: tables.Task) -> ProductOut:
    """A task as the API shows it: what it ended with, else how far it is."""
    known = (task.progress or {}) | (task.result or {})
    return ProductOut(
        product=task.payload["product"],
        location=task.payload["location"],
        state=product_state(State(task.state)),
        stage=known.get("stage"),
        family=known.get("family"),
        trials=known.get("trials"),
        seconds=known.get("seconds"),
        skill=known.get("skill"),
        attempt=task.attempt,
        model_id=known.get("model_id"),
        error=Failure(**task.error) if task.error else None,
    )
