"""How soon a cancelled job has ended, children have whose lock was lost, and a dead worker's task
is taken over: JSON, in seconds.

    python -m benchmarks.cancel_speed [--rounds 20] [--takeovers 3]

The worker with its settings as they come, and two API servers: a job is asked for at one and
cancelled at the other while two children train, stopped so that neither ends just then. Since the
request to cancel was sent:

answered    until the answer said `cancelled`
stopped     until no child that trained was left
cleared     until nothing was: no such child, no advisory lock, no running task

A lock is lost when the server ends the worker's connection that holds it; counted from the order to
do so until no child is left that trained under it. A takeover is counted from the `kill -9` of a
worker that trains until another has claimed its task.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from rich.console import Console
from rich.progress import track

import migrations
from benchmarks.load_speed import OPERATOR_KEY, serving
from benchmarks.made_tenant import made_tenant
from benchmarks.processes import children_by_parent
from benchmarks.service import checked, client_of, load, order, tenant_client
from services.training.queue.leader import LEADERSHIP
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR, WORKER

PRODUCTS: Final = 8
LONG: Final = {"families": ["prophet"], "optimizer": "random", "max_trials": 200, "force": True}
LOOK_SECONDS: Final = 0.002
SETTLING_SECONDS: Final = 1.5
SLOTS: Final = 2
PATIENCE_SECONDS: Final = 120.0
LEFT: Final = f"""
SELECT (SELECT count(*) FROM tasks WHERE state = 'running')
  + (SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
     WHERE locktype = 'advisory' AND datname = current_database()
       AND (classid::bigint << 32 | objid::bigint) <> hashtextextended('{LEADERSHIP}', 0))
"""  # noqa: S608 - a constant
CUT_LOCKS: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = 'morrow-worker-locks'
"""
AT_WORK: Final = """
SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM tasks
WHERE kind = 'train' AND state = 'running'
"""
TAKEN: Final = "SELECT worker FROM tasks WHERE id = $1"
RUNS: Final = """
SELECT id FROM tasks WHERE state = 'running' AND kind = 'train' AND worker LIKE '%-' || $1 LIMIT 1
"""


