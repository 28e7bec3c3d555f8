"""What a worker and its bridge say to each other, over a socket that only they hold.

A frame is eight bytes of length and a pickle: both are one program at two ends of a socket pair.
"""

import asyncio
import pickle
import struct
from dataclasses import dataclass
from typing import Any, Final

from services.training.cluster.parcel import Errand, Parcel

LENGTH: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Begin:
    """Run the errand in this seat, within so many seconds of its beginning there."""

    call: int
    seat: int
    errand: Errand
    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """End the call, and whatever it started."""

    call: int


@dataclass(frozen=True, slots=True)
class Renew:
    """End the child of this seat: the next call has a new one."""

    seat: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The cluster took us."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The cluster did not take us, or no longer; the bridge ends."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Alive:
    """Said again and again, of a bridge that is not stuck."""


@dataclass(frozen=True, slots=True)
class Said:
    """On its way; `cpu_seconds` are those of the seat so far."""

    call: int
    news: Parcel | None
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """`how`: done, raised, died, lost or stopped; `value` is the answer's parcel, or what the error
    is made of."""

    call: int
    how: str
    value: Any
    cpu_seconds: float | None


Order = Begin | Stop | Renew
Word = Said | Ended


async def read(reader: asyncio.StreamReader) -> Any:
    """Raises `IncompleteReadError` where the other end is gone."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return pickle.loads(await reader.readexactly(length))  # noqa: S301 - our own process wrote it


def write(writer: asyncio.StreamWriter, message: object) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    writer.write(LENGTH.pack(len(content)))
    writer.write(content)
