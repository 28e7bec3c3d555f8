"""Training jobs over HTTP: asked for, looked at, cancelled, followed."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import idempotency, tables
from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.deps import Held, Reader, Resources, Trainer, Transaction
from services.training.identity.caller import Caller
from services.training.identity.standing import KeyEnded
from services.training.jobs import store
from services.training.jobs.admission import check_room, check_wanted
from services.training.jobs.cancel import cancel_job
from services.training.jobs.events import EVENTS_CHANNEL, read_events
from services.training.jobs.schemas import (
    PRIORITIES,
    EventOut,
    EventPage,
    Failure,
    JobOut,
    JobPage,
    ProductCounts,
    ProductOut,
    ProductPage,
    TicketBody,
    TicketOut,
    TrainingRequest,
    product_state,
)
from services.training.jobs.stream import follow
from services.training.jobs.tickets import keep_ticket, make_ticket
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.lifeline import CANCELLED_CHANNEL
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import State
from shared.database import tenant_transaction
from shared.errors import not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, bad_cursor, decode_cursor, next_cursor

router = APIRouter(tags=["training"])

LARGEST_ID = 2**63 - 1


@router.post("/training-jobs", status_code=202, response_model=JobOut)
async def create_job(
    wanted: TrainingRequest,
    request: Request,
    response: Response,
    caller: Trainer,
    held: Held,
    idempotency_key: idempotency.IdempotencyKey = None,
) -> Any:
    """Queue a job; its `Location` is where to look. Answered at once, whatever the size."""
    digest = idempotency.digest_of_request("POST", request.url.path, await request.body())
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        if idempotency_key is not None:
            first = await idempotency.begin(session, caller.tenant_id, idempotency_key, digest)
            if first is not None:
                return JSONResponse(first.body, first.status, {"Location": first.location or ""})
        job = await _enqueue_job(session, caller, wanted)
        told = wanted.model_dump(mode="json", exclude_defaults=True)
        record(session, caller.actor, Action.JOB_CREATED, f"job:{job.id}", after=told)
        location = f"/api/v1/training-jobs/{job.id}"
        if idempotency_key is not None:
            answer = idempotency.FirstAnswer(202, job.model_dump(mode="json"), location)
            await idempotency.remember(session, idempotency_key, answer)
    held.bell.ring(QUEUED_CHANNEL)
    response.headers["Location"] = location
    return job


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
    job = await _own_job(session, job_id)
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
    await _own_job(session, job_id)
    key = decode_cursor(cursor, int)
    after = int(key[0]) if key else 0
    if abs(after) > LARGEST_ID:
        raise bad_cursor()
    tasks = await store.list_products(session, job_id, after, limit)
    return ProductPage(
        items=[product_out(task) for task in tasks],
        next_cursor=next_cursor(len(tasks) == limit, *(task.id for task in tasks[-1:])),
    )


@router.post("/training-jobs/{job_id}/cancel", status_code=202)
async def cancel(job_id: UUID, caller: Trainer, held: Held) -> JobOut:
    """Nothing more of the job starts, running fits stop, finished models stay."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        before = {"status": (await _own_job(session, job_id)).status}
        await cancel_job(session, job_id)
        job = await store.lock_job(session, job_id)
        told = {"before": before, "after": {"status": job.status}}
        record(session, caller.actor, Action.JOB_CANCELLED, f"job:{job_id}", **told)
        counts = await store.count_products(session, [job_id])
        answer = store.job_out(job, counts[job_id], dt.datetime.now(dt.UTC))
    held.bell.ring(CANCELLED_CHANNEL)
    held.bell.ring(EVENTS_CHANNEL, str(job_id))
    return answer


EVENTS_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "model": EventPage}
}


@router.get("/training-jobs/{job_id}/events", response_model=EventPage, responses=EVENTS_ANSWER)
async def list_events(
    job_id: UUID,
    caller: Reader,
    held: Held,
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**53)] = None,
) -> Any:
    """The job's events after `since`; with `Accept: text/event-stream` as they come."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        await _own_job(session, job_id)
        if "text/event-stream" not in (accept or ""):
            found = await read_events(session, job_id, since)
            return EventPage(items=[EventOut.model_validate(event) for event in found])
    stream = await held.streams.open(caller.tenant_id)
    after = since if last_event_id is None else last_event_id
    return StreamingResponse(
        _server_sent(held, caller, job_id, after, stream),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post("/stream-tickets", status_code=201)
async def create_ticket(body: TicketBody, caller: Reader, session: Transaction) -> TicketOut:
    await _own_job(session, body.job_id)
    ticket = make_ticket(caller.tenant_id)
    expires_at = await keep_ticket(session, caller, body.job_id, ticket)
    return TicketOut(ticket=ticket, expires_at=expires_at)


async def _server_sent(
    held: Resources, caller: Caller, job_id: UUID, since: int, stream: UUID
) -> AsyncIterator[str]:
    with suppress(KeyEnded), held.door.watch.over(caller) as standing:
        batches = follow(held.sessions, held.listener, caller.tenant_id, job_id, since, standing)
        async for batch in held.streams.watch(stream, batches):
            for event in batch:
                standing.require()
                body = event.model_dump_json(exclude_none=True)
                yield f"id: {event.seq}\nevent: {event.type.value}\ndata: {body}\n\n"
            if not batch:
                yield ": still here\n\n"


async def _own_job(session: AsyncSession, job_id: UUID) -> tables.Job:
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
