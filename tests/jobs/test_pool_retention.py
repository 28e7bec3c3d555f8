"""Pools are kept until newer ones replace them and no open task names them, and no longer."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.training.jobs.collect import collect, validate
from services.training.jobs.fan_out import fan_out, put_in
from services.training.jobs.kept_pools import require_kept
from services.training.jobs.pool_choice import KeepPools, PoolChoice, choose_pools
from services.training.jobs.pooling import publish_pools
from services.training.jobs.prepare import start
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.snapshot import snapshot, training_config
from services.training.jobs.store import POOL, PREPARE, TRAIN
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.task import ClaimedTask, Priority, Snooze, StalePublish
from shared.artifacts import ArtifactMissing
from shared.database import tenant_transaction
from tests.conftest import Database, Tenant, execute
from tests.jobs.asking import ask
from tests.jobs.claiming import claim
from tests.jobs.keeping import keep_pools, kept_by, pools_of
from tests.jobs.pooled_jobs import POOLED, prepare

WAITS_FOR_ITS_TURN = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def is_stored(workshop: Workshop, tenant: Tenant, sha256: str) -> bool:
    try:
        await workshop.artifacts.get(str(tenant.id), sha256)
    except ArtifactMissing:
        return False
    return True


async def end_trainings(database: Database, state: str = "succeeded") -> None:
    await execute(database.admin_dsn, f"UPDATE tasks SET state = '{state}' WHERE kind = 'train'")


async def end_running(database: Database) -> None:
    ended = "UPDATE tasks SET state = 'succeeded' WHERE state = 'running' AND kind = 'train'"
    await execute(database.admin_dsn, ended)


async def new_pool_task(workshop: Workshop, tenant: Tenant) -> ClaimedTask:
    await ask(tenant.client, **POOLED, force=True)
    await prepare(workshop)
    [task] = await claim(workshop, POOL)
    return task


async def test_newer_pools_replace_those_that_nobody_names(
    bakery: Tenant, workshop: Workshop, database: Database
) -> None:
    old = await keep_pools(workshop, bakery)
    await end_trainings(database)
    new = await keep_pools(workshop, bakery)
    assert [one.sha256 for one in await kept_by(workshop.sessions, bakery)] == [new.sha256]
    assert not await is_stored(workshop, bakery, old.sha256)
    assert await is_stored(workshop, bakery, new.sha256)


async def test_pools_of_another_horizon_stay(
    bakery: Tenant, workshop: Workshop, database: Database
) -> None:
    other = await keep_pools(workshop, bakery, horizon_days=14)
    await end_trainings(database)
    await keep_pools(workshop, bakery)
    assert len(await kept_by(workshop.sessions, bakery)) == 2
    assert await is_stored(workshop, bakery, other.sha256)


@pytest.mark.parametrize("state", ["held", "queued", "running"])
async def test_what_an_open_task_names_stays_until_newer_ones_come_after_its_end(
    bakery: Tenant, workshop: Workshop, database: Database, state: str
) -> None:
    old = await keep_pools(workshop, bakery)
    await end_trainings(database, state)
    new = await keep_pools(workshop, bakery)
    digests = [one.sha256 for one in await kept_by(workshop.sessions, bakery)]
    assert digests == [old.sha256, new.sha256]
    assert await is_stored(workshop, bakery, old.sha256)
    await end_trainings(database, "cancelled")
    newest = await keep_pools(workshop, bakery)
    assert [one.sha256 for one in await kept_by(workshop.sessions, bakery)] == [newest.sha256]
    assert not await is_stored(workshop, bakery, old.sha256)


async def test_a_job_whose_pools_are_replaced_while_it_is_prepared_chooses_again(
    bakery: Tenant, workshop: Workshop, database: Database
) -> None:
    old = await keep_pools(workshop, bakery)
    await end_trainings(database)
    later = await new_pool_task(workshop, bakery)
    await ask(bakery.client, **POOLED, products=["p0"], force=False)
    [small] = await claim(workshop, PREPARE)
    request, choice = await prepared(workshop, small)
    assert choice == KeepPools(old.sha256)
    await publish_pools(workshop, later, pools_of())
    await claim(workshop, TRAIN)
    with pytest.raises(Snooze, match="replaced"):
        await fan_out(workshop, small, request, choice)
    assert await claim(workshop, TRAIN) == []
    [new] = await kept_by(workshop.sessions, bakery)
    _, again = await prepared(workshop, small)
    assert again == KeepPools(new.sha256)
    await end_running(database)  # or the same series waits for them
    await fan_out(workshop, small, request, again)
    [training] = await claim(workshop, TRAIN)
    assert training.payload["pools"] == new.sha256


async def prepared(workshop: Workshop, task: ClaimedTask) -> tuple[TrainingRequest, PoolChoice]:
    """All of `pipeline.prepare` but its last step."""
    request = await start(workshop, task)
    async for collected in collect(workshop, task, request):
        checked = validate(workshop, collected)
        await put_in(workshop, task, await snapshot(workshop, task, request, checked))
    config = training_config(request, workshop.settings)
    return request, await choose_pools(workshop, task, request, config)


async def test_who_drops_pools_waits_for_who_is_about_to_name_them(
    bakery: Tenant, workshop: Workshop, database: Database
) -> None:
    old = await keep_pools(workshop, bakery)
    await end_trainings(database)
    later = await new_pool_task(workshop, bakery)
    async with tenant_transaction(workshop.sessions, bakery.id) as session:
        await require_kept(session, bakery.id, {old.sha256})
        publishing = asyncio.create_task(publish_pools(workshop, later, pools_of()))
        await until_one_waits(database)
        naming: dict[str, Any] = {"pools": old.sha256}
        new = NewTask(old.job_id, TRAIN, "p0 at main", naming, Priority.INTERACTIVE)
        await enqueue(session, bakery.id, [new])
    await publishing
    assert old.sha256 in {one.sha256 for one in await kept_by(workshop.sessions, bakery)}
    assert await is_stored(workshop, bakery, old.sha256)


async def until_one_waits(database: Database) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    async with asyncio.timeout(30):
        while await connection.fetchval(WAITS_FOR_ITS_TURN) is None:
            await asyncio.sleep(0.01)
    await connection.close()


async def test_the_same_pools_learnt_twice_are_two_artifacts_so_that_dropping_one_leaves_the_other(
    bakery: Tenant, workshop: Workshop
) -> None:
    first, second = await keep_pools(workshop, bakery), await keep_pools(workshop, bakery)
    assert first.sha256 != second.sha256
    for sha256 in (first.sha256, second.sha256):
        saved = await workshop.pools.get(str(bakery.id), sha256)
        assert saved.content == pools_of().content


async def test_pools_of_a_cancelled_job_leave_neither_a_row_nor_an_artifact(
    bakery: Tenant, workshop: Workshop, tmp_path: Path
) -> None:
    task = await new_pool_task(workshop, bakery)
    before = stored_files(tmp_path)
    await bakery.client.post(f"/api/v1/training-jobs/{task.group_id}/cancel")
    with pytest.raises(StalePublish):
        await publish_pools(workshop, task, pools_of())
    assert await kept_by(workshop.sessions, bakery) == []
    assert stored_files(tmp_path) == before != []


def stored_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
