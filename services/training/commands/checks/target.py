"""The database that is examined: a given one, or that of a data directory, running or not."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from services.training.startup import ADDRESS, DIRECT
from shared.directory_lock import DirectoryLocked
from shared.postgres import EmbeddedPostgres
from shared.postgres.embedded import DATABASE
from shared.postgres.identity import CLUSTER
from shared.roles import API, WORKER
from shared.secret_file import kept_secret

SERVICE_ROLES = (API, WORKER)

PORT_LINE, SOCKET_LINE = 3, 4  # of postmaster.pid, from 0


class NoDatabase(Exception):
    """There is nothing to examine."""


@dataclass(frozen=True, slots=True)
class Target:
    """`url` gives the DSN of each of the `roles`; `told` says in words which database it is.

    `direct` is the DSN past a pooler, where one was given, and `pooler` what was told of it.
    """

    told: str
    url: Callable[[str], str]
    roles: tuple[str, ...] = SERVICE_ROLES
    direct: str | None = None
    pooler: str = "none"

    def direct_url(self, role: str) -> str:
        return self.direct or self.url(role)

    def addresses(self, role: str) -> dict[str, str]:
        """The DSNs, by the variables that name them."""
        named = {ADDRESS: self.url(role)}
        return named if self.direct is None else {**named, DIRECT: self.direct}


@contextmanager
def open_target(data_dir: Path, environ: Mapping[str, str]) -> Iterator[Target]:
    """The database as `morrow up` would choose it, started for the time being if need be.

    To be called from the main thread, outside any event loop. Raises NoDatabase,
    PostgresUnavailable and SecretRefused.
    """
    given = environ.get("MORROW_DATABASE_URL")
    if given:
        yield Target(
            "the server at MORROW_DATABASE_URL",
            lambda role: given,
            _roles_of(given),
            direct=environ.get(DIRECT),
            pooler=environ.get("MORROW_DB_POOLER", "none"),
        )
        return
    home = data_dir / "postgres"
    if not (home / CLUSTER).exists():
        raise NoDatabase(
            f"MORROW_DATABASE_URL is not set and {data_dir} holds no database: set the variable, "
            f"or make one with `morrow up --data-dir {data_dir}`"
        )
    try:
        own = EmbeddedPostgres().start(home)
    except DirectoryLocked as locked:
        yield _running_elsewhere(home, locked)
        return
    with own:
        yield Target(f"the embedded PostgreSQL of {data_dir}, started for this", own.url)


def _roles_of(dsn: str) -> tuple[str, ...]:
    """A service role's own login acts as nothing else; any other steps down to both."""
    login = make_url(dsn).username
    return (login,) if login in SERVICE_ROLES else SERVICE_ROLES


def _running_elsewhere(home: Path, locked: DirectoryLocked) -> Target:
    """The server that another process runs in `home`, by the address it has written down."""
    try:
        lines = (home / CLUSTER / "postmaster.pid").read_text().split("\n")
        port, socket = lines[PORT_LINE], lines[SOCKET_LINE]
    except (OSError, IndexError) as error:
        raise NoDatabase(f"{locked}, which runs no PostgreSQL there yet ({error})") from None

    def url(role: str) -> str:
        password = kept_secret(home / "secrets" / role)
        where = f"host={quote(socket, safe='/')}&port={port}"
        return f"postgresql://{role}:{password}@/{DATABASE}?{where}"

    return Target(f"the running PostgreSQL of {home.parent}", url)
