"""The API on a port of its own, and a job of a tenant's that nobody works at."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.jobs.asking import sales_rows
from tests.processes import Programs
from tests.served import served
from tests.streams.watching import JOBS

__all__ = ["served"]


@pytest.fixture
async def client(served: Programs) -> AsyncIterator[httpx.AsyncClient]:
    async with await served.tenant() as opened:
        rows = sales_rows("roll")
        assert (await opened.post("/sales", json={"rows": rows})).is_success
        yield opened


@pytest.fixture
async def job(client: httpx.AsyncClient) -> str:
    answer = await client.post(JOBS, json={})
    job_id: str = answer.json()["id"]
    return job_id
