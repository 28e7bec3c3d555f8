"""A tenant's side of a training job: sales, the request, and what comes of it."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

import httpx

FIRST_DAY = dt.date(2025, 1, 6)
RHYTHM = (20, 22, 25, 24, 30, 38, 12)
QUICK: Mapping[str, Any] = {"families": ["baseline"], "horizon_days": 7}
PATIENCE_SECONDS = 60.0


def sales_rows(product: str, days: int = 70, location: str = "main") -> list[dict[str, Any]]:
    """Weekdays with a rhythm of their own, and something on top that never repeats."""
    return [
        {
            "date": (FIRST_DAY + dt.timedelta(days=day)).isoformat(),
            "product": product,
            "location": location,
            "quantity": RHYTHM[day % 7] + (day * day * 7 + len(product)) % 5,
        }
        for day in range(days)
    ]


async def send_sales(client: httpx.AsyncClient, *products: str, days: int = 70) -> None:
    rows = [row for product in products for row in sales_rows(product, days)]
    await send_rows(client, rows)


async def send_rows(client: httpx.AsyncClient, rows: list[dict[str, Any]]) -> None:
    sent = await client.post("/api/v1/sales", json={"rows": rows})
    assert sent.status_code == 200, sent.text


async def ask(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    """Ask for a job that trains quickly; the job as first answered."""
    answer = await client.post("/api/v1/training-jobs", json={**QUICK, **wanted})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def read_job(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/training-jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def events_of(client: httpx.AsyncClient, job_id: str, since: int = 0) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/training-jobs/{job_id}/events", params={"since": since})
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["items"]
    return events


async def finished(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (job := await read_job(client, job_id))["finished_at"] is None:
            await asyncio.sleep(0.05)
    return job


async def products_of(client: httpx.AsyncClient, job_id: str) -> dict[str, dict[str, Any]]:
    answer = await client.get(f"/api/v1/training-jobs/{job_id}/products", params={"limit": 500})
    assert answer.status_code == 200, answer.text
    return {item["product"]: item for item in answer.json()["items"]}


def check_log(events: list[dict[str, Any]], first: int = 1) -> None:
    """`seq` without gaps, `percent` never falling."""
    assert [event["seq"] for event in events] == list(range(first, first + len(events)))
    percents = [event["percent"] for event in events]
    assert percents == sorted(percents)
