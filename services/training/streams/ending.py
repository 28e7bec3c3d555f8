"""How a stream ends: the codes of API.md, and what is said with them."""

from enum import Enum

AGAIN = "reconnect with since=<last seq>"


class Ending(Enum):
    FINISHED = (1000, "")
    REFUSED = (1008, "the key or token was revoked, or has expired")
    ERASED = (1008, "the job is no more")
    BROKEN = (1011, f"this stream failed: {AGAIN}")
    RESTARTING = (1012, f"restarting: {AGAIN}")
    EXPIRED = (1012, f"open for as long as a stream may be: {AGAIN}")
    TOO_SLOW = (1013, f"too slow: {AGAIN}")
    GONE = (0, "")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason

    @property
    def label(self) -> str:
        """As it is counted: what a client says when it goes is its own."""
        return "client" if self is Ending.GONE else str(self.code)
