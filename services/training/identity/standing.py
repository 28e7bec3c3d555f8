"""Whether those who have a stream open still may."""

from collections.abc import Callable


class Standing:
    """Of one caller, for as long as their stream is open: until their key, or token, is revoked or
    has expired."""

    def __init__(self) -> None:
        self._ended = False
        self._then: list[Callable[[], None]] = []

    def end(self) -> None:
        self._ended = True
        for call in self._then:
            call()

    def then(self, call: Callable[[], None]) -> None:
        """`call` when it ends, or now, if it has."""
        self._then.append(call)
        if self._ended:
            call()
