"""The server process: its settings, its start and its end."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from shared.postgres.binaries import PostgresBinaries
from shared.postgres.cluster import last_lines
from shared.postgres.errors import PostgresFailed
from shared.postgres.socket import PORT
from shared.processes.mortal import Identity, start_mortal

LARGEST_LOG_BYTES = 10 * 2**20
POLL_SECONDS = 0.01

SMALL_MACHINE: Mapping[str, str] = {
    "jit": "off",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",  # the cores are for training
    "max_parallel_maintenance_workers": "0",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # the details of an error quote rows
    "log_timezone": "UTC",
    "timezone": "UTC",
    "password_encryption": "scram-sha-256",
}
NOT_DURABLE: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
}


def start_server(
    cluster: Path,
    binaries: PostgresBinaries,
    identity: Identity,
    *,
    socket_directory: Path,
    settings: Mapping[str, str],
    log: Path,
) -> subprocess.Popen[bytes]:
    """Start `postgres` on a cluster; SIGINT, its fast shutdown, ends it when this process dies.

    It says what it has to say in `log`. Not yet ready: see `wait_until_ready`.
    """
    _rotate(log)
    places = {"listen_addresses": "", "unix_socket_directories": f'"{socket_directory}"'}
    private = {"unix_socket_permissions": "0700", "port": str(PORT)}
    flags = [f"--{name}={value}" for name, value in {**settings, **places, **private}.items()]
    with open(log, "ab", opener=_private) as output:
        return start_mortal(
            [binaries.postgres, "-D", str(cluster), *flags],
            death_signal=signal.SIGINT,
            env={"LC_ALL": "C"},
            identity=identity,
            stdout=output,
            stderr=output,
            cwd=cluster.parent,
        )


def wait_until_ready(
    server: subprocess.Popen[bytes], cluster: Path, *, seconds: float, log: Path
) -> None:
    """Return when the server accepts connections. Raises PostgresFailed if it ends or is late."""
    deadline = time.monotonic() + seconds
    while not _says_ready(cluster, server.pid):
        if server.poll() is not None:
            raise PostgresFailed(
                f"PostgreSQL ended with status {server.returncode} at its start", log_tail(log)
            )
        if time.monotonic() > deadline:
            raise PostgresFailed(f"PostgreSQL was not ready after {seconds:g} s", log_tail(log))
        time.sleep(POLL_SECONDS)


def stop_server(server: subprocess.Popen[bytes], *, seconds: float) -> None:
    """End it: a fast shutdown, an immediate one when that is late, then without ceremony."""
    for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(signal_number)
        try:
            server.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def _says_ready(cluster: Path, pid: int) -> bool:
    """The eighth line of postmaster.pid is the state, the first the process it is of."""
    try:
        lines = (cluster / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def log_tail(log: Path) -> str:
    """The last lines the server said."""
    return last_lines(log.read_text(errors="replace"))
