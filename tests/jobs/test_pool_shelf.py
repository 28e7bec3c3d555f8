"""Pools at hand are read once, given to their owner alone, and do not pile up."""

import asyncio
from pathlib import Path

import pytest

from services.training.jobs.pool_artifact import marked
from services.training.jobs.pool_shelf import ROOM, PoolShelf
from shared.artifacts import ArtifactMissing, ArtifactStore, open_store


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return open_store(str(tmp_path))


async def test_what_is_at_hand_is_not_read_again(artifacts: ArtifactStore) -> None:
    shelf = PoolShelf(artifacts)
    kept = await artifacts.put("mine", marked(b"a pool"))
    assert (await shelf.get("mine", kept.sha256)).content == b"a pool"
    await artifacts.delete("mine", kept.sha256)
    assert (await shelf.get("mine", kept.sha256)).content == b"a pool"


async def test_those_who_ask_at_once_get_the_same(artifacts: ArtifactStore) -> None:
    shelf = PoolShelf(artifacts)
    kept = await artifacts.put("mine", marked(b"a pool"))
    given = await asyncio.gather(*(shelf.get("mine", kept.sha256) for _ in range(5)))
    assert len({id(saved.content) for saved in given}) == 1


async def test_what_one_owner_has_at_hand_is_missing_for_another(
    artifacts: ArtifactStore,
) -> None:
    shelf = PoolShelf(artifacts)
    kept = await artifacts.put("mine", marked(b"a pool"))
    await shelf.get("mine", kept.sha256)
    with pytest.raises(ArtifactMissing):
        await shelf.get("other", kept.sha256)


async def test_what_was_asked_for_last_stays_and_the_oldest_goes(
    artifacts: ArtifactStore,
) -> None:
    shelf = PoolShelf(artifacts)
    kept = [
        (await artifacts.put("mine", marked(bytes([number])))).sha256 for number in range(ROOM + 1)
    ]
    for sha256 in [*kept[:ROOM], kept[0], kept[ROOM]]:
        await shelf.get("mine", sha256)
    for sha256 in kept:
        await artifacts.delete("mine", sha256)
    assert (await shelf.get("mine", kept[0])).content == b"\0"
    with pytest.raises(ArtifactMissing):
        await shelf.get("mine", kept[1])
