"""`morrow doctor`: what is well here, and what is not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.options import DEFAULT_DATA_DIR, AsJson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.table import Table

    from services.training.commands.checks.record import Heads
    from services.training.commands.checks.verdict import Verdict

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def doctor(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="of `morrow up`; default: .morrow, or none if MORROW_DATABASE_URL is set",
        ),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            help="what an earlier `morrow doctor --json` printed, kept elsewhere: the audit log is "
            "held against it",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, keys, database, roles, audit log, sessions, locks, clock, model store and
    children.

    It looks at what `morrow up` would use: the server at MORROW_DATABASE_URL, or the embedded one
    of the data directory, running or not. Exit status 1 if anything failed.
    """
    import os

    from services.training.commands.checks.record import HeadsRefused, read_heads
    from services.training.commands.screen import Screen

    try:
        known = None if heads is None else read_heads(heads)
    except HeadsRefused as refused:
        raise typer.BadParameter(str(refused), param_hint="'--heads'") from None
    screen = Screen(as_json)
    if data_dir is None and not os.environ.get("MORROW_DATABASE_URL"):
        data_dir = DEFAULT_DATA_DIR
    verdicts = examine(data_dir, os.environ, known, screen.say)
    sick = [verdict for verdict in verdicts if verdict.health == "failed"]
    told = f"{len(sick)} of {len(verdicts)} checks failed" if sick else "all is well"
    screen.result(
        {"healthy": not sick, "checks": [verdict.as_json() for verdict in verdicts]},
        *(_table(verdicts), told),
    )
    if sick:
        raise typer.Exit(1)


def examine(
    data_dir: Path | None,
    environ: "Mapping[str, str]",
    known: "Heads | None",
    say: "Callable[[str], None]",
) -> "list[Verdict]":
    """Every verdict, in the order in which one would mend things."""
    import asyncio

    from services.training.commands.checks.database import check_database, skip_database
    from services.training.commands.checks.keys import check_keys
    from services.training.commands.checks.machine import check_children
    from services.training.commands.checks.target import NoDatabase, open_target
    from services.training.commands.checks.verdict import failed
    from shared.postgres.errors import PostgresUnavailable
    from shared.secret_file import SecretRefused

    first = [*_examine_settings(data_dir, environ), *check_keys(data_dir, environ)]
    try:
        with open_target(data_dir or DEFAULT_DATA_DIR, environ) as target:
            database = asyncio.run(check_database(target, known=known, say=say))
    except (NoDatabase, PostgresUnavailable, SecretRefused, OSError) as error:
        database = [failed("database", str(error)), *skip_database("there is no database")]
    return [*first, *database, asyncio.run(check_children())]


def _examine_settings(data_dir: Path | None, environ: "Mapping[str, str]") -> "list[Verdict]":
    """The environment as the programs will read it, and the model store it names."""
    import asyncio

    from services.training.commands.checks.cluster import check_cluster
    from services.training.commands.checks.machine import check_model_store
    from services.training.commands.checks.verdict import failed, skipped, well
    from services.training.settings import Settings, SettingsRefused

    known: dict[str, str] = {}
    if not environ.get("MORROW_DATABASE_URL"):
        known["database_url"] = "postgresql://"  # `morrow up` sets it
    if data_dir is not None and not environ.get("MORROW_MODEL_STORAGE_PATH"):
        known["model_storage_path"] = str(data_dir / "models")
    try:
        settings = Settings.load(**known)
    except SettingsRefused as refused:
        told = "; ".join(refused.problems)
        return [failed("settings", told), skipped("model store", "the settings were refused")]
    found = [
        well("settings", "every MORROW_ variable that is set can be used"),
        asyncio.run(check_model_store(settings)),
    ]
    if settings.ray_address is not None:
        found.append(asyncio.run(check_cluster(settings.ray_address)))
    return found


def _table(verdicts: "list[Verdict]") -> "Table":
    from rich.markup import escape

    from services.training.commands.screen import table

    shown = table("", "check", "finding")
    for verdict in verdicts:
        style = STYLES[verdict.health]
        shown.add_row(
            f"[{style}]{verdict.health}[/]", escape(verdict.check), escape(verdict.message)
        )
    return shown
