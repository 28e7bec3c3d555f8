"""What a supplier that is away costs the jobs that would call it, and those of others: JSON.

    python -m benchmarks.outage_cost [--products 200] [--beside 50] [--rounds 2]

Jobs over HTTP on a Morrow and on sample suppliers of their own, each of a new tenant, so that each
would read all of the weather. Medians over the rounds, the kinds one after the other in each.

weather   a job of `--products` series while the weather answers, while it answers 503, while it
          hangs: wall seconds of the job, calls at the supplier, models trained
tenants   a job of `--beside` series alone, and while three jobs of another tenant wait for a
          sales supplier that hangs: wall seconds
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import httpx

from benchmarks.made_tenant import made_tenant
from benchmarks.service import (
    Service,
    checked,
    finished,
    load,
    morrow_up,
    order,
    tenant_client,
)

QUICK: Final = {"families": ["prophet"], "max_trials": 2}
PLACE: Final = {"name": "main", "latitude": 48.1, "longitude": 11.6}
WEATHERS: Final = ("well", "status", "hang")
WAITING_JOBS: Final = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """What one job took: wall seconds, calls at the supplier, models."""

    wall: float
    calls: int
    trained: int
    degraded: bool


def run(products: int = 200, beside: int = 50, rounds: int = 2) -> dict[str, object]:
    with suppliers() as address, morrow_up() as service:
        timed_job(service, address, 10, "well")  # warms everything up
        weather: dict[str, list[Taken]] = {each: [] for each in WEATHERS}
        tenants: dict[str, list[float]] = {"alone": [], "beside_a_hanging_one": []}
        for _ in range(rounds):
            for each, jobs in weather.items():
                jobs.append(timed_job(service, address, products, each))
                rest(service)
            tenants["alone"].append(timed_job(service, address, beside, "well").wall)
            with waiting_jobs(service, address):
                seconds = timed_job(service, address, beside, "well").wall
            tenants["beside_a_hanging_one"].append(seconds)
            rest(service)
    return {"weather": told(weather), "tenants": slowdown(tenants)}


@contextmanager
def suppliers() -> Iterator[str]:
    """The sample suppliers' address, which Morrow is allowed to call."""
    os.environ["MORROW_ALLOW_PRIVATE_UPSTREAMS"] = "true"
    command = [sys.executable, "-m", "services.training.cli", "sample-upstream", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
    finally:
        process.terminate()
        process.wait()


def timed_job(service: Service, address: str, products: int, weather: str) -> Taken:
    """A job of a tenant of its own with weather from the supplier, as it is made to be."""
    tenant = made_tenant(products)
    with tenant_client(service.address, service.operator_key, tenant, "unlimited") as client:
        load(client, tenant)
        make(address, "weather", weather)
        checked(client.put("/locations/main", json=PLACE))
        connect(client, "weather", "open-meteo", address)
        before, began = calls(address), time.perf_counter()
        job = finished(client, order(client, QUICK))
        wall = time.perf_counter() - began
    make(address, "weather", "well")
    degraded = any(each["code"] == "weather_degraded" for each in job["warnings"])
    return Taken(wall, calls(address) - before, job["products"]["succeeded"], degraded)


@contextmanager
def waiting_jobs(service: Service, address: str) -> Iterator[None]:
    """Jobs of another tenant that wait for its sales, cancelled in the end."""
    make(address, "sales", "hang")
    with ExitStack() as held:
        tenant = made_tenant(2)
        client = held.enter_context(tenant_client(service.address, service.operator_key, tenant))
        load(client, tenant)
        connect(client, "sales", "http", address)
        jobs = [order(client, QUICK) for _ in range(WAITING_JOBS)]
        time.sleep(2)
        yield
        for job in jobs:
            checked(client.post(f"/training-jobs/{job['id']}/cancel"))
        make(address, "sales", "well")


def connect(client: httpx.Client, source: str, kind: str, address: str) -> None:
    checked(client.put(f"/sources/{source}", json={"kind": kind, "base_url": address}))


def make(address: str, supplier: str, mishap: str) -> None:
    path = "heal" if mishap == "well" else "fail"
    query = {"supplier": supplier} | ({} if mishap == "well" else {"mishap": mishap})
    httpx.post(f"{address}/{path}", params=query).raise_for_status()


def calls(address: str) -> int:
    counted: int = httpx.get(f"{address}/calls").json()["calls"].get("weather", 0)
    return counted


def rest(service: Service) -> None:
    """Close the breakers: the next job is to meet them as the first did."""
    headers = {"Authorization": f"Bearer {service.operator_key}"}
    with httpx.Client(base_url=f"{service.address}/api/v1", headers=headers) as operator:
        for breaker in operator.get("/circuit-breakers").json()["items"]:
            operator.post(f"/circuit-breakers/{breaker['name']}/reset").raise_for_status()
    time.sleep(1)


def told(weather: dict[str, list[Taken]]) -> dict[str, Any]:
    well = weather["well"]
    return {
        each: {
            "wall_s": round(median(job.wall for job in jobs), 2),
            "calls": median(job.calls for job in jobs),
            "trained": min(job.trained for job in jobs),
            "degraded": all(job.degraded for job in jobs),
            "wall_to_well": round(
                median(job.wall for job in jobs) / median(job.wall for job in well), 3
            ),
            "calls_to_well": round(
                median(job.calls for job in jobs) / median(job.calls for job in well), 3
            ),
        }
        for each, jobs in weather.items()
    }


def slowdown(tenants: dict[str, list[float]]) -> dict[str, float]:
    medians = {f"{name}_s": round(median(walls), 2) for name, walls in tenants.items()}
    ratio = median(tenants["beside_a_hanging_one"]) / median(tenants["alone"])
    return medians | {"times_slower": round(ratio, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=200)
    parser.add_argument("--beside", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    print(json.dumps(run(given.products, given.beside, given.rounds), indent=2))


if __name__ == "__main__":
    main()
