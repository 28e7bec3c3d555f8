"""Restoring a backup for practice: what was never restored is no backup yet."""

import asyncio
from dataclasses import dataclass

import migrations
from services.training.backup.programs import PostgresPrograms
from services.training.backup.progress import Report, Stage, counting
from services.training.backup.restore import (
    check_artifacts,
    fetched_dump,
    require_known,
    require_sameness,
)
from services.training.backup.shelf import Kept
from services.training.backup.snapshot import open_engine
from shared.artifacts import ArtifactStore


@dataclass(frozen=True, slots=True)
class Scratch:
    """An empty database that is thrown away: `dsn` sees every tenant, `migration_dsn` may change
    the schema."""

    dsn: str
    migration_dsn: str
    programs: PostgresPrograms


async def rehearse(kept: Kept, shelf: ArtifactStore, scratch: Scratch, report: Report) -> None:
    """Restore the database into `scratch`, count its rows, see that it names only artifacts of the
    backup, read every one of these, and bring the schema to this release's.

    Raises `BackupRefused` for what would fail of a restoration, and errors of the database.
    """
    manifest = kept.manifest
    await require_known(manifest)
    await check_artifacts(kept, shelf, report)
    async with open_engine(scratch.dsn) as engine, fetched_dump(kept, shelf) as dump:
        await asyncio.to_thread(migrations.upgrade, scratch.migration_dsn, manifest.revision)
        on_table = counting(report, Stage.DATABASE, len(manifest.rows))
        await scratch.programs.restore(scratch.migration_dsn, dump, on_table)
        await require_sameness(engine, manifest)
        await asyncio.to_thread(migrations.upgrade, scratch.migration_dsn)
