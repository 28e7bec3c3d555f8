"""Training jobs, and when the service trains by itself."""

from collections.abc import Sequence
from dataclasses import replace

from morrow.call import BASE, Again, Call, Pages, get, listed, post, put
from morrow.schemas.training import (
    Event,
    EventList,
    ExecutionMode,
    Family,
    Job,
    JobProduct,
    Optimizer,
    Priority,
    RetrainingPolicy,
    RetrainingPolicyBody,
    StreamTicket,
)
from morrow.values import Id, given


def create_job(
    *,
    products: Sequence[str] | None = None,
    locations: Sequence[str] | None = None,
    horizon_days: int | None = None,
    training_window_days: int | None = None,
    training_window_rows: int | None = None,
    optimizer: Optimizer | None = None,
    max_trials: int | None = None,
    families: Sequence[Family] | None = None,
    priority: Priority | None = None,
    execution_mode: ExecutionMode | None = None,
    force: bool | None = None,
    idempotency_key: str | None = None,
) -> Call[Job]:
    """Train every product, or some; answered at once. Without a key of the caller's own the client
    makes one, so that one call is one job however often it is sent."""
    body = given(
        products=None if products is None else list(products),
        locations=None if locations is None else list(locations),
        horizon_days=horizon_days,
        training_window_days=training_window_days,
        training_window_rows=training_window_rows,
        optimizer=optimizer,
        max_trials=max_trials,
        families=None if families is None else list(families),
        priority=priority,
        execution_mode=execution_mode,
        force=force,
    )
    asked: Call[Job] = post("/training-jobs", Again.KEYED, body)
    if idempotency_key is None:
        return asked
    return replace(asked, headers={"Idempotency-Key": idempotency_key})


def list_jobs() -> Pages[Job]:
    """The tenant's jobs, newest first."""
    return listed("/training-jobs")


def get_job(job_id: Id) -> Call[Job]:
    return get("/training-jobs/{job_id}", job_id=job_id)


def list_job_products(job_id: Id) -> Pages[JobProduct]:
    """Each series of a job: where it is, what it scored, why it failed."""
    return listed("/training-jobs/{job_id}/products", job_id=job_id)


def cancel_job(job_id: Id) -> Call[Job]:
    """Nothing more of the job starts, running fits stop, finished models stay."""
    return post("/training-jobs/{job_id}/cancel", Again.SAFE, job_id=job_id)


def list_events(job_id: Id, *, since: int = 0) -> Pages[Event]:
    """The events so far after `since`, at most a thousand; `events` goes on until the end."""
    return Pages(read_events(job_id, since), whole=True)


def read_events(job_id: Id, since: int) -> Call[EventList]:
    """A page of a job's events."""
    return get("/training-jobs/{job_id}/events", {"since": since}, job_id=job_id)


def stream_events(job_id: Id, since: int) -> Call[object]:
    """A job's events after `since` as they come, as server-sent events."""
    return Call(
        "GET",
        BASE + "/training-jobs/{job_id}/events",
        {"job_id": job_id},
        headers={
            "Accept": "text/event-stream",
            "Cache-Control": "no-store",
            "Last-Event-ID": str(since),
        },
    )


def create_stream_ticket(job_id: Id) -> Call[StreamTicket]:
    """A ticket that opens one stream of a job within a minute, for who cannot set headers: a
    browser's WebSocket."""
    return post("/stream-tickets", Again.SAFE, {"job_id": str(job_id)})


def get_retraining_policy() -> Call[RetrainingPolicy]:
    """When the service trains the tenant's series again by itself."""
    return get("/retraining-policy")


def put_retraining_policy(policy: RetrainingPolicyBody) -> Call[RetrainingPolicy]:
    """Set the whole policy: a field that is left out takes its default."""
    return put("/retraining-policy", policy)
