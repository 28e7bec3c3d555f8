"""`morrow restore`: a backup, brought back."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.options import (
    DEFAULT_DATA_DIR,
    AsJson,
    BackupPlace,
    MorrowDataDir,
    PgBindir,
)

if TYPE_CHECKING:
    from services.training.backup.shelf import Kept
    from services.training.commands.screen import Screen
    from shared.artifacts import ArtifactStore


def restore(
    place: BackupPlace,
    backup: Annotated[
        str | None, typer.Option("--backup", help="its id, or how it begins; default: the newest")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="read and verify all of it, and restore nothing")
    ] = False,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse",
            help="restore it into a server started for this and thrown away, and verify all of it",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="replace all that the database holds")
    ] = False,
    data_dir: MorrowDataDir = DEFAULT_DATA_DIR,
    pg_bindir: PgBindir = None,
    as_json: AsJson = False,
) -> None:
    """Restore the database and the artifacts of a backup, once all of it is verified.

    A backup that is damaged anywhere changes nothing. Stop the API and the workers first.
    """
    import asyncio

    from services.training.backup.shelf import find_backup
    from services.training.commands.backup_places import open_shelf, told_as_failures
    from services.training.commands.screen import screen
    from services.training.commands.stopping import stopped_by_signals

    with screen(as_json) as shown, stopped_by_signals(), told_as_failures():
        shelf = open_shelf(place, there=True)
        kept = asyncio.run(find_backup(shelf, backup))
        if rehearse:
            _rehearse(kept, shelf, pg_bindir, shown)
        elif check:
            _check(kept, shelf, pg_bindir, shown)
        else:
            _restore(kept, shelf, data_dir, pg_bindir, force, shown)
        _tell(kept, check or rehearse, rehearse, shown)


def _tell(kept: "Kept", checked: bool, rehearsed: bool, shown: "Screen") -> None:
    manifest = kept.manifest
    can_be = "can be restored" if rehearsed else "is whole"
    shown.result(
        {
            "backup": kept.id,
            "taken_at": manifest.taken_at.isoformat(),
            "checked": checked,
            "rehearsed": rehearsed,
            "restored": not checked,
            "absent": manifest.absent,
        },
        f"backup {kept.id} of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC "
        f"{can_be if checked else 'is restored'}",
    )
    if manifest.absent:
        count = sum(map(len, manifest.absent.values()))
        shown.say(f"absent: {count} artifacts were lost before it was taken")


def _rehearse(kept: "Kept", shelf: "ArtifactStore", pg_bindir: PgBindir, shown: "Screen") -> None:
    import asyncio

    from services.training.backup.rehearsal import rehearse
    from services.training.commands.backup_bars import stage_bars
    from services.training.commands.backup_places import scratch_server

    with scratch_server(pg_bindir) as scratch, stage_bars(shown) as report:
        asyncio.run(rehearse(kept, shelf, scratch, report))


def _check(kept: "Kept", shelf: "ArtifactStore", pg_bindir: PgBindir, shown: "Screen") -> None:
    import asyncio

    from services.training.backup.restore import check_backup
    from services.training.commands.backup_bars import stage_bars
    from services.training.commands.backup_places import programs_in

    with stage_bars(shown) as report:
        asyncio.run(check_backup(kept, shelf, programs_in(pg_bindir), report))


def _restore(
    kept: "Kept",
    shelf: "ArtifactStore",
    data_dir: MorrowDataDir,
    pg_bindir: PgBindir,
    force: bool,
    shown: "Screen",
) -> None:
    import asyncio
    import os

    from services.training.backup.restore import Target, restore_backup
    from services.training.commands.backup_bars import stage_bars
    from services.training.commands.backup_places import place_to_write, programs_in
    from shared.artifacts import open_store

    with place_to_write(data_dir, os.environ, pg_bindir) as where, stage_bars(shown) as report:
        target = Target(
            where.dsn, where.migration_dsn, open_store(where.models), programs_in(pg_bindir)
        )
        asyncio.run(restore_backup(kept, shelf, target, report, force=force))
