"""Where one stands in a job's events: what is new, what is amiss, how long to wait; no I/O."""

from dataclasses import dataclass
from typing import Final

from morrow.errors import GaveUp, MorrowError, Refused, Unreachable
from morrow.retries import Random, Retries
from morrow.schemas.training import Event

FINISHED: Final = "job.finished"
LIMITED: Final = 429
SERVER_FAULT: Final = 500
MOST_GAPS: Final = 5


class Gap(MorrowError):
    """An event came before the one that it follows: to be asked for again."""

    def __init__(self, seq: int, seen: int) -> None:
        super().__init__("events_missing", f"event {seq} came after event {seen}")


@dataclass(slots=True)
class Place:
    """`seen`: the last event that was handed on. `patience`: for how many seconds on end it may
    fail; the time that whoever takes the events needs for them does not count."""

    job_id: str
    seen: int
    patience: float
    retries: Retries
    random: Random
    finished: bool = False
    _attempt: int = 0
    _failing_since: float | None = None
    _gaps: int = 0

    def take(self, event: Event) -> Event | None:
        """The event, if it is the next one; None for one that was seen."""
        if event["seq"] <= self.seen:
            return None
        if event["seq"] != self.seen + 1:
            raise Gap(event["seq"], self.seen)
        self.seen = event["seq"]
        self.finished = event["type"] == FINISHED
        self._attempt = self._gaps = 0
        return event

    def heard(self) -> None:
        """The service is there, whether or not it has something to tell."""
        self._failing_since = None

    def pause(self, lasted: float = 0.0) -> float:
        """The seconds to wait after a stream that has ended well, if before its job; one that
        lasted for long was as good as one that told something."""
        self._attempt = 1 if lasted > self.retries.longest_pause else self._attempt + 1
        return self.retries.jitter(self._attempt, self.random)

    def pause_after(self, error: MorrowError, now: float) -> float:
        """The seconds to wait after a failure. Raises it where it will not pass, and `GaveUp` where
        it has lasted too long."""
        if isinstance(error, Gap):
            self._gaps += 1
            if self._gaps == MOST_GAPS:
                raise GaveUp(error.code, f"job {self.job_id}: {error.detail}", self.seen) from error
        elif not _may_pass(error):
            raise error
        since = self._failing_since = now if self._failing_since is None else self._failing_since
        pause = self.pause() + (error.retry_after or 0.0)
        if now + pause - since > self.patience:
            raise GaveUp(
                "stream_lost",
                f"job {self.job_id} could not be watched for {self.patience:g} s: {error.detail}",
                self.seen,
            ) from error
        return pause


def _may_pass(error: MorrowError) -> bool:
    if isinstance(error, Refused):
        return error.status == LIMITED or (error.status or 0) >= SERVER_FAULT
    return isinstance(error, Unreachable)
