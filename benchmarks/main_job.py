"""The main job over HTTP on real tenants: load, train every product, read every forecast.

`python -m benchmarks.main_job [SET ...]` runs `morrow up` in a directory of its own, and prints
JSON: seconds and states for each data set, at the service's default settings.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.real_data import TenantData, read_tenant
from services.training.sample.api_shapes import event_bodies, regressor_rows, sales_csv

SETS = ("kiel_bakery", "ddop_bakery", "french_bakery")
PAGE = 500
REQUEST_SECONDS = 120.0
POLL_SECONDS = 0.25
DEFAULTS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one tenant's job. `states` counts `succeeded`, `paper`, and `refused:<code>` or
    `failed:<code>`; `levels` the rungs that answer the forecasts; seconds are wall seconds, but
    for `seconds_per_product`, which are those of a training in its child."""

    status: str
    series: int
    states: dict[str, int]
    levels: dict[str, int]
    load_seconds: float
    train_seconds: float
    forecast_seconds: float
    seconds_per_product: dict[str, float]
    unanswered: list[str]


def run(names: Sequence[str] = SETS, wanted: Mapping[str, Any] = DEFAULTS) -> dict[str, Any]:
    """The outcome for each data set by name, and the totals."""
    with morrow_up() as (address, operator_key):
        outcomes = {}
        for name in names:
            with tenant_client(address, operator_key, read_tenant(name)) as client:
                outcomes[name] = main_job(client, read_tenant(name), wanted)
    return {"sets": {name: asdict(outcome) for name, outcome in outcomes.items()}} | {
        "total": total(list(outcomes.values()))
    }


def main_job(client: httpx.Client, tenant: TenantData, wanted: Mapping[str, Any]) -> Outcome:
    """Load the tenant's data, train all of it, and read every forecast."""
    began = time.perf_counter()
    load(client, tenant)
    loaded = time.perf_counter()
    job = train(client, wanted)
    trained = time.perf_counter()
    items = pages(client, f"/training-jobs/{job['id']}/products")
    levels = {label(item): level_of(client, item) for item in items}
    answered = time.perf_counter()
    return Outcome(
        status=job["status"],
        series=len(items),
        states=dict(Counter(map(state_of, items))),
        levels=dict(Counter(level for level in levels.values() if level is not None)),
        load_seconds=round(loaded - began, 2),
        train_seconds=round(trained - loaded, 2),
        forecast_seconds=round(answered - trained, 2),
        seconds_per_product=spread([item["seconds"] for item in items if item["seconds"]]),
        unanswered=[name for name, level in levels.items() if level is None],
    )


def load(client: httpx.Client, tenant: TenantData) -> None:
    """Sales, what is known of the days, and the tenant's own events."""
    content_type = {"Content-Type": "text/csv"}
    checked(client.post("/sales", content=sales_csv(tenant), headers=content_type))
    if rows := regressor_rows(tenant):
        checked(client.post("/regressors", json={"rows": rows}))
    for event, body in event_bodies(tenant).items():
        checked(client.put(f"/events/{event}", json=body))


def train(client: httpx.Client, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for everything to be trained; the job once it has ended."""
    job = checked(client.post("/training-jobs", json=dict(wanted)))
    while job["finished_at"] is None:
        time.sleep(POLL_SECONDS)
        job = checked(client.get(f"/training-jobs/{job['id']}"))
    return job


def level_of(client: httpx.Client, item: Mapping[str, Any]) -> str | None:
    """The rung that answers the forecast of a series; None where there is no forecast."""
    query = {"product": item["product"], "location": item["location"]}
    answer = client.get("/forecasts", params=query)
    if answer.status_code == 404:
        return None
    level: str = checked(answer)["level"]
    return level


def state_of(item: Mapping[str, Any]) -> str:
    if item["error"] is not None:
        return f"{item['state']}:{item['error']['code']}"
    return "paper" if item["stage"] == "paper" else str(item["state"])


def label(item: Mapping[str, Any]) -> str:
    return f"{item['product']} at {item['location']}"


def spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {
        "median": round(statistics.median(seconds), 3),
        "mean": round(statistics.mean(seconds), 3),
        "most": round(max(seconds), 3),
    }


def total(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    states = Counter[str]()
    for outcome in outcomes:
        states.update(outcome.states)
    series = sum(outcome.series for outcome in outcomes)
    return {
        "series": series,
        "train_seconds": round(sum(outcome.train_seconds for outcome in outcomes), 2),
        "shares": {state: round(count / series, 4) for state, count in states.items()},
    }


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


@contextmanager
def tenant_client(address: str, operator_key: str, tenant: TenantData) -> Iterator[httpx.Client]:
    """A client with the key of a tenant made for this data."""
    body = {
        "name": tenant.name,
        "country": tenant.country,
        "subdivision": tenant.subdivision,
        "timezone": tenant.timezone,
        "currency": tenant.currency,
    }
    with client_of(address, operator_key) as operator:
        key = checked(operator.post("/tenants", json=body))["api_key"]
    with client_of(address, key) as client:
        yield client


def client_of(address: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=REQUEST_SECONDS)


@contextmanager
def morrow_up() -> Iterator[tuple[str, str]]:
    """The whole service for as long as the body: its address and its operator key."""
    with tempfile.TemporaryDirectory(prefix="morrow-main-job-") as folder:
        Path(folder).chmod(0o711)
        command = [sys.executable, "-m", "services.training.cli", "up", "--port", "0"]
        up = subprocess.Popen(
            [*command, "--data-dir", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert up.stdout is not None
            ready = next((line for line in up.stdout if line.startswith("ready ")), None)
            if ready is None:
                raise RuntimeError(f"morrow up ended with {up.wait()}")
            yield ready.split()[1], (Path(folder) / "operator.key").read_text().strip()
        finally:
            up.terminate()
            up.wait()


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:] or SETS), indent=2))
