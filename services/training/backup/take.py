"""Taking a backup while Morrow works on.

The dump is of one snapshot, and the artifacts are those that this snapshot names. Nothing holds up
whoever deletes artifacts meanwhile; rather, one that is gone before it was copied has been unnamed
after the snapshot, which is then taken anew. Most was copied before the first, so few are at stake.
"""

import asyncio
import hashlib
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.backup.copying import chunks_of, copy_named, names_in
from services.training.backup.errors import BackupRefused
from services.training.backup.manifest import (
    Dump,
    Manifest,
    Named,
    as_listed,
    count_of,
    joined,
    without,
)
from services.training.backup.programs import PostgresPrograms
from services.training.backup.progress import Report, Stage, counting
from services.training.backup.retention import LONGEST, read_leaving
from services.training.backup.shelf import DUMPS, Kept, keep
from services.training.backup.snapshot import (
    Snapshot,
    is_migrated,
    open_engine,
    open_snapshot,
    read_all_named,
)
from shared.artifacts import ArtifactStore

ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up: the database, by a login that sees every tenant, and its artifacts."""

    dsn: str
    artifacts: ArtifactStore
    programs: PostgresPrograms
    release: str


async def take_backup(
    source: Source,
    shelf: ArtifactStore,
    report: Report,
    *,
    trusting: bool = False,
    longest: timedelta = LONGEST,
) -> Kept:
    """Everything the database names is on the shelf when the manifest is; what was nowhere to be
    had is `absent` there. Unless `trusting`, what the shelf holds already is read once more, and
    replaced where it is damaged.

    Raises `BackupRefused`, as after `longest`, `ArtifactError`, and errors of the database.
    """
    deadline = time.monotonic() + longest.total_seconds()
    leaving = await read_leaving(shelf)
    async with open_engine(source.dsn) as engine:
        await _require_migrated(engine)
        named = await read_all_named(engine)
        there = without(await names_in(shelf, named), leaving) if trusting else {}
        copier = _Copier(source.artifacts, shelf, report, leaving, there)
        await copier.copy(named)
        for _ in range(ROUNDS):
            snapshot, dump = await _dump(engine, source, shelf, report)
            absent = await _copy_all_of(snapshot.named, engine, copier)
            if absent is not None:
                _require_in_time(deadline)
                return await keep(shelf, _manifest(source, snapshot, dump, absent))
    raise BackupRefused(
        "artifacts_moving",
        f"artifacts were deleted while they were copied, {ROUNDS} times in a row: try again",
    )


async def _require_migrated(engine: AsyncEngine) -> None:
    if not await is_migrated(engine):
        raise BackupRefused(
            "nothing_there", "the database was never migrated: there is nothing to back up"
        )


def _require_in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise BackupRefused(
            "too_slow",
            "what was there when this backup began may have been let go since: try again, what was "
            "copied is not copied again",
        )


@dataclass(slots=True)
class _Copier:
    """Copies nothing twice."""

    source: ArtifactStore
    shelf: ArtifactStore
    report: Report
    leaving: Named
    there: Named

    async def copy(self, named: Named) -> Named:
        """What the source lacks of it."""
        wanted = without(named, self.there)
        lacking = await copy_named(self.source, self.shelf, wanted, self.report, self.leaving)
        self.there = joined(self.there, without(wanted, lacking))
        return lacking


async def _copy_all_of(named: Named, engine: AsyncEngine, copier: _Copier) -> Named | None:
    """What is absent of that which the dump names; None where the dump has to be taken anew."""
    lacking = await copier.copy(named)
    if not count_of(lacking):
        return lacking
    if count_of(without(lacking, await read_all_named(engine))):
        return None
    # Named by rows that nobody has deleted: put again meanwhile, or lost.
    return await copier.copy(lacking)


async def _dump(
    engine: AsyncEngine, source: Source, shelf: ArtifactStore, report: Report
) -> tuple[Snapshot, Dump]:
    with tempfile.TemporaryDirectory(prefix="morrow-backup-") as folder:
        file = Path(folder) / "database.dump"
        async with open_snapshot(engine) as snapshot:
            on_table = counting(report, Stage.DATABASE, len(snapshot.contents.rows))
            await source.programs.dump(source.dsn, snapshot.id, file, on_table)
        with file.open("rb") as dump:
            sha256 = (await asyncio.to_thread(hashlib.file_digest, dump, "sha256")).hexdigest()
            dump.seek(0)
            kept = await shelf.put_stream(DUMPS, chunks_of(dump), sha256)
    return snapshot, Dump(sha256=kept.sha256, bytes=kept.bytes)


def _manifest(source: Source, snapshot: Snapshot, dump: Dump, absent: Named) -> Manifest:
    assert snapshot.contents.revision is not None, "it was migrated when the backup began"
    return Manifest(
        taken_at=snapshot.taken_at,
        release=source.release,
        revision=snapshot.contents.revision,
        dump=dump,
        rows=snapshot.contents.rows,
        artifacts=as_listed(snapshot.named),
        absent=as_listed(absent),
    )
