"""A job's events as they come, across restarts of the API."""

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from services.training.commands.failures import Refused, Unreachable

if TYPE_CHECKING:
    from services.training.commands.answers import Event
    from services.training.commands.http import Api

FINISHED = "job.finished"
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 1.0
SERVER_FAULT = 500


def follow_job(
    api: "Api",
    job_id: str,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> "Iterator[Event]":
    """Every event of the job once, in order, up to `job.finished`.

    A stream that is cut is taken up again after the last event seen. Raises Unreachable when the
    API has not answered for two minutes, and Refused when it answers that it will not.
    """
    seen = 0
    heard_at = clock()
    while True:
        try:
            for event in _stream(api, job_id, seen):
                seen, heard_at = event["seq"], clock()
                yield event
                if event["type"] == FINISHED:
                    return
            heard_at = clock()
        except (Unreachable, Refused) as failure:
            lasting = isinstance(failure, Refused) and failure.status < SERVER_FAULT
            if lasting or clock() - heard_at > PATIENCE_SECONDS:
                raise
        pause(PAUSE_SECONDS)


def _stream(api: "Api", job_id: str, seen: int) -> "Iterator[Event]":
    """The events after `seen`, by server-sent events."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(seen)}
    with api.stream(f"/training-jobs/{job_id}/events", headers) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))
