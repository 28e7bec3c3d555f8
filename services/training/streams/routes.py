"""A job's events over HTTP: a page of them, or as they come; and tickets for those who cannot set
headers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request

from services.training.deps import Held, Reader, Transaction
from services.training.jobs.events import read_events
from services.training.jobs.routes import own_job
from services.training.jobs.schemas import EventOut, EventPage, TicketBody, TicketOut
from services.training.streams.hub import hub_of
from services.training.streams.server_sent import ServerSentEvents
from services.training.streams.tickets import keep_ticket, make_ticket
from shared.database import tenant_transaction

router = APIRouter(tags=["training"])

EVENTS_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "model": EventPage}
}


@router.get("/training-jobs/{job_id}/events", response_model=EventPage, responses=EVENTS_ANSWER)
async def list_events(
    job_id: UUID,
    request: Request,
    caller: Reader,
    held: Held,
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**53)] = None,
) -> Any:
    """The job's events after `since`; with `Accept: text/event-stream` as they come."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        await own_job(session, job_id)
        if "text/event-stream" not in (accept or ""):
            found = await read_events(session, job_id, since)
            return EventPage(items=[EventOut.model_validate(event) for event in found])
    stream = await held.streams.open(caller.tenant_id)
    after = since if last_event_id is None else last_event_id
    return ServerSentEvents(held, hub_of(request), caller, job_id, after, stream)


@router.post("/stream-tickets", status_code=201)
async def create_ticket(body: TicketBody, caller: Reader, session: Transaction) -> TicketOut:
    await own_job(session, body.job_id)
    ticket = make_ticket(caller.tenant_id)
    expires_at = await keep_ticket(session, caller, body.job_id, ticket)
    return TicketOut(ticket=ticket, expires_at=expires_at)
