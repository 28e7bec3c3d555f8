"""Artifacts from one store to another: each verified as it is read, and again as it is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import BinaryIO, Final

from services.training.backup.manifest import NOTHING, Named, count_of, each_of
from services.training.backup.progress import Report, Stage
from shared.artifacts import ArtifactCorrupt, ArtifactMissing, ArtifactStore

AT_ONCE: Final = 8
CHUNK_BYTES: Final = 2**20
EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)

Look = Callable[[str, str], Awaitable[bool]]
"""Whether all is well with an artifact of this owner and digest."""


async def copy_named(
    source: ArtifactStore,
    target: ArtifactStore,
    named: Named,
    report: Report,
    leaving: Named = NOTHING,
) -> Named:
    """Copy what the target lacks or holds damaged; what the source then lacks, or holds damaged as
    well, is returned. What is `leaving` the target is put there once more, and so stays."""

    async def stays(owner: str, sha256: str) -> bool:
        if sha256 in leaving.get(owner, ()):
            return await _copy(target, target, owner, sha256)
        return await is_intact(target, owner, sha256)

    async def copy(owner: str, sha256: str) -> bool:
        return await stays(owner, sha256) or await _copy(source, target, owner, sha256)

    return await look_at_each(named, copy, report)


async def look_at_each(named: Named, look: Look, report: Report) -> Named:
    """Several at once; those that it is not well with. An error ends it."""
    unwell: dict[str, set[str]] = {}
    waiting = each_of(named)
    done, total = 0, count_of(named)
    report(Stage.ARTIFACTS, done, total)

    async def work() -> None:
        nonlocal done
        for owner, sha256 in waiting:
            if not await look(owner, sha256):
                unwell.setdefault(owner, set()).add(sha256)
            done += 1
            report(Stage.ARTIFACTS, done, total)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return {owner: frozenset(found) for owner, found in unwell.items()}


async def is_intact(store: ArtifactStore, owner: str, sha256: str) -> bool:
    """Whether the store holds it, read from end to end."""
    try:
        async with store.open(owner, sha256):
            return True
    except (ArtifactMissing, ArtifactCorrupt):
        return False


async def names_in(store: ArtifactStore, owners: Iterable[str]) -> Named:
    """What the store holds of these owners, by name alone."""
    found: dict[str, frozenset[str]] = {}
    for owner in owners:
        pages = [page async for page in store.put_before(owner, EVER)]
        found[owner] = frozenset(sha256 for page in pages for sha256 in page)
    return found


async def chunks_of(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


async def _copy(source: ArtifactStore, target: ArtifactStore, owner: str, sha256: str) -> bool:
    try:
        async with source.open(owner, sha256) as file:
            await target.put_stream(owner, chunks_of(file), sha256)
    except (ArtifactMissing, ArtifactCorrupt):
        return False
    return True
