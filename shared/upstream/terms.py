"""How long a call may take, and how much may come of it."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class CallTerms:
    """Seconds of each step, and of a whole call (its retries included) that has no deadline.

    `pause_seconds`: the longest before the first repetition, twice as long before the second.
    `most_bytes`: of one answer, decoded. `connections`: to one upstream at once.
    `allow_private`: call tenants' upstreams at private addresses too, which is for development.
    """

    connect_seconds: float = 30.0
    read_seconds: float = 60.0
    write_seconds: float = 30.0
    pool_seconds: float = 30.0
    total_seconds: float = 120.0
    pause_seconds: float = 0.5
    most_bytes: int = 16 * MIB
    connections: int = 8
    allow_private: bool = False
