"""One `Idempotency-Key` over two API processes: one job, however many ask at once."""

import asyncio
from pathlib import Path

from httpx import AsyncClient, Limits, Response

from tests.conftest import Database
from tests.jobs.asking import sales_rows
from tests.processes import programs_on

AT_ONCE = 200
JOBS = "/training-jobs"


async def test_two_hundred_at_once_over_two_processes_make_one_job(
    database: Database, tmp_path: Path
) -> None:
    with programs_on(database, tmp_path) as programs:
        programs.serve()
        first, programs.port = programs.address, 0
        programs.serve()
        async with await programs.tenant() as client:
            sent = await client.post("/sales", json={"rows": sales_rows("roll")})
            assert sent.is_success
            headers = {"Authorization": client.headers["authorization"]}
            answers = await storm([first, programs.address], headers)
            jobs = (await client.get(JOBS, params={"limit": 500})).json()["items"]
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["id"] for answer in answers} == {jobs[0]["id"]}
    assert len(jobs) == 1


async def storm(addresses: list[str], headers: dict[str, str]) -> list[Response]:
    """The same request from as many connections as there are requests, to each in turn."""
    limits = Limits(max_connections=AT_ONCE)
    async with AsyncClient(headers=headers, limits=limits, timeout=120) as client:
        asked = headers | {"Idempotency-Key": "the-one"}
        posts = [
            client.post(f"{addresses[turn % 2]}/api/v1{JOBS}", json={}, headers=asked)
            for turn in range(AT_ONCE)
        ]
        return await asyncio.gather(*posts)
