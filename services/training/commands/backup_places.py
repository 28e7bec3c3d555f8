"""Which database and which artifacts are backed up or restored, and where backups are kept."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.training.backup.errors import BackupRefused
from services.training.backup.programs import PostgresPrograms
from services.training.backup.rehearsal import Scratch
from services.training.commands.checks.target import NoDatabase, open_target
from services.training.commands.failures import WorkFailed
from services.training.settings import Settings, SettingsRefused
from services.training.up.home import open_home
from shared.artifacts import ArtifactError, ArtifactStore, open_store
from shared.directory_lock import DirectoryLocked
from shared.outage import DatabaseErrors
from shared.postgres import EmbeddedPostgres
from shared.postgres.binaries import find_binaries
from shared.postgres.embedded import SUPERUSER
from shared.postgres.errors import PostgresUnavailable
from shared.roles import MIGRATOR
from shared.secret_file import SecretRefused

MODELS = "MORROW_MODEL_STORAGE_PATH"


@dataclass(frozen=True, slots=True)
class Place:
    """A database, by a login that sees every tenant and one that may change the schema, and the
    address of its artifacts."""

    dsn: str
    migration_dsn: str
    models: str


@contextmanager
def place_to_read(data_dir: Path, environ: Mapping[str, str]) -> Iterator[Place]:
    """The server at MORROW_DATABASE_URL, or the data directory's, running or started for this. To
    be called from the main thread, outside any event loop."""
    if environ.get("MORROW_DATABASE_URL"):
        yield _given()
        return
    with open_target(data_dir, environ) as target:
        yield Place(target.url(SUPERUSER), target.url(MIGRATOR), _models(data_dir, environ))


@contextmanager
def place_to_write(
    data_dir: Path, environ: Mapping[str, str], pg_bindir: Path | None
) -> Iterator[Place]:
    """The same for a restoration: the data directory is made if need be, and held, so that no
    `morrow up` runs in it."""
    if environ.get("MORROW_DATABASE_URL"):
        yield _given()
        return
    with open_home(data_dir) as home, EmbeddedPostgres(pg_bindir).start(home.postgres) as own:
        yield Place(own.url(SUPERUSER), own.url(MIGRATOR), _models(home.path, environ))


@contextmanager
def scratch_server(pg_bindir: Path | None) -> Iterator[Scratch]:
    """An empty database on a server of its own, gone afterwards. To be called from the main thread,
    outside any event loop."""
    postgres = EmbeddedPostgres(pg_bindir, fsync=False)
    with (
        tempfile.TemporaryDirectory(prefix="morrow-rehearsal-") as folder,
        postgres.start(Path(folder)) as server,
    ):
        yield Scratch(server.url(SUPERUSER), server.url(MIGRATOR), programs_in(pg_bindir))


def open_shelf(address: str, *, there: bool) -> ArtifactStore:
    """Where backups are kept: a directory or `s3://bucket/prefix`; `there`: it must be already."""
    if there and "://" not in address and not Path(address).is_dir():
        raise BackupRefused("no_backup", f"{address} is no directory: there is no backup")
    return open_store(address)


def require_elsewhere(address: str, place: Place) -> None:
    """A backup among what it is of would be none."""
    if address.rstrip("/") == place.models.rstrip("/") or _same_directory(address, place.models):
        raise BackupRefused(
            "same_place", f"{address} is the model store itself: keep backups somewhere else"
        )


def programs_in(pg_bindir: Path | None) -> PostgresPrograms:
    """Those in the given folder, which needs no server beside them, or those of a wheel or the
    system."""
    return PostgresPrograms(pg_bindir or find_binaries().folder)


@contextmanager
def told_as_failures() -> Iterator[None]:
    """What may go wrong, as work that failed: exit status 1, and nothing secret in its words."""
    try:
        yield
    except BackupRefused as refused:
        raise WorkFailed(refused.code, str(refused)) from None
    except ArtifactError as error:
        raise WorkFailed("store_failed", str(error)) from None
    except DatabaseErrors as error:
        told = str(error) or type(error).__name__
        raise WorkFailed("database_failed", f"the database failed: {told}") from None
    except SettingsRefused as refused:
        raise WorkFailed("settings_refused", "; ".join(refused.problems)) from None
    except (NoDatabase, PostgresUnavailable, SecretRefused, DirectoryLocked) as error:
        raise WorkFailed("no_database", str(error)) from None
    except OSError as error:
        raise WorkFailed("file_refused", str(error)) from None


def _given() -> Place:
    settings = Settings.load()
    return Place(settings.backup_dsn(), settings.migration_dsn(), str(settings.model_root()))


def _models(data_dir: Path, environ: Mapping[str, str]) -> str:
    return environ.get(MODELS) or str(data_dir / "models")


def _same_directory(address: str, models: str) -> bool:
    return "://" not in address + models and os.path.realpath(address) == os.path.realpath(models)
