"""The API alone, as a process of its own on a core of its own, with a PostgreSQL beside it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.pinned import SERVING, pin
from benchmarks.service import checked, client_of
from services.training.up.address import address_of, free_port, listen, unreadiness
from shared.postgres import RunningPostgres
from shared.roles import API

HOST: Final = "127.0.0.1"
OPERATOR_KEY: Final = "operator-key-of-quick-brown-foxes"
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Served:
    """A running API: its process, and where it and its metrics are found."""

    pid: int
    address: str
    metrics: str

    def counted(self, name: str, **labels: str) -> float:
        """The sum of the samples of its metrics with this name and these labels."""
        text = httpx.get(self.metrics).raise_for_status().text
        samples = (
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        )
        return sum(
            one.value
            for one in samples
            if one.name == name and labels.items() <= one.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Tenant:
    """One without limits, and its first key."""

    id: UUID
    key: str


@contextmanager
def serving(
    server: RunningPostgres, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """The API as `morrow up` starts it, with this added to its environment, ready."""
    with listen(HOST, 0) as listening:
        address, metrics = address_of(listening), free_port(HOST, 0)
        api = _start(server, folder, listening, metrics, environment or {})
        try:
            while (reason := unreadiness(address)) is not None:
                if api.poll() is not None:
                    raise RuntimeError(f"the API ended with {api.returncode}: {reason}")
                time.sleep(LOOK_SECONDS)
            pin(SERVING, api.pid)
            yield Served(api.pid, address.url, f"http://{HOST}:{metrics}/metrics")
        finally:
            api.terminate()
            api.wait()


def _start(
    server: RunningPostgres,
    folder: Path,
    listening: socket.socket,
    metrics: int,
    added: Mapping[str, str],
) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "MORROW_DATABASE_URL": server.url(API),
        "MORROW_OPERATOR_KEY": OPERATOR_KEY,
        "MORROW_MODEL_STORAGE_PATH": str(folder / "models"),
        "MORROW_SPOOL_PATH": str(folder / "spool"),
        "MORROW_METRICS_PORT": str(metrics),
        "MORROW_LOG_LEVEL": "warning",
        **added,
    }
    command = [sys.executable, "-m", "services.training.cli", "serve"]
    return subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--fd", str(listening.fileno())],
        env=environment,
        pass_fds=[listening.fileno()],
    )


def made_tenant(served: Served, number: int) -> Tenant:
    body = {"name": f"tenant {number}", "country": "DE", "timezone": "Europe/Berlin"}
    with client_of(served.address, OPERATOR_KEY) as operator:
        made = checked(operator.post("/tenants", json=body | {"plan": "unlimited"}))
    return Tenant(UUID(made["tenant"]["id"]), made["api_key"])
