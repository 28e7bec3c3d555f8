"""Whether those who have a stream open still may."""

import asyncio


class KeyEnded(Exception):
    """The key, or token, by which somebody came in was revoked, or has expired."""


class Standing:
    """Of one caller, for as long as their stream is open."""

    def __init__(self) -> None:
        self._ended = False
        self._waiting: set[asyncio.Event] = set()

    def end(self) -> None:
        self._ended = True
        for event in self._waiting:
            event.set()

    def require(self) -> None:
        """Raise `KeyEnded` where it has ended."""
        if self._ended:
            raise KeyEnded

    def wake(self, event: asyncio.Event) -> None:
        """`event` is set when it ends, or now, if it has."""
        self._waiting.add(event)
        if self._ended:
            event.set()
