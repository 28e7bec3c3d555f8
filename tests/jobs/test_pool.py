"""Pools are learnt before a job's series train, and none of these waits in vain."""

import datetime as dt

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.training.demand.pooled.pools import Pools
from services.training.jobs.kept_pools import Lore
from services.training.jobs.pool_artifact import unmarked
from services.training.jobs.pooling import LearntPools, bury_pool, pool_cost, publish_pools
from services.training.jobs.store import POOL, TRAIN
from services.training.jobs.workshop import Workshop
from services.training.queue.task import StalePublish
from shared.database import Sessions
from tests.conftest import Database, Tenant, execute, make_tenant
from tests.jobs.asking import (
    ask,
    check_log,
    events_of,
    finished,
    products_of,
    read_job,
    sales_rows,
    send_rows,
    send_sales,
)
from tests.jobs.claiming import claim
from tests.jobs.conftest import Working
from tests.jobs.pooled_jobs import POOLED, PRODUCTS, prepare, run, tasks_of

A_POOL = LearntPools(b"bytes that nobody reads here", Lore(5, dt.date(2025, 6, 4)))


async def test_the_pool_is_learnt_first_and_every_series_trains_with_it(
    bakery: Tenant, worker: None, sessions: Sessions
) -> None:
    job = await run(bakery.client)
    assert (job["status"], job["warnings"]) == ("succeeded", [])
    assert job["products"]["total"] == job["products"]["succeeded"] == len(PRODUCTS)
    [pool] = await tasks_of(sessions, bakery, job["id"], POOL)
    trainings = await tasks_of(sessions, bakery, job["id"], TRAIN)
    assert pool.finished_at is not None
    assert all(one.started_at > pool.finished_at for one in trainings if one.started_at)
    assert pool.result is not None
    assert {one.payload["pools"] for one in trainings} == {pool.result["sha256"]}
    products = await products_of(bakery.client, job["id"])
    assert {item["family"] for item in products.values()} == {"pooled"}


async def test_only_the_series_are_products_of_the_job(bakery: Tenant, worker: None) -> None:
    job = await run(bakery.client)
    assert (await products_of(bakery.client, job["id"])).keys() == set(PRODUCTS)


async def test_what_is_stored_as_the_pool_is_one(
    bakery: Tenant, worker: None, sessions: Sessions, workshop: Workshop
) -> None:
    job = await run(bakery.client)
    [pool] = await tasks_of(sessions, bakery, job["id"], POOL)
    assert pool.result is not None
    stored = await workshop.artifacts.get(str(bakery.id), pool.result["sha256"])
    assert len(stored) == pool.result["bytes"]
    pools = unmarked(stored)
    assert Pools.from_bytes(pools).to_bytes() == pools


async def test_the_log_tells_of_the_pool_without_a_gap_and_before_the_first_series(
    bakery: Tenant, worker: None
) -> None:
    job = await run(bakery.client)
    events = await events_of(bakery.client, job["id"])
    check_log(events)
    told = [event["message"] for event in events]
    learnt = told.index(f"the pool of {len(PRODUCTS)} series: learnt")
    assert told.index(f"the pool of {len(PRODUCTS)} series: learning") < learnt
    assert learnt < [event["type"] for event in events].index("product.started")
    cost = pool_cost(len(PRODUCTS))
    share = 99 * cost / (cost + len(PRODUCTS))
    assert events[learnt]["percent"] == pytest.approx(share, abs=0.01)
    assert events[2]["data"] == {"queued": len(PRODUCTS)}


@pytest.mark.parametrize("families", [["prophet"], ["baseline"]])
async def test_who_asks_for_no_family_that_needs_a_pool_waits_for_none(
    bakery: Tenant, workshop: Workshop, sessions: Sessions, families: list[str]
) -> None:
    job = await ask(bakery.client, families=families)
    await prepare(workshop)
    assert await tasks_of(sessions, bakery, job["id"], POOL) == []
    assert len(await claim(workshop, TRAIN)) == len(PRODUCTS)


@pytest.mark.parametrize("families", [None, ["pooled"], ["baseline", "combine"]])
async def test_who_asks_for_one_that_does_waits(
    bakery: Tenant, workshop: Workshop, families: list[str] | None
) -> None:
    job = await ask(bakery.client, families=families)
    await prepare(workshop)
    assert await claim(workshop, TRAIN) == []
    counts = (await read_job(bakery.client, job["id"]))["products"]
    assert (counts["total"], counts["queued"]) == (len(PRODUCTS), len(PRODUCTS))
    products = await products_of(bakery.client, job["id"])
    assert {item["state"] for item in products.values()} == {"queued"}
    assert len(await claim(workshop, POOL)) == 1


async def test_a_job_with_nothing_to_train_learns_no_pool(
    bakery: Tenant, worker: None, sessions: Sessions
) -> None:
    await run(bakery.client)
    again = await run(bakery.client)
    assert again["products"]["skipped"] == len(PRODUCTS)
    assert await tasks_of(sessions, bakery, again["id"], POOL) == []


