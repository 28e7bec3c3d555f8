"""What every artifact store can do."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Artifact:
    """Bytes that are in the store: their name, and how many they are."""

    sha256: str
    bytes: int


class ArtifactStore(Protocol):
    """Bytes named by their SHA-256 (64 lower-case hex digits), kept apart by owner.

    Every method raises `ArtifactNameRefused` for an owner or digest that is not one, and
    `StoreUnavailable` when the place itself fails. No byte leaves the store unverified.
    """

    async def put(self, owner: str, data: bytes) -> Artifact:
        """Keep `data`, durably. Bytes already there and intact stay, and count as put just now;
        damaged ones are replaced."""
        ...

    async def put_stream(self, owner: str, chunks: AsyncIterable[bytes], sha256: str) -> Artifact:
        """`put` in bounded memory. `DigestMismatch`, and nothing kept, if the bytes are others."""
        ...

    async def get(self, owner: str, sha256: str) -> bytes:
        """The bytes, verified. Raises `ArtifactMissing` or `ArtifactCorrupt`."""
        ...

    def open(self, owner: str, sha256: str) -> AbstractAsyncContextManager[BinaryIO]:
        """`get` in bounded memory: a file of the verified bytes, at its beginning, seekable."""
        ...

    async def delete(self, owner: str, sha256: str) -> None:
        """Forget the bytes; deleting what is not there is no error."""
        ...

    def put_before(self, owner: str, moment: datetime) -> AsyncIterator[list[str]]:
        """The digests of `owner` that nobody has put since `moment`, in pages."""
        ...

    async def delete_put_before(self, owner: str, sha256: str, moment: datetime) -> bool:
        """Forget the bytes, unless somebody put them, once more or not, since `moment`."""
        ...

    async def tidy(self, owner: str, moment: datetime) -> int:
        """Remove what puts that broke off before `moment` left behind; how many."""
        ...

    async def quarantine(self, owner: str, sha256: str) -> None:
        """Move damaged bytes aside, where no read finds them; missing or intact: do nothing."""
        ...

    async def count(self, owner: str) -> int:
        """How many objects `erase` would forget."""
        ...

    async def erase(self, owner: str) -> int:
        """Forget everything of `owner`, what is quarantined included; how many objects went."""
        ...

    async def check(self) -> None:
        """Return when the store answers; `StoreUnavailable` when it does not."""
        ...
