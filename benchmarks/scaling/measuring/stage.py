"""The real service for measurements: a PostgreSQL that counts, an API, as many workers as asked."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

import migrations
from benchmarks.made_tenant import made_tenant
from benchmarks.real_data import TenantData
from benchmarks.scaling.measuring.bill import WATCHED, Till, watch
from benchmarks.served_api import OPERATOR_KEY, Served, serving
from benchmarks.service import load, tenant_client, train
from services.training.up.address import free_port
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR, WORKER

HOST: Final = "127.0.0.1"
LOOK_SECONDS: Final = 0.1
LONGEST_START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running service and where its bills are read."""

    server: RunningPostgres
    folder: Path
    served: Served
    till: Till


@contextmanager
def counting_server() -> Iterator[tuple[RunningPostgres, Path]]:
    """A migrated PostgreSQL that syncs and counts its statements, and the folder it lies in."""
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres(settings=WATCHED).start(folder / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            asyncio.run(watch(server))
            yield server, folder


@contextmanager
def stage() -> Iterator[Stage]:
    """Database and API; workers are started for as long as they are wanted."""
    with counting_server() as (server, folder), serving(server, folder) as served:
        yield Stage(server, folder, served, Till(server))


@contextmanager
def working(stage: Stage, widths: Sequence[int]) -> Iterator[list[int]]:
    """Worker processes with so many training children each, warm; their process ids."""
    with ExitStack() as held:
        pids = [held.enter_context(_worker(stage, width)) for width in widths]
        yield pids


@contextmanager
def _worker(stage: Stage, width: int) -> Iterator[int]:
    metrics = free_port(HOST, 0)
    environment = {
        **os.environ,
        "MORROW_DATABASE_URL": stage.server.url(WORKER),
        "MORROW_MODEL_STORAGE_PATH": str(stage.folder / "models"),
        "MORROW_WORKERS": str(width),
        "MORROW_METRICS_PORT": str(metrics),
        "MORROW_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "services.training.cli", "worker"]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own program
    try:
        _wait_for(process, f"http://{HOST}:{metrics}/metrics")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", metrics: str) -> None:
    deadline = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended with {process.returncode}")
        try:
            httpx.get(metrics).raise_for_status()
        except httpx.HTTPError:
            time.sleep(LOOK_SECONDS)
        else:
            return
    raise RuntimeError(f"the worker did not serve {metrics} within {LONGEST_START_SECONDS:g} s")


@contextmanager
def loaded_tenant(stage: Stage, data: TenantData) -> Iterator[httpx.Client]:
    """A client of a new tenant without limits that holds the data."""
    with tenant_client(stage.served.address, OPERATOR_KEY, data, "unlimited") as client:
        load(client, data)
        yield client


def warm_up(stage: Stage, series: int = 4) -> None:
    """A job that nobody counts: children are forked, statements prepared, pages read."""
    with loaded_tenant(stage, made_tenant(series)) as client:
        train(client, {})
