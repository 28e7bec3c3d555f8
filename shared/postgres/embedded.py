"""A real PostgreSQL of one's own: made, started, stopped and restarted in one directory.

data_dir/lock           held while a server runs
data_dir/cluster/       PostgreSQL's own files
data_dir/secrets/       one password a role, 0600
data_dir/run/           the socket, 0700
data_dir/postgres.log   what the server says, and postgres.log.1 before it grew too large
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote

from shared.directory_lock import DirectoryLock, lock_directory
from shared.postgres.binaries import find_binaries
from shared.postgres.bootstrap import bootstrap
from shared.postgres.cluster import ensure_cluster
from shared.postgres.identity import CLUSTER, admit, hand_over, serving_identity
from shared.postgres.orphans import end_orphans
from shared.postgres.server import (
    NOT_DURABLE,
    SMALL_MACHINE,
    log_tail,
    start_server,
    stop_server,
    wait_until_ready,
)
from shared.postgres.socket import PORT, make_socket_directory
from shared.roles import LOGIN_ROLES
from shared.secret_file import kept_secret

SUPERUSER = "postgres"
DATABASE = "morrow"


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """How to run a PostgreSQL; `start` runs one.

    `bindir` is the folder with `initdb` and `postgres` (None: find them). `fsync=False` is for
    tests: a crash of the machine may cost the data. `user_namespace` and `fallback_user` say how
    root starts it: in a user namespace if wanted and allowed, else as that user. `short_root` is
    where the socket goes when the data directory's path is too long for one. `settings` override
    those for a small machine.
    """

    bindir: Path | None = None
    fsync: bool = True
    user_namespace: bool = True
    fallback_user: str = "nobody"
    short_root: Path = Path("/tmp")  # noqa: S108 - what is made there is private
    start_seconds: float = 120
    stop_seconds: float = 30
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self, data_dir: Path) -> "RunningPostgres":
        """Start the server of `data_dir`, made if need be, with Morrow's roles and database.

        To be called from the main thread (the server dies with it) and outside any event loop.
        What a killed parent left running there is ended first. Raises DirectoryLocked while
        another process runs a server there, SecretRefused, and otherwise a PostgresUnavailable.
        """
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = lock_directory(data_dir)
        try:
            return _start(self, data_dir.resolve(), lock)
        except BaseException:
            lock.release()
            raise


@dataclass(frozen=True, slots=True)
class RunningPostgres:
    """A server that accepts connections; as a context manager it is stopped at the end."""

    data_dir: Path
    socket_directory: Path
    log: Path
    server: subprocess.Popen[bytes]
    passwords: Mapping[str, str] = field(repr=False)
    stop_seconds: float
    lock: DirectoryLock

    def url(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """The DSN of a role: `postgresql://role:password@/database?host=/socket/dir&port=5432`."""
        password = self.passwords[role]
        host = quote(str(self.socket_directory), safe="/")
        return f"postgresql://{role}:{password}@/{quote(database)}?host={host}&port={PORT}"

    def last_lines(self) -> str:
        """The last the server said."""
        return log_tail(self.log)

    def stop(self) -> None:
        """End it by a fast shutdown and let go of the data directory; twice is no error."""
        if self.lock.released:
            return
        stop_server(self.server, seconds=self.stop_seconds)
        shutil.rmtree(self.socket_directory)
        self.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _start(config: EmbeddedPostgres, data_dir: Path, lock: DirectoryLock) -> RunningPostgres:
    binaries = find_binaries(config.bindir)
    cluster = data_dir / CLUSTER
    end_orphans(cluster)
    identity = serving_identity(
        cluster, user_namespace=config.user_namespace, fallback_user=config.fallback_user
    )
    admit(identity, data_dir)
    passwords = _passwords(data_dir / "secrets")
    ensure_cluster(
        data_dir,
        binaries,
        identity,
        superuser=SUPERUSER,
        password=passwords[SUPERUSER],
        sync=config.fsync,
    )
    socket_directory = make_socket_directory(data_dir, config.short_root)
    hand_over(socket_directory, identity)
    log = data_dir / "postgres.log"
    server = start_server(
        cluster,
        binaries,
        identity,
        socket_directory=socket_directory,
        settings={**SMALL_MACHINE, **({} if config.fsync else NOT_DURABLE), **config.settings},
        log=log,
    )
    running = RunningPostgres(
        data_dir, socket_directory, log, server, passwords, config.stop_seconds, lock
    )
    try:
        wait_until_ready(server, cluster, seconds=config.start_seconds, log=log)
        bootstrap(
            running.url(database="postgres"),
            DATABASE,
            {role: passwords[role] for role in LOGIN_ROLES},
        )
    except BaseException:
        stop_server(server, seconds=config.stop_seconds)
        raise
    return running


def _passwords(folder: Path) -> Mapping[str, str]:
    folder.mkdir(mode=0o700, exist_ok=True)
    return {role: kept_secret(folder / role) for role in (SUPERUSER, *LOGIN_ROLES)}
