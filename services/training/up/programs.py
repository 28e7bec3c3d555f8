"""The programs of `morrow up`, each with exactly the environment it needs."""

from collections.abc import Mapping
from socket import socket

from services.training.up.database import Database
from services.training.up.home import Home
from services.training.up.options import UpOptions
from shared.processes.supervised import Program
from shared.roles import API, MIGRATOR, WORKER
from shared.secret_file import kept_secret

NOT_INHERITED = (
    "MORROW_DATABASE_URL",
    "MORROW_MIGRATION_DATABASE_URL",
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
    given = environ.get("MORROW_OPERATOR_KEY")
    env = _env(options, environ, home) | {
        "MORROW_DATABASE_URL": database.url(API),
        "MORROW_OPERATOR_KEY": given or kept_secret(home.operator_key),
        **_sealing_key(environ, home),
    }
    inherited = listening.fileno()
    command = (*options.commands.serve, "--fd", str(inherited))
    return Program("serve", command, env, pass_fds=(inherited,))


def worker_program(
    options: UpOptions, environ: Mapping[str, str], home: Home, database: Database
) -> Program:
    env = _env(options, environ, home) | {
        "MORROW_DATABASE_URL": database.url(WORKER),
        **_sealing_key(environ, home),
    }
    return Program("worker", options.commands.worker, env)


def _sealing_key(environ: Mapping[str, str], home: Home) -> dict[str, str]:
    """What the API seals with and the worker opens with."""
    given = environ.get("MORROW_SEALING_KEY")
    return {"MORROW_SEALING_KEY": given or kept_secret(home.sealing_key)}


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
