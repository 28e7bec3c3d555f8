"""Where backups are kept: an artifact store, in which every part lies under its own digest.

`backups/…` are the manifests, `database/…` the dumps, and `<tenant>/…` the artifacts, each kept
once for all the backups that need it. A backup exists once its manifest does, which comes last.
`retired/…` are the manifests of backups that were let go, until their parts have gone as well.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from services.training.backup.copying import EVER
from services.training.backup.errors import BackupRefused
from services.training.backup.manifest import Manifest
from shared.artifacts import ArtifactCorrupt, ArtifactMissing, ArtifactStore

MANIFESTS: Final = "backups"
RETIRED: Final = "retired"
DUMPS: Final = "database"
SHORTEST_ID: Final = 6


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that is there; `id` is its manifest's digest."""

    id: str
    manifest: Manifest


async def keep(shelf: ArtifactStore, manifest: Manifest) -> Kept:
    """From here on the backup exists."""
    return Kept((await shelf.put(MANIFESTS, manifest.to_bytes())).sha256, manifest)


async def list_backups(shelf: ArtifactStore) -> list[Kept]:
    """The newest first. Raises `BackupRefused` for a manifest that is damaged, whose age nobody
    knows."""
    found = [await _read(shelf, MANIFESTS, id) for id in await _ids(shelf, MANIFESTS)]
    return sorted(found, key=lambda kept: kept.manifest.taken_at, reverse=True)


async def retire(shelf: ArtifactStore, kept: Kept) -> None:
    """The backup exists no more; what it needed is told until its parts have gone."""
    await shelf.put(RETIRED, kept.manifest.to_bytes())
    await shelf.delete(MANIFESTS, kept.id)


async def list_retired(shelf: ArtifactStore, before: datetime = EVER) -> list[Kept]:
    """Those that were retired before then. Raises `BackupRefused` for one that is damaged."""
    return [await _read(shelf, RETIRED, id) for id in await _ids(shelf, RETIRED, before)]


async def list_readable(shelf: ArtifactStore) -> tuple[list[Kept], list[Kept]]:
    """The backups that are there, then those that were retired, without any that cannot be read."""
    there, retired = [await _readable(shelf, where) for where in (MANIFESTS, RETIRED)]
    return there, retired


async def find_backup(shelf: ArtifactStore, wanted: str | None) -> Kept:
    """The one whose id begins so, or else the newest. Raises `BackupRefused`."""
    if wanted is None:
        backups = await list_backups(shelf)
        if not backups:
            raise BackupRefused("no_backup", "there is no backup here: `morrow backup` makes one")
        return backups[0]
    matching = [id for id in await _ids(shelf, MANIFESTS) if id.startswith(wanted)]
    if len(wanted) < SHORTEST_ID or len(matching) != 1:
        raise BackupRefused(
            "no_backup",
            f"{len(matching)} backups here begin with {wanted!r}: name one by {SHORTEST_ID} or "
            "more characters of its id; `morrow backups` lists them",
        )
    return await _read(shelf, MANIFESTS, matching[0])


async def _ids(shelf: ArtifactStore, where: str, before: datetime = EVER) -> list[str]:
    return sorted([id async for page in shelf.put_before(where, before) for id in page])


async def _readable(shelf: ArtifactStore, where: str) -> list[Kept]:
    found: list[Kept] = []
    for id in await _ids(shelf, where):
        with suppress(BackupRefused, ArtifactMissing):
            found.append(await _read(shelf, where, id))
    return found


async def _read(shelf: ArtifactStore, where: str, id: str) -> Kept:
    try:
        return Kept(id, Manifest.from_bytes(await shelf.get(where, id)))
    except ArtifactCorrupt as corrupt:
        raise BackupRefused(
            "backup_damaged",
            f"the manifest of backup {id} is damaged: {corrupt}; --backup names another",
        ) from None
    except ValidationError as error:
        raise BackupRefused(
            "backup_unknown",
            f"the manifest of backup {id} is of another release than this one: {error}",
        ) from None
