"""A worker's own corner of the network, behind a link that goes down without a word."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from shared.postgres import RunningPostgres
from shared.postgres.binaries import find_binaries
from shared.postgres.identity import CLUSTER, serving_identity
from shared.postgres.server import NOT_DURABLE, SMALL_MACHINE, stop_server, wait_until_ready
from shared.processes.mortal import start_mortal
from tests.chaos.database import SERVER

HERE, THERE = "10.231.77.1", "10.231.77.2"
PORT = 5432


class NotAllowed(Exception):
    """This machine lets no network be made."""


@dataclass(frozen=True, slots=True)
class Corner:
    """A network namespace; `link` is our end of the wire to it."""

    name: str
    link: str

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        _ip("link", "set", self.link, "down")

    def mend(self) -> None:
        _ip("link", "set", self.link, "up")


@contextmanager
def corner() -> Iterator[Corner]:
    """Raises `NotAllowed` where namespaces are not to be had."""
    made = Corner(f"morrow-{os.getpid()}", f"mw{os.getpid()}")
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NotAllowed("network namespaces need root and `ip`")
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", made.link, "type", "veth", "peer", "name", "wire", "netns", made.name)
        _ip("addr", "add", f"{HERE}/30", "dev", made.link)
        _ip("link", "set", made.link, "up")
        _ip("-n", made.name, "addr", "add", f"{THERE}/30", "dev", "wire")
        _ip("-n", made.name, "link", "set", "wire", "up")
        yield made
    finally:
        _ip("netns", "del", made.name)


def start_on_the_network(folder: Path) -> RunningPostgres:
    """The embedded server once more, now with an ear on our end of the wire."""
    running = SERVER.start(folder)
    stop_server(running.server, seconds=30)
    cluster = running.data_dir / CLUSTER
    with (cluster / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {THERE}/32 scram-sha-256\n")
    settings = {
        **SMALL_MACHINE,
        **NOT_DURABLE,
        "listen_addresses": HERE,
        "port": str(PORT),
        "unix_socket_directories": f'"{running.socket_directory}"',
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    with running.log.open("ab") as log:
        server = start_mortal(
            [find_binaries().postgres, "-D", str(cluster), *flags],
            death_signal=signal.SIGINT,
            env={"LC_ALL": "C"},
            identity=serving_identity(cluster, user_namespace=True, fallback_user="nobody"),
            stdout=log,
            stderr=log,
            cwd=running.data_dir,
        )
    wait_until_ready(server, cluster, seconds=60, log=running.log)
    return replace(running, server=server)


def network_dsn(dsn: str) -> str:
    """The DSN of the socket, as the corner reaches the server."""
    before, _, after = dsn.partition("@/")
    return f"{before}@{HERE}:{PORT}/{after.partition('?')[0]}"


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise NotAllowed(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
