"""How soon who watches a job knows: from the end of a fit in its child to a WebSocket, and from a
cancellation by who watches to the stopped fits and the last event: JSON, with where the time goes.

    python -m benchmarks.progress_lag [--products 120] [--rounds 1] [--cancellations 20]

`morrow up` with its settings as they come, a job over made products, pool and all, and a client
with one WebSocket on the same cores. The steps of a fit's news, one after the other:

answer  from the child's having its answer until the worker has it
pack    to the bundle's bytes          store   to the artifact on the disk
lock    to the job's row being its     write   to the last of its rows         commit  of these
bell    to the notification's being heard, on a connection of this program's
stream  to the frame's being received

A cancellation is counted from the request, sent at the first news of a fit, until no child computes
any more (`stopped`), and until the socket had `job.finished`.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from rich.console import Console
from rich.progress import track
from websockets.asyncio.client import connect

from benchmarks.cancel_speed import children_of
from benchmarks.made_tenant import made_tenant
from benchmarks.processes import children_by_parent, command_of
from benchmarks.service import Service, checked, load, morrow_up, order, tenant_client
from services.training.jobs.events import EVENTS_CHANNEL
from shared.postgres import EmbeddedPostgres

LONG: Final = {"families": ["prophet"], "optimizer": "random", "max_trials": 200, "force": True}
LOOK_SECONDS: Final = 0.002
STILL_SECONDS: Final = 0.3
BEFORE_COMMIT: Final = ("answer", "pack", "store", "lock", "write", "commit")
SCREEN: Final = Console(stderr=True)


@dataclass(slots=True)
class Seen:
    """What a client received, and what it heard of the bell, by the wall's clock."""

    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    rings: list[float] = field(default_factory=list)

    def received(self, type: str) -> list[float]:
        return [at for at, event in self.events if event["type"] == type]


def run(
    products: int, rounds: int, cancellations: int, families: Sequence[str] | None
) -> dict[str, object]:
    wanted = {"families": families, "force": True}
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres().start(folder / "pg") as server:
            dsn = server.url()
            settings = {"MORROW_DATABASE_URL": dsn, "MORROW_LOG_FORMAT": "json"}
            log = folder / "up.log"
            with log.open("wb") as told, morrow_up(environment=settings, stderr=told) as service:
                tenant = made_tenant(products)
                access = service.address, service.operator_key
                with tenant_client(*access, tenant, plan="unlimited") as client:
                    load(client, tenant)
                    steps = [
                        one
                        for _ in track(range(rounds), "Jobs", console=SCREEN)
                        for one in watched(client, dsn, log, wanted)
                    ]
                    numbers = track(range(cancellations), "Cancellations", console=SCREEN)
                    cancelled = [asyncio.run(cancel(client, service)) for _ in numbers]
    return {
        "fits": len(steps),
        "lag_ms": summary([1000 * sum(one.values()) for one in steps]),
        "steps_ms": {name: summary([1000 * one[name] for one in steps]) for name in steps[0]},
        "cancelled_s": {
            name: summary([one[name] for one in cancelled]) for name in (cancelled or [{}])[0]
        },
    }


def watched(
    client: httpx.Client, dsn: str, log: Path, wanted: Mapping[str, Any]
) -> list[dict[str, float]]:
    """The seconds of each step, of each series of a job that was watched to its end."""
    before = len(list(published(log)))
    job = order(client, wanted)["id"]
    seen = asyncio.run(watch(client, dsn, job))
    told = list(published(log))[before:]
    received = seen.received("product.trained")
    if len(told) != len(received):
        raise RuntimeError(f"{len(told)} models were published, {len(received)} told of")
    return [steps_of(one, at, seen.rings) for one, at in zip(told, received, strict=True)]


def published(log: Path) -> Iterator[dict[str, Any]]:
    """What the worker says of each publishing, in the order of their commits."""
    for line in log.read_bytes().splitlines():
        if b'"model_published"' in line:
            yield json.loads(line)


def steps_of(told: Mapping[str, Any], received: float, rings: Sequence[float]) -> dict[str, float]:
    committed = datetime.fromisoformat(told["timestamp"]).timestamp()
    heard = min((at for at in rings if committed <= at <= received), default=received)
    steps = {name: float(told[name]) for name in BEFORE_COMMIT}
    return {**steps, "bell": heard - committed, "stream": received - heard}


async def watch(client: httpx.Client, dsn: str, job: str) -> Seen:
    """All that the job's watcher sees, to its last event."""
    seen = Seen()
    listening = await asyncpg.connect(dsn)

    def heard(_connection: object, _pid: int, _channel: str, topic: object) -> None:
        if topic == job:
            seen.rings.append(time.time())

    await listening.add_listener(EVENTS_CHANNEL, heard)
    async with socket_of(client, job) as socket:
        async for frame in socket:
            seen.events.append((time.time(), json.loads(frame)))
    await listening.close()
    return seen


async def cancel(client: httpx.Client, service: Service) -> dict[str, float]:
    """Cancel a job at the first news of one of its fits."""
    worker = worker_of(service)
    job = (await asyncio.to_thread(order, client, LONG))["id"]
    async with socket_of(client, job) as socket:
        while json.loads(await socket.recv())["type"] != "product.progress":
            continue
        children = children_of(worker)
        began = time.perf_counter()
        stillness = Stillness(children, began)
        answer = asyncio.create_task(asyncio.to_thread(client.post, f"/training-jobs/{job}/cancel"))
        async for frame in socket:
            last, finished = json.loads(frame), time.perf_counter() - began
        checked(await answer)
    if last["data"]["status"] != "cancelled":
        raise RuntimeError(f"the job ended as {last['data']['status']} before it was cancelled")
    return {"stopped": await asyncio.to_thread(stillness.seconds), "finished": finished}


class Stillness:
    """When the last of these processes stopped computing: they sleep since then, or are gone."""

    def __init__(self, pids: Sequence[int], began: float) -> None:
        self._pids = pids
        self._began = self._last = began
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def seconds(self) -> float:
        self._thread.join()
        return self._last - self._began

    def _look(self) -> None:
        while (now := time.perf_counter()) < self._last + STILL_SECONDS:
            if any(map(computes, self._pids)):
                self._last = now
            time.sleep(LOOK_SECONDS)


def computes(pid: int) -> bool:
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] == "R"


def worker_of(service: Service) -> int:
    [worker] = [
        pid
        for pid in children_by_parent().get(service.pid, ())
        if command_of(pid).strip().endswith(" worker")
    ]
    return worker


def socket_of(client: httpx.Client, job: str) -> connect:
    address = str(client.base_url).replace("http", "ws", 1).rstrip("/")
    return connect(
        f"{address}/training-jobs/{job}/ws",
        additional_headers={"Authorization": client.headers["Authorization"]},
        compression=None,
    )


def summary(figures: Sequence[float]) -> dict[str, float]:
    ordered = sorted(figures)
    found = {"p50": statistics.median(ordered)}
    for share in (95, 99):
        found[f"p{share}"] = ordered[max(0, -(-share * len(ordered) // 100) - 1)]
    return {name: round(value, 3) for name, value in {**found, "most": ordered[-1]}.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=1, help="jobs watched to their end")
    parser.add_argument("--cancellations", type=int, default=20)
    parser.add_argument("--families", nargs="*", help="of the jobs watched, else all there are")
    asked = parser.parse_args()
    found = run(asked.products, asked.rounds, asked.cancellations, asked.families)
    print(json.dumps({"load": [round(one, 2) for one in os.getloadavg()], **found}, indent=2))


if __name__ == "__main__":
    main()
