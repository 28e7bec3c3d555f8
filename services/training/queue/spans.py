"""What tasks tell of themselves in traces: that they were put in, claimed and run.

All of a job's tasks go on with the span that put in its first: each run, each attempt too, is one
of its own below that.
"""

from contextlib import AbstractContextManager
from uuid import UUID

from services.training.queue.task import ClaimedTask
from shared.tracing import Attributes, Kind, Span, past, span


def enqueue_span(tenant_id: UUID, group_id: UUID, tasks: int) -> AbstractContextManager[Span]:
    """Around the putting in of `tasks` of the group."""
    told = {"morrow.tenant_id": str(tenant_id), "morrow.group_id": str(group_id)}
    return span("enqueue", Kind.PRODUCER, {**told, "morrow.tasks": tasks})


def run_span(task: ClaimedTask, asked_at: float, claimed_at: float) -> AbstractContextManager[Span]:
    """Around a run of the task, beside its claim, which was asked for and made at these instants of
    the monotonic clock."""
    told: Attributes = {
        "morrow.tenant_id": str(task.tenant_id),
        "morrow.group_id": str(task.group_id),
        "morrow.task.id": task.claim.id,
        "morrow.task.kind": task.kind,
        "morrow.task.attempt": task.claim.attempt,
    }
    past("claim", asked_at, claimed_at, told, parent=task.trace)
    return span(f"task {task.kind}", Kind.CONSUMER, told, parent=task.trace, began=claimed_at)
