"""The whole service for a benchmark: started, called over HTTP, stopped."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import httpx

from benchmarks.real_data import TenantData
from services.training.sample.api_shapes import event_bodies, regressor_rows, sales_csv

PAGE = 500
REQUEST_SECONDS = 120.0
POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Service:
    """A running `morrow up`: its process, and where and with which key an operator calls it."""

    pid: int
    address: str
    operator_key: str


@contextmanager
def morrow_up(
    workers: int | None = None,
    environment: Mapping[str, str] | None = None,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> Iterator[Service]:
    """The whole service for as long as the body; `workers` children train, None: one a core. With
    this added to the environment, and its logs in `stderr`."""
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as folder:
        Path(folder).chmod(0o711)
        command = [sys.executable, "-m", "services.training.cli", "up", "--port", "0"]
        command += ["--data-dir", folder]
        command += [] if workers is None else ["--workers", str(workers)]
        up = subprocess.Popen(  # noqa: S603 - our own program
            command,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        try:
            assert up.stdout is not None
            ready = next((line for line in up.stdout if line.startswith("ready ")), None)
            if ready is None:
                raise RuntimeError(f"morrow up ended with {up.wait()}")
            key = (Path(folder) / "operator.key").read_text().strip()
            yield Service(up.pid, ready.split()[1], key)
        finally:
            up.terminate()
            up.wait()


@contextmanager
def tenant_client(
    address: str, operator_key: str, tenant: TenantData, plan: str = "standard"
) -> Iterator[httpx.Client]:
    """A client with the key of a tenant made for this data."""
    body = {
        "name": tenant.name,
        "country": tenant.country,
        "subdivision": tenant.subdivision,
        "timezone": tenant.timezone,
        "currency": tenant.currency,
        "plan": plan,
    }
    with client_of(address, operator_key) as operator:
        key = checked(operator.post("/tenants", json=body))["api_key"]
    with client_of(address, key) as client:
        yield client


def client_of(address: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=REQUEST_SECONDS)


def load(client: httpx.Client, tenant: TenantData) -> None:
    """Sales, what is known of the days, and the tenant's own events."""
    content_type = {"Content-Type": "text/csv"}
    checked(client.post("/sales", content=sales_csv(tenant), headers=content_type))
    if rows := regressor_rows(tenant):
        checked(client.post("/regressors", json={"rows": rows}))
    for event, body in event_bodies(tenant).items():
        checked(client.put(f"/events/{event}", json=body))


def order(client: httpx.Client, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A training job as it was asked for."""
    job: dict[str, Any] = checked(client.post("/training-jobs", json=dict(wanted)))
    return job


def train(client: httpx.Client, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for everything to be trained; the job once it has ended."""
    return finished(client, order(client, wanted))


def finished(
    client: httpx.Client,
    job: dict[str, Any],
    on_look: Callable[[dict[str, Any]], None] = lambda job: None,
) -> dict[str, Any]:
    """The job once it has ended; `on_look` is shown how far it is, and may raise."""
    while job["finished_at"] is None:
        time.sleep(POLL_SECONDS)
        job = checked(client.get(f"/training-jobs/{job['id']}"))
        on_look(job)
    return job


def events_of(client: httpx.Client, job: str) -> list[dict[str, Any]]:
    """Every event of a job, oldest first."""
    events: list[dict[str, Any]] = []
    while True:
        since = events[-1]["seq"] if events else 0
        page = checked(client.get(f"/training-jobs/{job}/events", params={"since": since}))
        events += page["items"]
        if not page["items"]:
            return events


def first_at(events: Sequence[Mapping[str, Any]], type: str) -> float:
    """When the first event of a type was written, in seconds since 1970."""
    at = next(event["at"] for event in events if event["type"] == type)
    return datetime.fromisoformat(at).timestamp()


def pages(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Every item of a list."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page = checked(client.get(path, params=query))
        items += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return items


def checked(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.method} {answer.request.url}: {answer.text[:2000]}")
    return answer.json()
