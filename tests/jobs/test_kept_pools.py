"""What one job learnt across a tenant's series serves the tenant's later jobs, and nobody else."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.training.demand.pooled.pools import MOST_SERIES
from services.training.jobs.kept_pools import Lore
from services.training.jobs.pool_choice import MOST_DAYS_BEHIND
from services.training.jobs.pool_lesson import read_lesson
from services.training.jobs.store import POOL, TRAIN
from services.training.jobs.workshop import Workshop
from shared.database import Sessions
from tests.conftest import Database, Tenant, execute, make_tenant
from tests.jobs.asking import ask, events_of, products_of, sales_rows, send_rows, send_sales
from tests.jobs.claiming import claim
from tests.jobs.keeping import LORE, THROUGH, keep_pools, kept_by, waits_for_pools
from tests.jobs.pooled_jobs import DAYS, POOLED, PRODUCTS, prepare, run, tasks_of


async def sell_on(tenant: Tenant, product: str, days: int = 1) -> None:
    """So that the product is to be trained again."""
    await send_rows(tenant.client, sales_rows(product, DAYS + days)[DAYS:])


@pytest.mark.parametrize(("families", "family"), [(["pooled"], "pooled"), (["combine"], "combine")])
async def test_a_small_job_trains_at_once_with_what_a_full_one_learnt(
    bakery: Tenant, worker: None, sessions: Sessions, families: list[str], family: str
) -> None:
    full = await run(bakery.client)
    await sell_on(bakery, "p1")
    small = await run(bakery.client, products=["p1"], families=families, max_trials=1)
    assert (small["status"], small["warnings"]) == ("succeeded", [])
    assert await tasks_of(sessions, bakery, small["id"], POOL) == []
    [learnt] = await tasks_of(sessions, bakery, full["id"], POOL)
    [training] = await tasks_of(sessions, bakery, small["id"], TRAIN)
    assert learnt.result is not None
    assert training.payload["pools"] == learnt.result["sha256"]
    assert (await products_of(bakery.client, small["id"]))["p1"]["family"] == family
    told = [event["message"] for event in await events_of(bakery.client, small["id"])]
    assert told[2].endswith("with the pools of an earlier job")


async def test_one_changed_product_among_all_trains_at_once(
    bakery: Tenant, worker: None, sessions: Sessions
) -> None:
    await run(bakery.client)
    await sell_on(bakery, "p1")
    again = await run(bakery.client)
    assert (again["products"]["succeeded"], again["products"]["skipped"]) == (1, 4)
    assert await tasks_of(sessions, bakery, again["id"], POOL) == []


async def test_a_small_job_without_kept_pools_learns_from_the_whole_tenant_for_the_next_too(
    bakery: Tenant, worker: None, sessions: Sessions, tmp_path: Path
) -> None:
    first = await run(bakery.client, products=["p0"])
    assert (await products_of(bakery.client, first["id"])).keys() == {"p0"}
    [kept] = await kept_by(sessions, bakery)
    assert (kept.series, kept.data_through) == (len(PRODUCTS), THROUGH)
    second = await run(bakery.client, products=["p1"])
    assert await tasks_of(sessions, bakery, second["id"], POOL) == []
    for job, product in ((first, "p0"), (second, "p1")):
        assert (await products_of(bakery.client, job["id"]))[product]["family"] == "pooled"
    stored = [path for path in tmp_path.joinpath("models").rglob("*") if path.is_file()]
    datasets_and_models = 2 * 2
    assert len(stored) == datasets_and_models + 1, "nothing of series that did not train"


async def test_a_job_of_most_series_learns_anew(
    bakery: Tenant, worker: None, sessions: Sessions
) -> None:
    first = await run(bakery.client)
    for product in PRODUCTS[:3]:
        await sell_on(bakery, product)
    second = await run(bakery.client)
    assert second["products"]["succeeded"] == 3
    [kept] = await kept_by(sessions, bakery)
    assert str(kept.job_id) == second["id"] != first["id"]
    assert kept.data_through == THROUGH + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "anew"), [(MOST_DAYS_BEHIND, False), (MOST_DAYS_BEHIND + 1, True)]
)
async def test_pools_that_know_too_little_of_late_are_not_used(
    bakery: Tenant, workshop: Workshop, days: int, anew: bool
) -> None:
    await keep_pools(workshop, bakery, Lore(len(PRODUCTS), THROUGH - dt.timedelta(days=days)))
    assert await waits_for_pools(workshop, bakery) is anew


@pytest.mark.parametrize(("series", "anew"), [(4, False), (3, True)])
async def test_pools_of_a_tenant_that_has_outgrown_them_are_not_used(
    bakery: Tenant, workshop: Workshop, series: int, anew: bool
) -> None:
    await send_sales(bakery.client, "the sixth", days=DAYS)
    await keep_pools(workshop, bakery, Lore(series, THROUGH))
    assert await waits_for_pools(workshop, bakery) is anew


@pytest.mark.parametrize(
    "wanted", [{"horizon_days": 8}, {"training_window_days": 100}, {"force": True}]
)
async def test_who_asks_for_other_pools_or_new_ones_waits_for_them(
    bakery: Tenant, workshop: Workshop, wanted: dict[str, Any]
) -> None:
    await keep_pools(workshop, bakery)
    assert await waits_for_pools(workshop, bakery, **wanted)
    assert not await waits_for_pools(workshop, bakery, products=["p2"])


async def test_kept_pools_outlive_the_job_that_learnt_them(
    bakery: Tenant, workshop: Workshop, database: Database
) -> None:
    await keep_pools(workshop, bakery)
    gone = [f"DELETE FROM {table}" for table in ("job_events", "tasks", "jobs")]
    await execute(database.admin_dsn, *gone)
    assert not await waits_for_pools(workshop, bakery)


async def test_pools_of_another_engine_are_not_used(
    bakery: Tenant, workshop: Workshop, database: Database
) -> None:
    await keep_pools(workshop, bakery)
    await execute(database.admin_dsn, "UPDATE kept_pools SET engine = engine - 1")
    assert await waits_for_pools(workshop, bakery)


async def test_pools_of_another_tenant_are_never_used(
    app: FastAPI, api: AsyncClient, bakery: Tenant, workshop: Workshop
) -> None:
    await keep_pools(workshop, bakery)
    other = await make_tenant(app, api)
    async with other.client:
        await send_sales(other.client, *PRODUCTS, days=DAYS)
        assert await waits_for_pools(workshop, other)
        assert await kept_by(workshop.sessions, other) == []
    assert not await waits_for_pools(workshop, bakery)


@pytest.mark.parametrize("damage", ["changed", "missing"])
async def test_damaged_pools_are_dropped_learnt_again_and_warned_of_once(
    bakery: Tenant, worker: None, sessions: Sessions, tmp_path: Path, damage: str
) -> None:
    await run(bakery.client)
    [damaged] = await kept_by(sessions, bakery)
    path = tmp_path / "models" / str(bakery.id) / damaged.sha256[:2] / damaged.sha256
    if damage == "changed":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    await sell_on(bakery, "p1")
    small = await run(bakery.client)
    assert (small["status"], small["products"]["succeeded"]) == ("succeeded", 1)
    [warning] = small["warnings"]
    assert warning["code"] == "pools_damaged"
    assert str(damaged.job_id) in warning["message"]
    [kept] = await kept_by(sessions, bakery)
    assert str(kept.job_id) == small["id"]
    await sell_on(bakery, "p2")
    next_one = await run(bakery.client)
    assert (next_one["status"], next_one["warnings"]) == ("succeeded", [])
    assert await tasks_of(sessions, bakery, next_one["id"], POOL) == []


async def test_pools_learn_from_every_series_with_sales_in_the_job_or_not(
    bakery: Tenant, workshop: Workshop
) -> None:
    empty = [row | {"quantity": None} for row in sales_rows("unsold", 3)]
    await send_rows(bakery.client, empty)
    await ask(bakery.client, **POOLED, products=["p0"])
    await prepare(workshop)
    [task] = await claim(workshop, POOL)
    taught = await read_lesson(workshop, task)
    assert len(taught.lesson.datasets) == len(PRODUCTS)
    assert taught.lore == Lore(len(PRODUCTS) + 1, LORE.data_through)


async def test_of_a_large_tenant_the_same_part_is_drawn_again(
    tenant: Tenant, workshop: Workshop
) -> None:
    names = [f"p{number}" for number in range(MOST_SERIES + 5)]
    await send_sales(tenant.client, *names, days=30)
    await ask(tenant.client, **POOLED, products=["p0"])
    await prepare(workshop)
    [task] = await claim(workshop, POOL)
    first, second = await read_lesson(workshop, task), await read_lesson(workshop, task)
    assert first == second
    assert len(set(first.lesson.datasets)) == MOST_SERIES
    assert first.lore.series == len(names)
