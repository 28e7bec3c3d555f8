"""Old artifacts can be removed while others put them again."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.artifacts import ArtifactMissing, aging, open_store
from tests.shared.test_artifacts import DATA, DIGEST, OTHER, OWNER, Place, bucket, place

__all__ = ["bucket", "place"]

SOON = timedelta(minutes=1)
DAY = timedelta(days=1)


async def digests(place: Place, moment: datetime, owner: str = OWNER) -> list[str]:
    return [name async for page in place.store.put_before(owner, moment) for name in page]


async def test_what_was_put_before_a_moment_is_found_and_nothing_else(place: Place) -> None:
    await place.store.put(OWNER, DATA)
    await place.store.put(OTHER, b"another tenant's")
    now = datetime.now(UTC)
    assert await digests(place, now + SOON) == [DIGEST]
    assert await digests(place, now - SOON) == []


async def test_nothing_is_found_of_an_owner_without_artifacts(place: Place) -> None:
    assert await digests(place, datetime.now(UTC)) == []


async def test_quarantine_is_not_found(place: Place) -> None:
    artifact = await place.store.put(OWNER, DATA)
    place.damage(f"{OWNER}/{DIGEST[:2]}/{DIGEST}", b"rot")
    await place.store.quarantine(OWNER, artifact.sha256)
    assert await digests(place, datetime.now(UTC) + SOON) == []


async def test_only_what_was_put_before_the_moment_is_deleted(place: Place) -> None:
    await place.store.put(OWNER, DATA)
    now = datetime.now(UTC)
    assert not await place.store.delete_put_before(OWNER, DIGEST, now - SOON)
    assert await place.store.get(OWNER, DIGEST) == DATA
    assert await place.store.delete_put_before(OWNER, DIGEST, now + SOON)
    assert not await place.store.delete_put_before(OWNER, DIGEST, now + SOON)
    with pytest.raises(ArtifactMissing):
        await place.store.get(OWNER, DIGEST)


@pytest.fixture
def old(tmp_path: Path) -> Callable[[], Path]:
    """A local artifact that was put two days ago."""

    def make() -> Path:
        path = tmp_path / OWNER / DIGEST[:2] / DIGEST
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA)
        age(path, 2 * DAY)
        return path

    return make


def age(path: Path, by: timedelta) -> None:
    then = (datetime.now(UTC) - by).timestamp()
    os.utime(path, (then, then))


async def test_a_put_of_old_bytes_makes_them_young(tmp_path: Path, old: Callable[[], Path]) -> None:
    old()
    store = open_store(tmp_path)
    await store.put(OWNER, DATA)
    assert not await store.delete_put_before(OWNER, DIGEST, datetime.now(UTC) - DAY)


async def test_a_stream_of_old_bytes_makes_them_young(
    tmp_path: Path, old: Callable[[], Path]
) -> None:
    old()
    store = open_store(tmp_path)

    async def chunks():  # type: ignore[no-untyped-def]
        yield DATA

    await store.put_stream(OWNER, chunks(), DIGEST)
    assert not await store.delete_put_before(OWNER, DIGEST, datetime.now(UTC) - DAY)


@pytest.mark.parametrize("sweepers", [1, 3])
def test_no_put_is_undone_by_sweeps_at_the_same_time(
    tmp_path: Path, old: Callable[[], Path], sweepers: int
) -> None:
    store = open_store(tmp_path)
    day_ago = (datetime.now(UTC) - DAY).timestamp()
    path = old()
    rounds = 150
    start, stop = threading.Barrier(sweepers + 1), threading.Barrier(sweepers + 1)

    def sweep() -> None:
        for _ in range(rounds):
            start.wait()
            aging.remove_if_before(path, day_ago)
            aging.tidy(tmp_path / OWNER, day_ago)
            stop.wait()

    threads = [threading.Thread(target=sweep) for _ in range(sweepers)]
    for thread in threads:
        thread.start()
    kept = []
    for _ in range(rounds):
        old()
        start.wait()
        store._put(path, DATA)  # type: ignore[attr-defined]
        stop.wait()
        kept.append(path.exists() and path.read_bytes() == DATA)
    for thread in threads:
        thread.join()
    assert all(kept), f"{kept.count(False)} of {rounds} puts were undone"
    assert [each.name for each in path.parent.iterdir()] == [DIGEST]


async def test_a_removal_that_broke_off_is_finished_by_the_next(
    tmp_path: Path, old: Callable[[], Path]
) -> None:
    store = open_store(tmp_path)
    path = old()
    path.rename(path.with_name(f"{aging.LEAVING}0123.{DIGEST}"))
    await store.tidy(OWNER, datetime.now(UTC) - DAY)
    assert list(path.parent.iterdir()) == []
    renewed = old()
    renewed.touch()
    renewed.rename(path.with_name(f"{aging.LEAVING}4567.{DIGEST}"))
    await store.tidy(OWNER, datetime.now(UTC) - DAY)
    assert await store.get(OWNER, DIGEST) == DATA
    assert [each.name for each in path.parent.iterdir()] == [DIGEST]


async def test_old_partial_files_go_and_young_ones_stay(
    tmp_path: Path, old: Callable[[], Path]
) -> None:
    folder = old().parent
    broken, begun = folder / f".{DIGEST}.aaaa", folder / f".{DIGEST}.bbbb"
    broken.write_bytes(b"half")
    begun.write_bytes(b"half")
    age(broken, 2 * DAY)
    assert await open_store(tmp_path).tidy(OWNER, datetime.now(UTC) - DAY) == 1
    assert sorted(each.name for each in folder.iterdir()) == [begun.name, DIGEST]
