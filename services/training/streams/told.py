"""One event of a job's log, written out once for all who are told of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from websockets.frames import Frame, Opcode

from services.training.jobs.schemas import EventOut


@dataclass(frozen=True, slots=True)
class Told:
    """`text` is the event as JSON; what goes before it on each kind of wire is kept beside it.
    `at`: when it happened, in seconds since the epoch."""

    seq: int
    at: float
    text: bytes
    frame_head: bytes
    record_head: bytes


def tell(event: EventOut) -> Told:
    text = event.model_dump_json(exclude_none=True).encode()
    frame = Frame(Opcode.TEXT, text).serialize(mask=False)
    return Told(
        seq=event.seq,
        at=event.at.timestamp(),
        text=text,
        frame_head=frame[: len(frame) - len(text)],
        record_head=f"id: {event.seq}\nevent: {event.type.value}\ndata: ".encode(),
    )


def frames_of(told: Iterable[Told]) -> bytes:
    """As WebSocket frames (RFC 6455), one text message each."""
    return b"".join([part for each in told for part in (each.frame_head, each.text)])


def records_of(told: Iterable[Told]) -> bytes:
    """As server-sent events, one record each, with its `seq` as the id."""
    return b"".join([part for each in told for part in (each.record_head, each.text, b"\n\n")])
