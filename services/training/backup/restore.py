"""Bringing a backup back.

Everything is read and verified, and the artifacts are put in their store, before the database is
touched; that happens in one transaction. So a backup that is damaged anywhere changes nothing, and
neither does a restoration that breaks off: artifacts that nothing names yet do no harm.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from services.training.backup.copying import copy_named, is_intact, look_at_each
from services.training.backup.errors import BackupRefused
from services.training.backup.manifest import (
    Manifest,
    Named,
    as_listed,
    as_named,
    count_of,
    without,
)
from services.training.backup.programs import PostgresPrograms
from services.training.backup.progress import Report, Stage, counting
from services.training.backup.shelf import DUMPS, Kept
from services.training.backup.snapshot import (
    Contents,
    open_engine,
    read_all_named,
    read_contents,
    read_sessions,
)
from shared.artifacts import ArtifactCorrupt, ArtifactMissing, ArtifactStore

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup is brought back to: `dsn` sees every tenant, `migration_dsn` may change the
    schema."""

    dsn: str
    migration_dsn: str
    artifacts: ArtifactStore
    programs: PostgresPrograms


async def check_backup(
    kept: Kept, shelf: ArtifactStore, programs: PostgresPrograms, report: Report
) -> None:
    """Read all of it. Raises `BackupRefused` for what is missing or damaged."""
    async with fetched_dump(kept, shelf) as dump:
        await programs.entries(dump)
    await check_artifacts(kept, shelf, report)


async def check_artifacts(kept: Kept, shelf: ArtifactStore, report: Report) -> None:
    """Read them all. Raises `BackupRefused` for any that is missing or damaged."""

    async def look(owner: str, sha256: str) -> bool:
        return await is_intact(shelf, owner, sha256)

    require_whole(kept, await look_at_each(kept.manifest.kept(), look, report))


async def restore_backup(
    kept: Kept, shelf: ArtifactStore, target: Target, report: Report, *, force: bool = False
) -> None:
    """Put the database and the artifacts back as they were; `force` where the database holds
    anything, which is then replaced.

    Raises `BackupRefused`, and nothing is changed but artifacts added; `ArtifactError`, and errors
    of the database.
    """
    async with open_engine(target.dsn) as engine:
        await require_known(kept.manifest)
        await _require_room(engine, force)
        async with fetched_dump(kept, shelf) as dump:
            await target.programs.entries(dump)
            lacking = await copy_named(shelf, target.artifacts, kept.manifest.kept(), report)
            require_whole(kept, lacking)
            await _require_revision(engine, target, kept.manifest)
            on_table = counting(report, Stage.DATABASE, len(kept.manifest.rows))
            await target.programs.restore(target.migration_dsn, dump, on_table)
        await require_sameness(engine, kept.manifest)


async def _require_room(engine: AsyncEngine, force: bool) -> None:
    held = await read_contents(engine)
    if held.count and not force:
        raise BackupRefused(
            "database_not_empty",
            f"the database holds {held.count} rows, {held.rows.get('tenants', 0)} of them tenants: "
            "restore into an empty one, or replace all of it with --force",
        )
    sessions = await read_sessions(engine)
    if sessions:
        raise BackupRefused(
            "database_in_use",
            f"{', '.join(sessions)} have sessions in the database: stop every API and worker first",
        )


async def require_known(manifest: Manifest) -> None:
    known = await asyncio.to_thread(migrations.known_revisions)
    if manifest.revision not in known:
        raise BackupRefused(
            "revision_unknown",
            f"the backup is of revision {manifest.revision}, made by release {manifest.release}, "
            f"and this release knows {', '.join(sorted(known))}: restore with that one",
        )


async def _require_revision(engine: AsyncEngine, target: Target, manifest: Manifest) -> None:
    """Bring the schema to where it was: a database without one gets one, an older one a newer."""
    held = await read_contents(engine)
    known = await asyncio.to_thread(migrations.known_revisions)
    if held.revision is None or held.revision in known:
        await asyncio.to_thread(migrations.upgrade, target.migration_dsn, manifest.revision)
        held = await read_contents(engine)
    if held.revision != manifest.revision:
        raise BackupRefused(
            "revision_ahead",
            f"the database is at {held.revision}, ahead of the backup ({manifest.revision}): "
            "restore into an empty database, and migrate that",
        )


async def require_sameness(engine: AsyncEngine, manifest: Manifest) -> None:
    """What came back is what was dumped, by counting, and names nothing that did not come back."""
    found = await read_contents(engine)
    if found != Contents(manifest.revision, manifest.rows):
        differing = sorted(dict(found.rows.items() ^ manifest.rows.items()))
        raise BackupRefused(
            "restored_otherwise", f"not as many rows came back as were dumped: {differing}"
        )
    unnamed = without(await read_all_named(engine), as_named(manifest.artifacts))
    if count_of(unnamed):
        raise BackupRefused(
            "restored_otherwise", f"the dump names what the manifest does not: {_examples(unnamed)}"
        )


@asynccontextmanager
async def fetched_dump(kept: Kept, shelf: ArtifactStore) -> AsyncIterator[Path]:
    """A private file with the dump, verified."""
    with tempfile.TemporaryDirectory(prefix="morrow-restore-") as folder:
        file = Path(folder) / "database.dump"
        try:
            async with shelf.open(DUMPS, kept.manifest.dump.sha256) as dump:
                with file.open("wb") as out:
                    await asyncio.to_thread(shutil.copyfileobj, dump, out)
        except (ArtifactMissing, ArtifactCorrupt) as error:
            raise BackupRefused(
                "backup_damaged", f"the dump of backup {kept.id} is damaged: {error}"
            ) from None
        yield file


def require_whole(kept: Kept, lacking: Named) -> None:
    if count_of(lacking):
        raise BackupRefused(
            "backup_damaged",
            f"{count_of(lacking)} artifacts of backup {kept.id} are missing or damaged: "
            f"{_examples(lacking)}; a new backup into the same place mends those that still exist",
        )


def _examples(named: Named) -> str:
    listed = [f"{owner}/{sha256}" for owner, all in as_listed(named).items() for sha256 in all]
    more = len(listed) - EXAMPLES
    return ", ".join(listed[:EXAMPLES]) + (f" and {more} more" if more > 0 else "")