async def test_series_that_hold_too_little_together_train_without_a_pool_and_the_job_says_so(
    shop: Tenant, worker: None, sessions: Sessions
) -> None:
    job = await run(shop.client, families=["pooled", "baseline"])
    [warning] = job["warnings"]
    assert warning["code"] == "pool_too_small"
    assert "usable days" in warning["message"]
    assert job["status"] == "succeeded"
    [pool] = await tasks_of(sessions, shop, job["id"], POOL)
    assert (pool.state, pool.attempt) == ("failed", 1)
    again = await run(shop.client, families=["pooled", "baseline"])
    assert again["products"]["skipped"] == 2


async def test_a_product_too_new_to_train_by_itself_lives_off_the_pool(
    bakery: Tenant, worker: None
) -> None:
    rows = sales_rows("new", days=150)[-14:]
    await send_rows(bakery.client, rows)
    job = await run(bakery.client)
    new = (await products_of(bakery.client, job["id"]))["new"]
    assert (new["state"], new["family"]) == ("succeeded", "pooled")
    alone = await run(bakery.client, families=["prophet"], products=["new"])
    new = (await products_of(bakery.client, alone["id"]))["new"]
    assert (new["state"], new["error"]["code"]) == ("failed", "too_short")


async def test_a_pool_whose_attempts_are_used_up_holds_nobody_and_the_next_job_trains_again(
    bakery: Tenant, workshop: Workshop, sessions: Sessions, database: Database, working: Working
) -> None:
    """Its payload asks for what no pool can be, so that every attempt fails."""
    wanted = {"families": ["pooled", "baseline"]}
    job = await ask(bakery.client, **wanted)
    await prepare(workshop)
    spoil = "jsonb_set(payload, '{config,horizon_days}', '0')"
    await execute(database.admin_dsn, f"UPDATE tasks SET payload = {spoil} WHERE kind = 'pool'")
    async with working():
        ended = await finished(bakery.client, job["id"])
        again = await run(bakery.client, **wanted)
    assert ended["products"]["succeeded"] == len(PRODUCTS)
    assert [warning["code"] for warning in ended["warnings"]] == ["pool_failed"]
    [pool] = await tasks_of(sessions, bakery, job["id"], POOL)
    assert (pool.state, pool.attempt) == ("failed", pool.max_attempts)
    assert (again["products"]["succeeded"], again["warnings"]) == (len(PRODUCTS), [])


async def test_a_job_cancelled_while_it_waits_for_its_pool_leaves_nothing(
    bakery: Tenant, workshop: Workshop
) -> None:
    job = await ask(bakery.client, **POOLED)
    await prepare(workshop)
    [task] = await claim(workshop, POOL)
    answer = await bakery.client.post(f"/api/v1/training-jobs/{job['id']}/cancel")
    counts = answer.json()["products"]
    assert (counts["cancelled"], counts["queued"]) == (len(PRODUCTS), 0)
    with pytest.raises(StalePublish):
        await publish_pools(workshop, task, A_POOL)
    with pytest.raises(StalePublish):
        await bury_pool(workshop, task, {"code": "late", "message": "too late"})
    assert await claim(workshop, POOL) == await claim(workshop, TRAIN) == []
    events = await events_of(bakery.client, job["id"])
    check_log(events)
    kinds = [event["type"] for event in events]
    assert kinds.count("product.cancelled") == len(PRODUCTS)
    assert kinds[-1] == "job.finished"


async def test_two_jobs_of_two_tenants_learn_two_pools(
    app: FastAPI, api: AsyncClient, bakery: Tenant, worker: None, sessions: Sessions
) -> None:
    other = await make_tenant(app, api)
    async with other.client:
        await send_sales(other.client, "cake", "pie", "tart", days=250)
        mine = await ask(bakery.client, **POOLED)
        theirs = await ask(other.client, **POOLED)
        for owner, job, count in ((bakery, mine, len(PRODUCTS)), (other, theirs, 3)):
            ended = await finished(owner.client, job["id"])
            assert (ended["status"], ended["products"]["succeeded"]) == ("succeeded", count)
            [pool] = await tasks_of(sessions, owner, job["id"], POOL)
            assert pool.subject == f"the pool of {count} series"


async def test_two_jobs_of_one_tenant_wait_each_for_its_own_pool(
    bakery: Tenant, workshop: Workshop
) -> None:
    for _ in range(2):
        await ask(bakery.client, **POOLED)
    await prepare(workshop)
    first, second = await claim(workshop, POOL)
    await publish_pools(workshop, first, A_POOL)
    assert {task.group_id for task in await claim(workshop, TRAIN)} == {first.group_id}
    await bakery.client.post(f"/api/v1/training-jobs/{first.group_id}/cancel")  # frees its series
    await publish_pools(workshop, second, A_POOL)
    assert {task.group_id for task in await claim(workshop, TRAIN)} == {second.group_id}
