"""What a tenant may ask for at once is limited; what it was promised is never lost."""

import asyncio
import json

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.training.jobs.pipeline import prepare
from services.training.jobs.workshop import Workshop
from services.training.queue.task import Snooze
from tests.conftest import Database, Tenant, make_tenant
from tests.jobs.asking import QUICK, ask, finished, products_of, read_job, send_sales
from tests.jobs.claiming import claim
from tests.jobs.conftest import Working

JOBS = "/api/v1/training-jobs"


async def limit(database: Database, tenant: Tenant, **limits: int) -> None:
    """As the operator sets them."""
    operator = await asyncpg.connect(database.admin_dsn)
    await operator.execute(
        "UPDATE tenants SET limits = $2 WHERE tenant_id = $1", tenant.id, json.dumps(limits)
    )
    await operator.close()


async def test_more_open_jobs_than_allowed_are_refused_for_now(
    shop: Tenant, database: Database
) -> None:
    await limit(database, shop, open_jobs=2)
    first, _ = await ask(shop.client), await ask(shop.client)
    answer = await shop.client.post(JOBS, json=QUICK)
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "too_many_jobs"
    await shop.client.post(f"{JOBS}/{first['id']}/cancel")
    await ask(shop.client)


async def test_a_full_queue_admits_no_job(shop: Tenant, database: Database) -> None:
    await limit(database, shop, queued_tasks=1)
    await ask(shop.client)
    answer = await shop.client.post(JOBS, json=QUICK)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_queued_tasks")
    assert "retry-after" in answer.headers


async def test_requests_at_the_same_time_share_what_is_left(
    shop: Tenant, database: Database
) -> None:
    await limit(database, shop, open_jobs=3)
    answers = await asyncio.gather(*(shop.client.post(JOBS, json=QUICK) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 5


async def test_a_refused_request_may_be_sent_again_with_its_key(
    shop: Tenant, database: Database
) -> None:
    await limit(database, shop, open_jobs=0)
    headers = {"Idempotency-Key": "k"}
    assert (await shop.client.post(JOBS, json=QUICK, headers=headers)).status_code == 429
    await limit(database, shop)
    assert (await shop.client.post(JOBS, json=QUICK, headers=headers)).status_code == 202


async def test_what_one_tenant_has_queued_is_no_other_tenants_limit(
    shop: Tenant, database: Database, app: FastAPI, api: httpx.AsyncClient
) -> None:
    other = await make_tenant(app, api)
    async with other.client:
        for each in (shop, other):
            await limit(database, each, queued_tasks=1, open_jobs=1)
        await send_sales(other.client, "roll")
        await ask(shop.client)
        await ask(other.client)
        assert (await other.client.post(JOBS, json=QUICK)).status_code == 429


async def test_a_job_whose_series_find_no_room_waits_says_so_and_loses_none(
    shop: Tenant, database: Database, workshop: Workshop, working: Working
) -> None:
    await limit(database, shop, queued_tasks=3)
    await ask(shop.client)
    [before] = await claim(workshop, "prepare")
    await prepare(workshop, before)
    job = await ask(shop.client, families=["baseline", "prophet"])
    [task] = await claim(workshop, "prepare")
    with pytest.raises(Snooze):
        await prepare(workshop, task)
    waiting = await read_job(shop.client, job["id"])
    assert waiting["status"] == "running"
    [warning] = waiting["warnings"]
    assert warning["code"] == "waited_for_room"
    assert "2 tasks of 3 are queued" in warning["message"]
    await give_room(database)
    async with working():
        ended = await finished(shop.client, job["id"])
    assert ended["products"]["succeeded"] == 2


async def test_a_job_that_no_empty_queue_would_hold_fails_and_names_the_way_out(
    shop: Tenant, database: Database, workshop: Workshop, working: Working
) -> None:
    await limit(database, shop, queued_tasks=1)
    job = await ask(shop.client)
    async with working():
        ended = await finished(shop.client, job["id"])
    assert ended["status"] == "failed"
    assert "2 series to train, and 1 tasks" in ended["execution"]["reason"]
    assert "`products`" in ended["execution"]["reason"]


async def test_two_jobs_for_the_same_series_train_it_once(
    shop: Tenant, workshop: Workshop, working: Working
) -> None:
    jobs = [await ask(shop.client), await ask(shop.client)]
    for task in await claim(workshop, "prepare"):
        await prepare(workshop, task)
    async with working():
        ended = [await finished(shop.client, job["id"]) for job in jobs]
    counts = [(job["products"]["succeeded"], job["products"]["skipped"]) for job in ended]
    assert sum(trained for trained, _ in counts) == 2
    assert sum(skipped for _, skipped in counts) == 2
    models = (await shop.client.get("/api/v1/models")).json()["items"]
    assert [model["version"] for model in models] == [1, 1]


async def test_two_jobs_that_insist_train_a_series_one_after_the_other(
    shop: Tenant, workshop: Workshop, working: Working
) -> None:
    jobs = [await ask(shop.client, force=True), await ask(shop.client, force=True)]
    for task in await claim(workshop, "prepare"):
        await prepare(workshop, task)
    async with working():
        ended = [await finished(shop.client, job["id"]) for job in jobs]
    assert [job["products"]["succeeded"] for job in ended] == [2, 2]
    products = [await products_of(shop.client, job["id"]) for job in jobs]
    assert {item["attempt"] for found in products for item in found.values()} == {1}


async def give_room(database: Database) -> None:
    """As if the waiting had been waited, and the task that the test held had lost its lease."""
    operator = await asyncpg.connect(database.admin_dsn)
    await operator.execute("UPDATE tasks SET lease_until = now() WHERE state = 'running'")
    await operator.close()
