"""A task as the queue knows it: an id, a fence, and a payload it never reads."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID


class State(StrEnum):
    """A held task waits for a release of its group, a waiting one for its time; nobody claims it
    before."""

    HELD = "held"
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


WAITS = (State.HELD, State.WAITING, State.QUEUED)
OPEN = (*WAITS, State.RUNNING)


class Priority(IntEnum):
    """Classes; the lower is claimed first."""

    INTERACTIVE = 0
    SCHEDULED = 1
    BACKFILL = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a task: valid while the row still runs under this fence, a number that
    every claim of the task raises and nothing lowers. `attempt` is what a failure would burn: a
    task that is put back unfailed gets the same again."""

    tenant_id: UUID
    id: int
    fence: int
    attempt: int


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A claim with the row it was made on. `trace`: what its spans go on with."""

    claim: Claim
    group_id: UUID
    kind: str
    subject: str
    payload: dict[str, Any]
    cost: float
    max_attempts: int
    error: dict[str, Any] | None
    trace: str | None = None

    @property
    def tenant_id(self) -> UUID:
        return self.claim.tenant_id

    @property
    def exhausted(self) -> bool:
        """Whether this claim is beyond the attempts it had: time to bury it."""
        return self.claim.attempt > self.max_attempts

    @property
    def last_attempt(self) -> bool:
        return self.claim.attempt >= self.max_attempts


class StalePublish(Exception):
    """The fence refused: the task is no longer this claim's to finish."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"task {claim.id} is no longer under fence {claim.fence}")
        self.claim = claim


class Snooze(Exception):
    """Not now: put the task back for `seconds` without burning an attempt."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


class TaskError(Exception):
    """An error whose `code` (stable, snake_case) and message may be shown to the task's owner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Refused(TaskError):
    """The work cannot succeed however often it is tried."""
