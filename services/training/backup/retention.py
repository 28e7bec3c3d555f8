"""Letting old backups go, while others may be under way.

A backup that is let go leaves the list at once: its manifest is retired. Its parts go a day later,
unless a backup that is there by then, or was retired since, needs them too. A backup that was under
way, and found them on the shelf, has its manifest there by then, for it gives up after `LONGEST`.
One that begins later puts once more what no other backup needs (`read_leaving`), and what was put
within that day is not removed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Final

from services.training.backup.manifest import NOTHING, Named, as_named, each_of, joined, without
from services.training.backup.shelf import (
    DUMPS,
    RETIRED,
    Kept,
    list_backups,
    list_readable,
    list_retired,
    retire,
)
from shared.artifacts import ArtifactStore

REST: Final = timedelta(days=1)
"""How long the parts of a retired backup lie."""
LONGEST: Final = timedelta(hours=20)
"""How long taking a backup may last; with some to spare, for clocks that differ."""


async def let_go(
    shelf: ArtifactStore, newest: Kept, keep: int, *, allow_absent: bool = False
) -> list[Kept]:
    """Retire what is older than `newest`, just verified, but the latest of it, so that they are
    `keep` together; those that were retired. None is where `newest` lacks artifacts, for an older
    one may have them, unless that is allowed; and none ever that is newer, so that two who do this
    at once leave one.

    Raises `BackupRefused` for a manifest that cannot be read, for nobody knows how old it is.
    """
    if newest.manifest.absent and not allow_absent:
        return []
    taken_at = newest.manifest.taken_at
    older = [kept for kept in await list_backups(shelf) if kept.manifest.taken_at < taken_at]
    going = older[keep - 1 :]
    for kept in going:
        await retire(shelf, kept)
    return going


async def remove_rested(shelf: ArtifactStore, now: datetime | None = None) -> int:
    """Remove what only backups need that were retired a day ago; how many parts. What breaks off
    is done by the next.

    Raises `BackupRefused` for a manifest that cannot be read, for nobody knows what it needs.
    """
    moment = (now or datetime.now(UTC)) - REST
    rested = {kept.id: kept for kept in await list_retired(shelf, moment)}
    if not rested:
        return 0
    there = await list_backups(shelf)  # before those that rest: one may be retired meanwhile
    resting = [kept for kept in await list_retired(shelf) if kept.id not in rested]
    needed = _parts_of([*there, *resting])
    gone = 0
    for owner, sha256 in each_of(without(_parts_of(rested.values()), needed)):
        gone += await shelf.delete_put_before(owner, sha256, moment)
    for id in rested:
        await shelf.delete(RETIRED, id)
    return gone


async def read_leaving(shelf: ArtifactStore) -> Named:
    """What lies on the shelf for retired backups alone, and may be removed at any moment."""
    there, retired = await list_readable(shelf)
    return without(_parts_of(retired), _parts_of(there))


def _parts_of(backups: Iterable[Kept]) -> Named:
    """Dumps and artifacts."""
    return reduce(joined, map(_parts, backups), NOTHING)


def _parts(kept: Kept) -> Named:
    dump = {DUMPS: frozenset({kept.manifest.dump.sha256})}
    return {**as_named(kept.manifest.artifacts), **dump}
