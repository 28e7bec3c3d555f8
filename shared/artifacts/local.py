"""Artifacts in a local directory: files 0600 in directories 0700, on the disk before they count."""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from shared.artifacts import aging
from shared.artifacts.errors import (
    ArtifactCorrupt,
    ArtifactMissing,
    DigestMismatch,
    StoreUnavailable,
)
from shared.artifacts.naming import checked_owner, key_of, quarantine_key_of
from shared.artifacts.partial_file import PartialFile, fsync_directory
from shared.artifacts.store import Artifact
from shared.artifacts.telemetry import CHECKSUM_FAILURES
from shared.canonical import sha256_of

TRIES = 5
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LocalArtifacts:
    """An `ArtifactStore` in `root`, a directory that exists."""

    root: Path

    async def put(self, owner: str, data: bytes) -> Artifact:
        sha256 = sha256_of(data)
        await _on_disk(self._put, self.root / key_of(owner, sha256), data)
        return Artifact(sha256, len(data))

    async def put_stream(self, owner: str, chunks: AsyncIterable[bytes], sha256: str) -> Artifact:
        partial = await _on_disk(PartialFile, self.root / key_of(owner, sha256), self.root)
        try:
            async for chunk in chunks:
                await _on_disk(partial.write, chunk)
            if partial.sha256 != sha256:
                raise DigestMismatch(sha256, partial.sha256)
            await _on_disk(_keep, partial)
        finally:
            await _on_disk(partial.discard)
        return Artifact(sha256, partial.size)

    async def get(self, owner: str, sha256: str) -> bytes:
        async with self.open(owner, sha256) as file:
            return await _on_disk(file.read)

    @asynccontextmanager
    async def open(self, owner: str, sha256: str) -> AsyncIterator[BinaryIO]:
        file = await _on_disk(self._open, self.root / key_of(owner, sha256))
        try:
            yield file
        finally:
            file.close()

    async def delete(self, owner: str, sha256: str) -> None:
        path = self.root / key_of(owner, sha256)
        await _on_disk(path.unlink, missing_ok=True)

    async def put_before(self, owner: str, moment: datetime) -> AsyncIterator[list[str]]:
        directory = self.root / checked_owner(owner)
        for part in await _on_disk(aging.parts_of, directory):
            yield await _on_disk(aging.digests_before, part, moment.timestamp())

    async def delete_put_before(self, owner: str, sha256: str, moment: datetime) -> bool:
        path = self.root / key_of(owner, sha256)
        return await _on_disk(aging.remove_if_before, path, moment.timestamp())

    async def tidy(self, owner: str, moment: datetime) -> int:
        directory = self.root / checked_owner(owner)
        return await _on_disk(aging.tidy, directory, moment.timestamp())

    async def quarantine(self, owner: str, sha256: str) -> None:
        aside = self.root / quarantine_key_of(owner, sha256)
        await _on_disk(_move_damaged, self.root / key_of(owner, sha256), aside)

    async def count(self, owner: str) -> int:
        return await _on_disk(_count_files, self.root / checked_owner(owner))

    async def erase(self, owner: str) -> int:
        return await _on_disk(_remove_tree, self.root / checked_owner(owner))

    async def check(self) -> None:
        await _on_disk(self._write_something)

    def _put(self, path: Path, data: bytes) -> None:
        if _is_intact(path):
            return
        partial = PartialFile(path, self.root)
        try:
            partial.write(data)
            partial.keep()
        finally:
            partial.discard()

    def _open(self, path: Path) -> BinaryIO:
        """A file that was read once from end to end; what is read next is what was verified."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            if not self.root.is_dir():
                raise
            raise ArtifactMissing(path.name) from None
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != path.name:
            file.close()
            CHECKSUM_FAILURES.inc()
            raise ArtifactCorrupt(path.name, found)
        file.seek(0)
        return file

    def _write_something(self) -> None:
        with tempfile.TemporaryFile(dir=self.root) as file:
            file.write(b"1")


async def _on_disk(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OSError as error:
        raise StoreUnavailable(f"the artifact directory failed: {error}") from error


def _keep(partial: PartialFile) -> None:
    if not _is_intact(partial.path):
        partial.keep()


def _is_intact(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            intact = hashlib.file_digest(file, "sha256").hexdigest() == path.name
    except FileNotFoundError:
        return False
    if not intact or not aging.make_young(path):
        return False
    # Whoever renamed it may not have reached the disk yet, and our caller is about to commit.
    fsync_directory(path.parent)
    return True


def _move_damaged(path: Path, aside: Path) -> None:
    if not path.exists() or _is_intact(path):
        return
    aside.parent.mkdir(mode=0o700, exist_ok=True)
    path.replace(aside)


def _count_files(directory: Path) -> int:
    return sum(1 for path in directory.rglob("*") if path.is_file())


def _remove_tree(directory: Path) -> int:
    """How many files it held; what a put brings meanwhile goes too."""
    count = 0
    for left in reversed(range(TRIES)):
        held = _count_files(directory)
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:
            break
        except OSError:
            if not left:
                raise
        count += max(0, held - _count_files(directory))
    if directory.parent.is_dir():
        fsync_directory(directory.parent)
    return count
