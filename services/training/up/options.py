"""What `morrow up` can be told."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from shared.postgres import EmbeddedPostgres
from shared.processes.supervised import RestartPolicy

CLI = (sys.executable, "-m", "services.training.cli")


@dataclass(frozen=True, slots=True)
class Commands:
    """The programs that are run; `--fd`, the listening socket's, is added to `serve`."""

    migrate: tuple[str, ...] = (*CLI, "migrate")
    serve: tuple[str, ...] = (*CLI, "serve")
    worker: tuple[str, ...] = (*CLI, "worker")


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Where to listen and to keep data, and how patient to be; all times in seconds.

    `port` 0 is any free one. `workers` counts training children; None leaves it to the worker.
    A child that ends `attempts` times before Morrow was first ready is given up, and so is a
    start that takes longer than `ready_seconds`; after that children are restarted for ever, and
    PostgreSQL until it dies `attempts` times in a row, each soon after its start.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path(".morrow")
    workers: int | None = None
    grace_seconds: float = 30.0
    ready_seconds: float = 120.0
    attempts: int = 5
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    postgres: EmbeddedPostgres = field(default_factory=EmbeddedPostgres)
    commands: Commands = field(default_factory=Commands)
