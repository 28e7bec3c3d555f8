"""What a limit of requests costs a request: JSON.

    python -m benchmarks.limit_cost [--requests 2000] [--beside 8]

`GET /api/v1/locations` on a Morrow of its own, by a tenant without a limit and by one with a limit
that it never reaches, in turns: milliseconds one after the other, and requests a second with
`--beside` at once. The ratios are of the medians of the rounds.
"""

import argparse
import asyncio
import json
import time
from statistics import median, quantiles
from typing import Any, Final

import httpx

from benchmarks.service import Service, morrow_up

ROUNDS: Final = 5
LIMIT: Final = 1_000_000


def run(requests: int = 2000, beside: int = 8) -> dict[str, Any]:
    with morrow_up() as service:
        return asyncio.run(_measure(service, requests // ROUNDS, beside))


async def _measure(service: Service, requests: int, beside: int) -> dict[str, Any]:
    async with _client(service, service.operator_key) as operator:
        keys = {name: await _key(operator, name) for name in ("without", "with")}
    one: dict[str, list[list[float]]] = {name: [] for name in keys}
    many: dict[str, list[float]] = {name: [] for name in keys}
    for _ in range(ROUNDS):
        for name, key in keys.items():
            async with _client(service, key) as client:
                one[name].append(await _one_after_the_other(client, requests))
                many[name].append(await _at_once(client, requests, beside))
    told: dict[str, Any] = {
        name: {
            "p50_ms": median(median(times) for times in one[name]),
            "p99_ms": median(quantiles(times, n=100)[98] for times in one[name]),
            "a_second": median(many[name]),
        }
        for name in keys
    }
    ratios = {
        f"{figure}_ratio": told["with"][figure] / told["without"][figure]
        for figure in ("p50_ms", "p99_ms", "a_second")
    }
    return told | ratios


async def _key(operator: httpx.AsyncClient, name: str) -> str:
    body = {"name": name, "country": "DE", "timezone": "Europe/Berlin", "plan": "unlimited"}
    made = (await operator.post("/tenants", json=body)).raise_for_status().json()
    if name == "with":
        limits = {"limits": {"requests_per_minute": LIMIT}}
        path = f"/tenants/{made['tenant']['id']}"
        (await operator.patch(path, json=limits)).raise_for_status()
    key: str = made["api_key"]
    return key


def _client(service: Service, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{service.address}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=60
    )


async def _one_after_the_other(client: httpx.AsyncClient, requests: int) -> list[float]:
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        (await client.get("/locations")).raise_for_status()
        times.append(1000 * (time.perf_counter() - began))
    return times


async def _at_once(client: httpx.AsyncClient, requests: int, beside: int) -> float:
    began = time.perf_counter()
    left = iter(range(requests))

    async def ask() -> None:
        for _ in left:
            (await client.get("/locations")).raise_for_status()

    await asyncio.gather(*(ask() for _ in range(beside)))
    return requests / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--beside", type=int, default=8)
    asked = parser.parse_args()
    print(json.dumps(run(asked.requests, asked.beside), indent=2))


if __name__ == "__main__":
    main()