class Operator:
    """Eyes in the database, for a program that is otherwise synchronous."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._connection = self._loop.run(asyncpg.connect(dsn))

    def ask(self, question: str, *values: object) -> Any:
        return self._loop.run(self._connection.fetchval(question, *values))

    def close(self) -> None:
        self._loop.run(self._connection.close())
        self._loop.close()


def run(rounds: int, takeovers: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres().start(folder / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            operator = Operator(server.url())
            with serving(server, folder) as here, serving(server, folder) as there:
                tenant = made_tenant(PRODUCTS)
                with tenant_client(here, OPERATOR_KEY, tenant) as client:
                    load(client, tenant)
                    key = client.headers["Authorization"].removeprefix("Bearer ")
                    with client_of(there, key) as elsewhere:
                        found, lost = measure(server, folder, operator, client, elsewhere, rounds)
                        taken = [
                            takeover(server, folder, operator, client)
                            for _ in track(range(takeovers), "Takeovers", console=SCREEN)
                        ]
            operator.close()
    return {"cancelled_s": found, "lock_lost_s": lost, "takeover_s": summary(taken)}


SCREEN: Final = Console(stderr=True)


def measure(
    server: RunningPostgres,
    folder: Path,
    operator: Operator,
    here: httpx.Client,
    there: httpx.Client,
    rounds: int,
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    with working(server, folder) as worker:
        numbers = track(range(rounds), "Cancellations", console=SCREEN)
        found = [cancelled(operator, here, there, worker) for _ in numbers]
        numbers = track(range(rounds), "Lost locks", console=SCREEN)
        lost = [lock_lost(operator, here, worker) for _ in numbers]
    return {name: summary([one[name] for one in found]) for name in found[0]}, summary(lost)


def cancelled(
    operator: Operator, here: httpx.Client, there: httpx.Client, worker: int
) -> dict[str, float]:
    job = order(here, LONG)["id"]
    training = held_at_work(operator, worker)
    began = time.perf_counter()
    status = checked(there.post(f"/training-jobs/{job}/cancel"))["status"]
    answered = time.perf_counter() - began
    if status != "cancelled":
        raise RuntimeError(f"the job ended as {status} before it was cancelled")
    until(lambda: not any(map(is_alive, training)))
    stopped = time.perf_counter() - began
    until(lambda: operator.ask(LEFT) == 0)
    cleared = time.perf_counter() - began
    return {"answered": answered, "stopped": stopped, "cleared": cleared}


def lock_lost(operator: Operator, client: httpx.Client, worker: int) -> float:
    job = order(client, LONG)["id"]
    training = held_at_work(operator, worker)
    began = time.perf_counter()
    if operator.ask(CUT_LOCKS) != 1:
        raise RuntimeError("the worker has not one connection for its locks")
    until(lambda: not any(map(is_alive, training)))
    took = time.perf_counter() - began
    checked(client.post(f"/training-jobs/{job}/cancel"))
    until(lambda: operator.ask(LEFT) == 0)
    return took


def takeover(
    server: RunningPostgres, folder: Path, operator: Operator, client: httpx.Client
) -> float:
    with working(server, folder) as doomed, working(server, folder) as other:
        job = order(client, LONG)["id"]
        until(lambda: operator.ask(RUNS, str(doomed)))
        task = operator.ask(RUNS, str(doomed))
        os.kill(doomed, signal.SIGKILL)
        began = time.perf_counter()
        until(lambda: str(operator.ask(TAKEN, task)).endswith(f"-{other}"))
        took = time.perf_counter() - began
        checked(client.post(f"/training-jobs/{job}/cancel"))
        until(lambda: operator.ask(LEFT) == 0)
    return took


@contextmanager
def working(server: RunningPostgres, folder: Path) -> Iterator[int]:
    """A worker's process id, once it has started."""
    environment = {
        **os.environ,
        "MORROW_DATABASE_URL": server.url(WORKER),
        "MORROW_MODEL_STORAGE_PATH": str(folder / "models"),
        "MORROW_WORKERS": str(SLOTS),
        "MORROW_LOG_FORMAT": "json",
    }
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "services.training.cli", "worker"]
        worker = subprocess.Popen(  # noqa: S603 - our own program
            command, env=environment, stdout=log, stderr=log
        )
        try:
            until(lambda: b"worker_started" in os.pread(log.fileno(), 1 << 20, 0))
            yield worker.pid
        finally:
            worker.terminate()
            worker.terminate()
            worker.wait()


def held_at_work(operator: Operator, worker: int) -> list[int]:
    """The children, each with a training that it cannot end: they are stopped."""
    until(lambda: len(children_of(worker)) == SLOTS)
    children = children_of(worker)
    for child in children:
        os.kill(child, signal.SIGSTOP)
    before: list[int] | None = None
    while len(now := operator.ask(AT_WORK)) < SLOTS or now != before:
        before = now
        time.sleep(SETTLING_SECONDS)
    return children


def children_of(worker: int) -> list[int]:
    """Those of its fork server."""
    by_parent = children_by_parent()
    return [pid for server in by_parent.get(worker, ()) for pid in by_parent.get(server, ())]


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {PATIENCE_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)


def summary(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    p95 = ordered[max(0, -(-95 * len(ordered) // 100) - 1)]
    figures = {"p50": statistics.median(ordered), "p95": p95, "most": ordered[-1]}
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="jobs cancelled")
    parser.add_argument("--takeovers", type=int, default=3, help="workers killed")
    asked = parser.parse_args()
    print(json.dumps(run(asked.rounds, asked.takeovers), indent=2))


if __name__ == "__main__":
    main()
