"""What crosses the network: bytes under their digest, made and read at the ends alone.

Large pieces that many lessons share, such as a job's pools, travel beside the others: once to the
cluster rather than once a series.
"""

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from services.training.queue.task import TaskError

BESIDE_BYTES: Final = 64 * 2**10

Report = Callable[[Any], None]


class ParcelDamaged(TaskError):
    """What arrived is not what was sent."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            "parcel_damaged",
            f"what crossed the network should have the digest {expected}, and has {found}",
        )


@dataclass(frozen=True, slots=True)
class Parcel:
    """A value as bytes; `beside` are the digests of those that travel apart."""

    sha256: str
    content: bytes = field(repr=False)
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Errand:
    """A parcel of work, with all that it needs."""

    parcel: Parcel
    beside: Mapping[str, bytes] = field(repr=False)


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.beside: dict[str, bytes] = {}

    def persistent_id(self, value: object) -> str | None:
        if not isinstance(value, bytes) or len(value) < BESIDE_BYTES:
            return None
        name = _digest(value)
        self.beside[name] = value
        return name


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, beside: Mapping[str, bytes]) -> None:
        super().__init__(file)
        self._beside = beside

    def persistent_load(self, name: str) -> bytes:
        return checked(name, self._beside[name])


def pack(value: object) -> Errand:
    """Large bytes within the value are put beside it."""
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump(value)
    content = file.getvalue()
    return Errand(Parcel(_digest(content), content, tuple(packer.beside)), packer.beside)


def pack_whole(value: object) -> Parcel:
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return Parcel(_digest(content), content)


def unpack(errand: Errand) -> Any:
    """The value; raises `ParcelDamaged` before anything is read of bytes that are not those."""
    parcel = errand.parcel
    content = checked(parcel.sha256, parcel.content)
    return _Unpacker(io.BytesIO(content), errand.beside).load()


def unpack_whole(parcel: Parcel) -> Any:
    """As `unpack`, of what has nothing beside it."""
    return unpack(Errand(parcel, {}))


def run_errand(errand: Errand, report: Report) -> Parcel:
    """In a child: `work(argument, report)` of what `pack((work, argument))` holds."""
    work, argument = unpack(errand)
    return pack_whole(work(argument, lambda value: report(pack_whole(value))))


def checked(expected: str, content: bytes) -> bytes:
    found = _digest(content)
    if found != expected:
        raise ParcelDamaged(expected, found)
    return content


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
