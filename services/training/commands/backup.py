"""`morrow backup`: the database and its artifacts, copied elsewhere; `morrow backups` lists what is
there."""

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
    from services.training.commands.backup_places import Place
    from services.training.commands.screen import Screen

Keep = Annotated[
    int | None,
    typer.Option("--keep", min=1, help="let go of older backups, once this one is verified"),
]


def backup(
    place: BackupPlace,
    data_dir: MorrowDataDir = DEFAULT_DATA_DIR,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="do not read again what earlier backups brought there"),
    ] = False,
    allow_absent: Annotated[
        bool,
        typer.Option(
            "--allow-absent", help="end with 0 though artifacts the database names are lost"
        ),
    ] = False,
    keep: Keep = None,
    pg_bindir: PgBindir = None,
    as_json: AsJson = False,
) -> None:
    """Back up the database and the artifacts it names, while Morrow works on.

    Artifacts that are there already are not copied again, and a backup that broke off goes on where
    it was. Not in it: keys (operator.key, sealing.key) and what waits in the spool.
    """
    import os

    from services.training.backup.manifest import as_named, count_of
    from services.training.commands.backup_places import place_to_read, told_as_failures
    from services.training.commands.screen import screen
    from services.training.commands.stopping import stopped_by_signals

    with screen(as_json) as shown, stopped_by_signals(), told_as_failures():
        with place_to_read(data_dir, os.environ) as whence:
            kept = _take(whence, place, quick, pg_bindir, shown)
        told = _as_json(kept)
        if keep is not None:
            told["let_go"] = _let_go(kept, place, keep, allow_absent, pg_bindir, shown)
        shown.result(told, _told(kept))
        absent = count_of(as_named(kept.manifest.absent))
        if absent:
            shown.say(f"absent: {absent} artifacts that the database names are in no store")
    if absent and not allow_absent:
        raise typer.Exit(1)


def backups(place: BackupPlace, as_json: AsJson = False) -> None:
    """List the backups that are there, the newest first."""
    import asyncio

    from services.training.backup.shelf import list_backups
    from services.training.commands.backup_places import open_shelf, told_as_failures
    from services.training.commands.screen import screen, table

    with screen(as_json) as shown, told_as_failures():
        found = asyncio.run(list_backups(open_shelf(place, there=True)))
        listed = table("id", "taken", "release", "tenants", "artifacts", "absent")
        for kept in map(_as_json, found):
            listed.add_row(
                *(str(kept["backup"]), str(kept["taken_at"]), str(kept["release"])),
                *(str(kept["tenants"]), str(kept["artifacts"]), str(kept["absent"])),
            )
        shown.result([_as_json(kept) for kept in found], listed)


def _take(whence: "Place", place: str, quick: bool, pg_bindir: PgBindir, shown: "Screen") -> "Kept":
    import asyncio
    from importlib.metadata import version

    from services.training.backup.take import Source, take_backup
    from services.training.commands.backup_bars import stage_bars
    from services.training.commands.backup_places import (
        open_shelf,
        programs_in,
        require_elsewhere,
    )
    from shared.artifacts import open_store

    require_elsewhere(place, whence)
    programs, release = programs_in(pg_bindir), version("morrow")
    source = Source(whence.dsn, open_store(whence.models), programs, release)
    shelf = open_shelf(place, there=False)
    with stage_bars(shown) as report:
        return asyncio.run(take_backup(source, shelf, report, trusting=quick))


def _let_go(
    kept: "Kept",
    place: str,
    keep: int,
    allow_absent: bool,
    pg_bindir: PgBindir,
    shown: "Screen",
) -> list[str]:
    import asyncio

    from services.training.backup.errors import BackupRefused
    from services.training.backup.restore import check_backup
    from services.training.backup.retention import let_go, remove_rested
    from services.training.commands.backup_bars import stage_bars
    from services.training.commands.backup_places import open_shelf, programs_in

    async def verify_and_let_go() -> list[str]:
        with stage_bars(shown) as report:
            await check_backup(kept, shelf, programs_in(pg_bindir), report)
        gone = await let_go(shelf, kept, keep, allow_absent=allow_absent)
        await remove_rested(shelf)
        return [old.id for old in gone]

    shelf = open_shelf(place, there=True)
    try:
        going = asyncio.run(verify_and_let_go())
    except BackupRefused as refused:
        told = f"backup {kept.id} was taken, and no other was let go: {refused}"
        raise BackupRefused(refused.code, told) from None
    for id in going:
        shown.say(f"let go: backup {id}")
    return going


def _as_json(kept: "Kept") -> dict[str, object]:
    from services.training.backup.manifest import count_of

    manifest = kept.manifest
    return {
        "backup": kept.id,
        "taken_at": manifest.taken_at.isoformat(),
        "release": manifest.release,
        "revision": manifest.revision,
        "tenants": manifest.rows.get("tenants", 0),
        "rows": sum(manifest.rows.values()),
        "dump_bytes": manifest.dump.bytes,
        "artifacts": count_of(manifest.kept()),
        "absent": sum(map(len, manifest.absent.values())),
    }


def _told(kept: "Kept") -> str:
    told = _as_json(kept)
    return (
        f"backup {kept.id}: {told['rows']} rows of {told['tenants']} tenants, "
        f"{told['artifacts']} artifacts"
    )
