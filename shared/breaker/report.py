"""What a breaker tells of itself."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    """As the outside spells them; `pybreaker` writes half-open with a dash."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Report:
    """One process's view of one upstream. `state_seconds`: how long it has been in its state,
    which makes no two reports differ.

    `calls` are those in its window, of which the rates are parts. `owner`: whose it is; None,
    everybody's. `opened_count` counts since the process began.
    """

    name: str
    owner: UUID | None
    upstream: str
    state: State
    state_seconds: float = field(compare=False)
    failure_rate: float
    slow_rate: float
    calls: int
    opened_count: int
    last_error: str | None
