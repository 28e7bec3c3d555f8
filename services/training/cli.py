"""The `morrow` command: the service's own programs here, what operates and calls them in
`commands/`. Heavy imports wait for the command that needs them."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands import jobs, keys, models, sales, tenants
from services.training.commands.backup import backup, backups
from services.training.commands.demo import demo
from services.training.commands.doctor import doctor
from services.training.commands.forecast import forecast
from services.training.commands.restore import restore
from services.training.commands.sample_upstream import sample_upstream
from services.training.commands.train import train
from shared.logging import configure_logging
from shared.tracing.environment import TracingRefused, header_secrets, tracing

if TYPE_CHECKING:
    from services.training.settings import Settings

app = typer.Typer(
    name="morrow",
    help="Demand forecasting for many tenants: sales in, tomorrow's order out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

STARTUP_FAILURE = 3


@app.command()
def up(
    host: Annotated[str, typer.Option(help="where the API listens")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one", min=0, max=65535)] = 8000,
    data_dir: Annotated[Path, typer.Option(help="database, models and keys")] = Path(".morrow"),
    workers: Annotated[
        int | None, typer.Option(help="training children; default: the cores", min=1, max=256)
    ] = None,
    pg_bindir: Annotated[
        Path | None,
        typer.Option(envvar="MORROW_PG_BINDIR", help="PostgreSQL's programs; default: the wheel's"),
    ] = None,
) -> None:
    """Run everything: PostgreSQL, migrations, API and worker, in one data directory."""
    from services.training.up.options import UpOptions
    from services.training.up.run import run_up
    from shared.postgres import EmbeddedPostgres

    options = UpOptions(
        host=host,
        port=port,
        data_dir=data_dir,
        workers=workers,
        postgres=EmbeddedPostgres(bindir=pg_bindir),
    )
    raise typer.Exit(run_up(options, os.environ))


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    fd: Annotated[int | None, typer.Option(help="an inherited socket that listens already")] = None,
) -> None:
    """Run the API; it refuses a database that does not serve this code, or is not safe."""
    from services.training.app import create_app
    from services.training.serving import server_of
    from shared.collector import short_collections
    from shared.roles import API

    settings = _settings()
    _require_safe_start(settings, API)
    server = server_of(create_app(settings), settings, host, port)
    # uvicorn would take an inherited socket for one of this machine alone, and not turn off Nagle's
    # algorithm: each answer would wait 40 ms for its first packet to be acknowledged.
    with _tracing(API), contextlib.suppress(KeyboardInterrupt), short_collections():
        server.run(None if fd is None else [socket.socket(fileno=fd)])
    if not server.started:
        raise typer.Exit(STARTUP_FAILURE)


@app.command()
def worker() -> None:
    """Run a worker; it drains on SIGTERM, and hands back at once on a second."""
    from services.training.worker import run_worker
    from shared.roles import WORKER

    settings = _settings()
    _require_safe_start(settings, WORKER)
    with _tracing(WORKER):
        asyncio.run(run_worker(settings))


@app.command()
def migrate(
    lock_seconds: Annotated[
        float, typer.Option(help="waits so long for a lock, then gives way", min=0.1, max=30)
    ] = 2.0,
    attempts: Annotated[int, typer.Option(help="before it gives up", min=1, max=1000)] = 30,
    turn_seconds: Annotated[
        float, typer.Option(help="waits so long for another migration", min=0)
    ] = 3600.0,
) -> None:
    """Bring the database to the code's head, beside the traffic of the release before."""
    import migrations

    dsn = _settings().migration_dsn()
    patience = migrations.Patience(
        lock_seconds=lock_seconds, attempts=attempts, turn_seconds=turn_seconds
    )
    stopped = (migrations.MigrationBlocked, migrations.MigrationBusy, migrations.SchemaMismatch)
    try:
        migrations.upgrade(dsn, patience=patience)
    except stopped as why:
        typer.echo(str(why), err=True)
        raise typer.Exit(1) from None


app.command()(demo)
app.command()(doctor)
app.command()(sample_upstream)
app.add_typer(tenants.app, name="tenants")
app.add_typer(keys.app, name="keys")
app.add_typer(sales.app, name="sales")
app.command()(train)
app.add_typer(jobs.app, name="jobs")
app.command()(forecast)
app.add_typer(models.app, name="models")
app.command()(backup)
app.command()(backups)
app.command()(restore)


def _settings() -> "Settings":
    """The settings with logging set up by them; exit 2 naming each variable that is wrong."""
    from services.training.settings import Settings, SettingsRefused

    try:
        settings = Settings.load()
    except SettingsRefused as refused:
        for problem in refused.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(2) from None
    secrets = [*settings.secrets(), *header_secrets(os.environ)]
    configure_logging(settings.log_level, settings.console_logs(), secrets)
    return settings


@contextlib.contextmanager
def _tracing(role: str) -> Iterator[None]:
    """Spans are sent meanwhile, where the environment names a collector; exit 2 for a wrong one."""
    from importlib.metadata import version

    try:
        with tracing(role.replace("_", "-"), version("morrow"), os.environ):
            yield
    except TracingRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(2) from None


def _require_safe_start(settings: "Settings", role: str) -> None:
    from migrations import SchemaMismatch
    from services.training.startup import UnsafeConfiguration, require_safe_start
    from shared.database import DatabaseUnavailable

    try:
        asyncio.run(require_safe_start(settings, role))
    except (SchemaMismatch, UnsafeConfiguration, DatabaseUnavailable) as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    app()


def _end(number: int, _: FrameType | None) -> None:
    """As who does not ask for the signal ends by it. The first process of a container does not:
    one that was told to end while it started would never hear of it, and be killed at its work."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
