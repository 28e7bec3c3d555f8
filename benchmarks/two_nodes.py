"""A real Ray cluster of two nodes on this machine, on loopback.

`python -m benchmarks.two_nodes PORT FOLDER` is one for as long as its standard input is open; it
prints, as JSON, the processes that are its nodes: the raylet of the head, and that of the other.
"""

import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEAD, OTHER = "127.0.0.2", "127.0.0.3"  # 127.0.0.1 Ray takes for the machine's address outside
CPUS = 3  # as Ray counts them: seats of several workers wait beside each other
OBJECT_STORE = 80 * 2**20
AGENTS = (
    *("metrics_agent_port", "metrics_export_port"),
    *("dashboard_agent_listen_port", "runtime_env_agent_port"),
)
TRIES = 3
LIGHTER = Path(__file__).with_name("lighter")


@dataclass(frozen=True, slots=True)
class TwoNodes:
    """Where clients are taken, and the raylets that are the nodes."""

    address: str
    head: int
    other: int
    launcher: "subprocess.Popen[bytes]"


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """A cluster for as long as the body."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        nodes = start(folder)
        try:
            yield nodes
        finally:
            assert nodes.launcher.stdin is not None
            nodes.launcher.stdin.close()
            nodes.launcher.wait()


def start(folder: str) -> TwoNodes:
    """With all that it keeps in a folder of a short name. Ray gives up on a node that a busy
    machine starts slowly: then once more."""
    for _ in range(TRIES):
        port = free_port()
        launcher = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "benchmarks.two_nodes", str(port), folder],
            env=os.environ | _environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert launcher.stdout is not None
        if line := launcher.stdout.readline():
            head, other = json.loads(line)
            return TwoNodes(f"ray://{HEAD}:{port}", head, other, launcher)
        launcher.communicate()
    raise RuntimeError(f"no cluster in {TRIES} tries")


def _environment(folder: str) -> dict[str, str]:
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_prestart_worker_first_driver": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_CLUSTER_FOLDER": folder,  # tells all of its processes from others
        "RAY_TMPDIR": folder,  # where it notes its address, in a directory that must be there
        "PYTHONPATH": os.pathsep.join([str(LIGHTER), *filter(None, sys.path)]),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HEAD, 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    from ray.cluster_utils import Cluster

    port, folder = sys.argv[1:3]
    logging.disable(logging.ERROR)
    told = os.dup(1)
    os.dup2(2, 1)  # Ray prints what is not JSON
    place = os.path.join(folder, "ray")
    head = _quiet(HEAD) | {"ray_client_server_port": int(port), "temp_dir": place}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(wait=False, **_quiet(OTHER))
    cluster.wait_for_nodes()
    raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]
    os.write(told, json.dumps(raylets).encode() + b"\n")
    sys.stdin.read()
    cluster.shutdown()


def _quiet(address: str) -> dict[str, Any]:
    """A node without what nobody looks at. Where its agents listen is said beforehand: a raylet
    that must ask them gives up after 15 s, and on a busy machine they take longer to start."""
    return {
        "node_ip_address": address,
        "num_cpus": CPUS,
        "object_store_memory": OBJECT_STORE,
        "include_dashboard": False,
        "include_log_monitor": False,
        "no_monitor": True,
        **{agent: free_port() for agent in AGENTS},
    }


if __name__ == "__main__":
    main()
