"""How long a new worker takes until its first training begins, and until it is done: JSON.

    python -m benchmarks.cold_start [--rounds 3]

Each round copies the sources without compiled files, with an empty home and empty caches, orders a
job of one product of two years from a running API, and then starts the worker from the copy. The
environment's packages are as `make .venv` leaves them. Wall seconds since the start of its process:

first_product_started   until its first product is announced
first_fit               until that product is trained and published
cpu                     processor time of the worker and its children until then
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.progress import track

import migrations
from benchmarks.load_speed import OPERATOR_KEY, serving
from benchmarks.made_tenant import made_tenant
from benchmarks.processes import cpu_seconds
from benchmarks.service import events_of, finished, first_at, load, order, tenant_client
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR, WORKER

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ("services", "shared", "migrations")
CACHES: Final = ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR")
NO_COMPILED_FILES: Final = "PYTHONDONTWRITEBYTECODE"


def run(rounds: int = 3) -> dict[str, object]:
    """Every figure, each round with a worker that nobody has started before."""
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres().start(folder / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            with serving(server, folder) as address:
                numbers = track(range(rounds), "Cold starts", console=Console(stderr=True))
                found = [cold_start(server, address, folder, number) for number in numbers]
    return {
        "rounds": found,
        "median_s": {name: round(median(one[name] for one in found), 2) for name in found[0]},
    }


def cold_start(
    server: RunningPostgres, address: str, folder: Path, number: int
) -> dict[str, float]:
    tenant = made_tenant(1)
    with tenant_client(address, OPERATOR_KEY, tenant) as client:
        load(client, tenant)
        job = order(client, {})
        began = time.time()
        with working(server, folder, number) as worker:
            finished(client, job, lambda _: require_running(worker))
            spent = cpu_seconds(worker.pid)
        events = events_of(client, job["id"])
    return {
        "first_product_started": round(first_at(events, "product.started") - began, 2),
        "first_fit": round(first_at(events, "product.trained") - began, 2),
        "cpu": round(spent, 2),
    }


@contextmanager
def working(
    server: RunningPostgres, folder: Path, number: int
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker from a copy of the sources that has nothing compiled and nothing cached."""
    copy = folder / f"copy-{number}"
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    environment = environment_of(server, folder, copy)
    worker = subprocess.Popen(
        [sys.executable, "-m", "services.training.cli", "worker"],
        cwd=copy,
        env=environment,
        stdout=sys.stderr,
        stderr=sys.stderr,
    )
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait()
    if not (copy / "services" / "training" / "__pycache__").is_dir():
        raise RuntimeError(f"the worker did not run from its copy in {copy}")


def require_running(worker: "subprocess.Popen[bytes]") -> None:
    if worker.poll() is not None:
        raise RuntimeError(f"the worker ended with {worker.returncode}")


def environment_of(server: RunningPostgres, folder: Path, copy: Path) -> dict[str, str]:
    """That of this process, with the worker's settings, and every cache in the copy's folder."""
    inherited = {name: value for name, value in os.environ.items() if name != NO_COMPILED_FILES}
    caches = {name: copy / name.lower() for name in CACHES}
    for cache in caches.values():
        cache.mkdir()
    return {
        **inherited,
        **{name: str(cache) for name, cache in caches.items()},
        "MORROW_DATABASE_URL": server.url(WORKER),
        "MORROW_LOG_LEVEL": "warning",
        "MORROW_MODEL_STORAGE_PATH": str(folder / "models"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="workers started")
    print(json.dumps(run(parser.parse_args().rounds), indent=2))


if __name__ == "__main__":
    main()
