"""Artifacts in an S3-compatible bucket, through obstore."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from shared.artifacts.endpoint import plain_http_is_safe
from shared.artifacts.errors import (
    ArtifactCorrupt,
    ArtifactMissing,
    DigestMismatch,
    StoreUnavailable,
)
from shared.artifacts.naming import checked_owner, digest_in, key_of, quarantine_key_of
from shared.artifacts.store import Artifact
from shared.artifacts.telemetry import CHECKSUM_FAILURES
from shared.canonical import sha256_of

PART_BYTES = 8 * 1024 * 1024
PARTS_AT_ONCE = 4
YOUNG = timedelta(minutes=30)
"""An object put so lately need not be put again to count as young: who asks, asks for hours."""


def open_bucket(bucket: str, prefix: str) -> "S3Artifacts":
    """The store under `prefix` of `bucket`; endpoint and credentials are read from `AWS_*`."""
    return S3Artifacts(
        S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                "allow_http": plain_http_is_safe(os.environ),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(minutes=5),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )
    )


@dataclass(frozen=True, slots=True)
class S3Artifacts:
    """An `ArtifactStore` in a bucket."""

    bucket: S3Store

    async def put(self, owner: str, data: bytes) -> Artifact:
        sha256 = sha256_of(data)
        key = key_of(owner, sha256)
        if not await self._is_intact_and_young(key, sha256):
            with _reachable():
                await obstore.put_async(self.bucket, key, data)
        return Artifact(sha256, len(data))

    async def put_stream(self, owner: str, chunks: AsyncIterable[bytes], sha256: str) -> Artifact:
        key = key_of(owner, sha256)
        checked = _Checked(chunks, sha256)
        if await self._is_intact_and_young(key, sha256):
            async for _ in checked.chunks():
                pass
        else:
            with _reachable():
                # A part is sent when it is full; nothing exists before the last one is
                # acknowledged, and an error of the chunks aborts the upload.
                await obstore.put_async(
                    self.bucket,
                    key,
                    checked.chunks(),
                    chunk_size=PART_BYTES,
                    max_concurrency=PARTS_AT_ONCE,
                )
        return Artifact(sha256, checked.size)

    async def get(self, owner: str, sha256: str) -> bytes:
        async with self.open(owner, sha256) as file:
            return file.read()

    @asynccontextmanager
    async def open(self, owner: str, sha256: str) -> AsyncIterator[BinaryIO]:
        with tempfile.TemporaryFile() as file:
            found = await self._download(key_of(owner, sha256), file)
            if found is None:
                # A missing bucket says the same, and must not pass for a missing artifact.
                await self.check()
                raise ArtifactMissing(sha256)
            if found != sha256:
                CHECKSUM_FAILURES.inc()
                raise ArtifactCorrupt(sha256, found)
            file.seek(0)
            yield file

    async def delete(self, owner: str, sha256: str) -> None:
        with _reachable():
            await obstore.delete_async(self.bucket, key_of(owner, sha256))

    async def put_before(self, owner: str, moment: datetime) -> AsyncIterator[list[str]]:
        with _reachable():
            async for page in obstore.list(self.bucket, prefix=checked_owner(owner)):
                old = [found["path"] for found in page if found["last_modified"] < moment]
                yield [name for path in old if (name := digest_in(path)) is not None]

    async def delete_put_before(self, owner: str, sha256: str, moment: datetime) -> bool:
        """A bucket cannot compare and delete at once: between the look and the deletion, within
        milliseconds, a put of these very bytes may come, and its artifact is then missing."""
        key = key_of(owner, sha256)
        at = await self._put_at(key)
        if at is None or at >= moment:
            return False
        await self.delete(owner, sha256)
        return True

    async def tidy(self, owner: str, moment: datetime) -> int:
        """A bucket shows nothing of uploads that broke off; a lifecycle rule removes them."""
        return 0

    async def quarantine(self, owner: str, sha256: str) -> None:
        key = key_of(owner, sha256)
        found = await self._download(key, None)
        if found is not None and found != sha256:
            with _reachable():
                await obstore.rename_async(self.bucket, key, quarantine_key_of(owner, sha256))

    async def count(self, owner: str) -> int:
        with _reachable():
            pages = obstore.list(self.bucket, prefix=checked_owner(owner))
            return sum([len(page) async for page in pages])

    async def erase(self, owner: str) -> int:
        count = 0
        with _reachable():
            async for page in obstore.list(self.bucket, prefix=checked_owner(owner)):
                await obstore.delete_async(self.bucket, [found["path"] for found in page])
                count += len(page)
        return count

    async def check(self) -> None:
        with _reachable():
            async for _ in obstore.list(self.bucket, chunk_size=1):
                return

    async def _is_intact_and_young(self, key: str, sha256: str) -> bool:
        """Whether a put may leave the object as it is: one that is about to count as old is put
        again, since nothing else renews it."""
        at = await self._put_at(key)
        return at is not None and at > datetime.now(UTC) - YOUNG and await self._is(key, sha256)

    async def _is(self, key: str, sha256: str) -> bool:
        return await self._download(key, None) == sha256

    async def _put_at(self, key: str) -> datetime | None:
        with _reachable():
            try:
                return (await obstore.head_async(self.bucket, key))["last_modified"]
            except FileNotFoundError:
                return None

    async def _download(self, key: str, into: BinaryIO | None) -> str | None:
        """The digest of the object, written to `into` while it passes; None when it is absent."""
        digest = hashlib.sha256()
        with _reachable():
            try:
                found = await obstore.get_async(self.bucket, key)
            except FileNotFoundError:
                return None
            async for chunk in found.stream(min_chunk_size=1024 * 1024):
                await asyncio.to_thread(_take, bytes(chunk), digest, into)
        return digest.hexdigest()


class _Checked:
    """Chunks that end in `DigestMismatch` when they are not the bytes that were announced."""

    def __init__(self, chunks: AsyncIterable[bytes], sha256: str) -> None:
        self._chunks = chunks
        self._sha256 = sha256
        self.size = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        async for chunk in self._chunks:
            digest.update(chunk)
            self.size += len(chunk)
            yield chunk
        if digest.hexdigest() != self._sha256:
            raise DigestMismatch(self._sha256, digest.hexdigest())


def _take(chunk: bytes, digest: Any, into: BinaryIO | None) -> None:
    digest.update(chunk)
    if into is not None:
        into.write(chunk)


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise StoreUnavailable(f"the artifact bucket failed: {str(error)[:500]}") from error
