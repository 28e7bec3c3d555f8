"""A real PgBouncer in transaction mode before a test's server.

The program of this machine, or Debian's package unpacked beside pytest's cache. Where neither can
be had the test is skipped; whatever else goes wrong fails it.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from shared.postgres import RunningPostgres
from shared.postgres.identity import serving_identity
from shared.postgres.socket import PORT as SERVER_PORT
from shared.processes.mortal import start_mortal
from shared.roles import API, WORKER

PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
PORT = 6432
PATIENCE_SECONDS = 20.0
CONFIGURATION = """
[databases]
* = host={server} port={server_port}

[pgbouncer]
pool_mode = {mode}
default_pool_size = {sessions}
server_round_robin = {in_turns:d}
max_client_conn = 500
listen_port = {port}
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = {folder}/users
logfile = {folder}/log
"""


@dataclass(frozen=True)
class Program:
    """Where the program is, and the libraries that came with it."""

    path: Path
    libraries: Path | None = None

    def environment(self) -> dict[str, str]:
        given = dict(os.environ)
        return (
            given if self.libraries is None else {**given, "LD_LIBRARY_PATH": str(self.libraries)}
        )


@dataclass(frozen=True)
class Pooler:
    """A running one; `url` is the DSN of a role through it."""

    server: RunningPostgres
    folder: Path

    def url(self, role: str, database: str) -> str:
        host = quote(str(self.folder), safe="/")
        password = self.server.passwords[role]
        return f"postgresql://{role}:{password}@/{database}?host={host}&port={PORT}"


def find_pgbouncer(cache: Path) -> Program:
    """The program, got once; skips the test where it cannot be had."""
    for found in (shutil.which("pgbouncer"), "/usr/sbin/pgbouncer"):
        if found is not None and Path(found).exists():
            return Program(Path(found))
    unpacked = cache / "pgbouncer"
    if not unpacked.exists():
        _unpack(unpacked)
    (libraries,) = {path.parent for path in unpacked.glob("usr/lib/*/libcares.so.2")}
    return Program(unpacked / "usr/sbin/pgbouncer", libraries)


def _unpack(target: Path) -> None:
    """Debian's packages below `target`, whole or not at all: several may be at it."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        pytest.skip("there is no pgbouncer here, and no apt-get to fetch Debian's with")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        _fetch(folder)
        draft = Path(folder) / "unpacked"
        for package in sorted(Path(folder).glob("*.deb")):
            subprocess.run(["dpkg", "-x", package, draft], check=True)
        try:
            draft.rename(target)
        except OSError:  # another was first, and its is as good
            assert (target / "usr/sbin/pgbouncer").exists()


def _fetch(folder: str) -> None:
    """Debian's packages into `folder`; skips the test where that is not possible, or takes long."""
    command = ["apt-get", "download", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10"]
    try:
        subprocess.run(
            [*command, *PACKAGES],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"Debian's pgbouncer cannot be fetched within {PATIENCE_SECONDS:g} s")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"Debian's pgbouncer cannot be fetched: {error.stderr.strip()[-300:]}")


@contextmanager
def running_pooler(
    program: Program,
    server: RunningPostgres,
    *,
    sessions: int = 5,
    mode: str = "transaction",
    in_turns: bool = False,
) -> Iterator[Pooler]:
    """A pooler with `sessions` of each role to a database, lent last come first, or `in_turns`."""
    with tempfile.TemporaryDirectory(prefix="morrow-pgb-") as name:
        folder = Path(name)
        folder.chmod(0o777)  # it may have to run as another user than this one
        _configure(folder, server, sessions=sessions, mode=mode, in_turns=in_turns)
        identity = serving_identity(folder / "none", user_namespace=True, fallback_user="nobody")
        with (folder / "said").open("wb") as said:
            process = start_mortal(
                [str(program.path), str(folder / "ini")],
                death_signal=signal.SIGKILL,
                env=program.environment(),
                identity=identity,
                stdout=said,
                stderr=said,
            )
        try:
            _await_listening(process, folder)
            yield Pooler(server, folder)
        finally:
            process.kill()
            process.wait(PATIENCE_SECONDS)


def _configure(folder: Path, server: RunningPostgres, **values: object) -> None:
    (folder / "ini").write_text(
        CONFIGURATION.format(
            server=server.socket_directory,
            server_port=SERVER_PORT,
            port=PORT,
            folder=folder,
            **values,
        )
    )
    users = "".join(f'"{role}" "{server.passwords[role]}"\n' for role in (API, WORKER, "postgres"))
    (folder / "users").write_text(users)


def _await_listening(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _listens(folder / f".s.PGSQL.{PORT}"):
        told = (folder / "said").read_text(errors="replace")
        assert process.poll() is None, told
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
