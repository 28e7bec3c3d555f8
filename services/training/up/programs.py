"""The programs of `morrow up`, each with exactly the environment it needs."""

from collections.abc import Mapping
from pathlib import Path
from socket import socket

from services.training.up.database import Database
from services.training.up.home import Home
from services.training.up.options import UpOptions
from shared.key_strength import weakness
from shared.processes.supervised import Program
from shared.roles import API, MIGRATOR, WORKER
from shared.secret_file import SecretRefused, kept_secret

NOT_INHERITED = (
    "MORROW_DATABASE_URL",
    "MORROW_DIRECT_DATABASE_URL",
    "MORROW_DB_POOLER",
    "MORROW_MIGRATION_DATABASE_URL",
    "MORROW_BACKUP_DATABASE_URL",
    "MORROW_OPERATOR_KEY",
    "MORROW_SEALING_KEY",
    "MORROW_METRICS_PORT",  # the supervisor serves the metrics of all
)


def migrate_program(
    options: UpOptions, environ: Mapping[str, str], home: Home, database: Database
) -> Program:
    env = _env(options, environ, home) | {"MORROW_DATABASE_URL": database.url(MIGRATOR)}
    return Program("migrate", options.commands.migrate, env)


def serve_program(
    options: UpOptions,
    environ: Mapping[str, str],
    home: Home,
    database: Database,
    listening: socket,
) -> Program:
    """The API; it alone gets the operator key, made and kept if none was given."""
    env = _env(options, environ, home) | {
        "MORROW_DATABASE_URL": database.url(API),
        **database.beside(),
        **_key("MORROW_OPERATOR_KEY", environ, home.operator_key),
        **_key("MORROW_SEALING_KEY", environ, home.sealing_key),
    }
    inherited = listening.fileno()
    command = (*options.commands.serve, "--fd", str(inherited))
    return Program("serve", command, env, pass_fds=(inherited,))


def worker_program(
    options: UpOptions, environ: Mapping[str, str], home: Home, database: Database
) -> Program:
    env = _env(options, environ, home) | {
        "MORROW_DATABASE_URL": database.url(WORKER),
        **database.beside(),
        **_key("MORROW_SEALING_KEY", environ, home.sealing_key),
    }
    return Program("worker", options.commands.worker, env)


def _key(name: str, environ: Mapping[str, str], kept: Path) -> dict[str, str]:
    """The key that was given, or else the one kept in a file. Raises SecretRefused for one that
    others may read, or guess."""
    given = environ.get(name)
    key = given or kept_secret(kept)
    if (fault := weakness(key)) is not None:
        raise SecretRefused(f"{name if given else kept}: {fault}")
    return {name: key}


def _env(options: UpOptions, environ: Mapping[str, str], home: Home) -> dict[str, str]:
    inherited = {name: value for name, value in environ.items() if name not in NOT_INHERITED}
    workers = {} if options.workers is None else {"MORROW_WORKERS": str(options.workers)}
    return {
        "MORROW_MODEL_STORAGE_PATH": str(home.models),
        "MORROW_SPOOL_PATH": str(home.spool),
        **inherited,
        **workers,
        "PROMETHEUS_MULTIPROC_DIR": str(home.metrics),
        "PYTHONUNBUFFERED": "1",
    }
