"""What is told of a piece of work, by whoever does it. Silent unless something listens.

Attributes are what logs may say as well: ids, kinds, counts, codes. Of an error its type is told
and not its message, which may quote what a tenant sent.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import Final, Protocol

Value = str | bool | int | float
Attributes = Mapping[str, Value]
NONE: Final[Attributes] = {}


class Kind(StrEnum):
    """Whose part it is of something that several do."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Span(Protocol):
    """A piece of work under way."""

    def call(self, name: str) -> None: ...

    def note(self, attributes: Attributes) -> None: ...

    def end(self) -> None:
        """Now, although what it is about goes on; what is noted later is lost."""


class Tracer(Protocol):
    """What listens; the functions below say what is asked of it."""

    def span(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        parent: str | None,
        beside: str | None,
        began: float | None,
    ) -> AbstractContextManager[Span]: ...

    def past(
        self, name: str, began: float, ended: float, attributes: Attributes, parent: str | None
    ) -> None: ...

    def note(self, attributes: Attributes) -> None: ...

    def header(self) -> str | None: ...

    def carried(self) -> str | None: ...

    def log_ids(self) -> Mapping[str, str]: ...

    def close(self) -> None: ...


class _Silent:
    """Of a span that nobody hears of."""

    def call(self, name: str) -> None:
        pass

    def note(self, attributes: Attributes) -> None:
        pass

    def end(self) -> None:
        pass


SILENT: Final = _Silent()
UNHEARD: Final = nullcontext[Span](SILENT)
_listening: Tracer | None = None


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    attributes: Attributes = NONE,
    *,
    parent: str | None = None,
    beside: str | None = None,
    began: float | None = None,
) -> AbstractContextManager[Span]:
    """A span as long as the context lasts, within the one that is under way here.

    With a `parent`, which was `carried` here, it goes on with that. `beside` is a header of
    anybody's, which is linked to and otherwise not believed: neither does it say whether to sample.
    `began` is of `time.monotonic()`, where it was earlier. An error ends the span, and marks it.
    """
    if _listening is None:
        return UNHEARD
    return _listening.span(name, kind, attributes, parent, beside, began)


def past(
    name: str,
    began: float,
    ended: float,
    attributes: Attributes = NONE,
    *,
    parent: str | None = None,
) -> None:
    """A span that is over, by `time.monotonic()`; with a `parent` as above."""
    if _listening is not None:
        _listening.past(name, began, ended, attributes, parent)


def note(attributes: Attributes) -> None:
    """Of the span that is under way here."""
    if _listening is not None:
        _listening.note(attributes)


def header() -> str | None:
    """The span under way here, for whom it calls; None where nobody listens."""
    return None if _listening is None else _listening.header()


def carried() -> str | None:
    """What work that is put off until later goes on with: the span under way here. Within what was
    itself put off, that which it goes on with, so that it does not hang from a span that is lost
    should the process die."""
    return None if _listening is None else _listening.carried()


def log_ids() -> Mapping[str, str]:
    """By which a line of the log is found from its trace, and the trace from it."""
    return {} if _listening is None else _listening.log_ids()


def listens() -> bool:
    return _listening is not None


def send_rest() -> None:
    """Send what waits, within bounds; nothing is told after it. To be called where the process may
    not live to leave `heard_by`."""
    if _listening is not None:
        _listening.close()


@contextmanager
def heard_by(tracer: Tracer) -> Iterator[None]:
    """Everything the process does meanwhile; then what waits is sent."""
    global _listening
    before, _listening = _listening, tracer
    try:
        yield
    finally:
        _listening = before
        tracer.close()
