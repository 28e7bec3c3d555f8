"""The tasks of a large job go in and are let in by batches; whatever dies between two of them, each
series has one task, and the job ends after its last."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg import Connection

from services.training.jobs.admission import NoRoom
from services.training.jobs.collect import collect, validate
from services.training.jobs.events import EventType
from services.training.jobs.fan_out import fan_out, put_in
from services.training.jobs.letting_in import BATCH, let_in_the_rest
from services.training.jobs.pipeline import cargo_of, prepare
from services.training.jobs.prepare import start
from services.training.jobs.settle import event_of, job_transaction, settle_product
from services.training.jobs.snapshot import snapshot
from services.training.jobs.store import PREPARE, RELEASE, TRAIN
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.task import ClaimedTask, Priority, StalePublish, State
from shared.database import tenant_transaction
from tests.conftest import Database, Tenant, execute
from tests.jobs.asking import ask, check_log, events_of, read_job, send_sales
from tests.jobs.claiming import claim
from tests.jobs.test_admission import limit

LEASES_END = "UPDATE tasks SET lease_until = now() - interval '1 second' WHERE state = 'running'"


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def read(workshop: Workshop, task: ClaimedTask) -> list[NewTask]:
    """What the task has to put in."""
    request = await start(workshop, task)
    tasks: list[NewTask] = []
    async for collected in collect(workshop, task, request):
        tasks += await snapshot(workshop, task, request, validate(workshop, collected))
    return tasks


async def taken_over(workshop: Workshop, database: Database, kind: str) -> ClaimedTask:
    """The task that somebody had, as its next holder has it."""
    await execute(database.admin_dsn, LEASES_END)
    [task] = await claim(workshop, kind)
    return task


async def trainings(operator: Connection) -> list[tuple[str, str]]:
    rows = await operator.fetch("SELECT subject, state FROM tasks WHERE kind = 'train' ORDER BY id")
    return [(row["subject"], row["state"]) for row in rows]


async def test_who_follows_a_worker_that_died_between_batches_goes_on_after_what_is_there(
    shop: Tenant, workshop: Workshop, database: Database, operator: Connection
) -> None:
    await ask(shop.client)
    [dead] = await claim(workshop, PREPARE)
    first, _ = await read(workshop, dead)
    await put_in(workshop, dead, [first])
    await prepare(workshop, await taken_over(workshop, database, PREPARE))
    assert await trainings(operator) == [("bun at main", "queued"), ("roll at main", "queued")]


async def test_who_was_replaced_between_batches_puts_in_nothing_and_lets_nobody_in(
    shop: Tenant, workshop: Workshop, database: Database, operator: Connection
) -> None:
    await ask(shop.client)
    [frozen] = await claim(workshop, PREPARE)
    request = await start(workshop, frozen)
    first, second = await read(workshop, frozen)
    await put_in(workshop, frozen, [first])
    follower = await taken_over(workshop, database, PREPARE)
    with pytest.raises(StalePublish):
        await put_in(workshop, frozen, [second])
    with pytest.raises(StalePublish):
        await fan_out(workshop, frozen, request, None)
    assert await trainings(operator) == [("bun at main", "held")]
    await prepare(workshop, follower)
    with pytest.raises(StalePublish):
        await put_in(workshop, frozen, [second])
    assert await trainings(operator) == [("bun at main", "queued"), ("roll at main", "queued")]


async def test_a_job_half_put_in_tells_what_is_there_and_has_neither_ended_nor_begun(
    shop: Tenant, workshop: Workshop
) -> None:
    await send_sales(shop.client, "a new one", days=10)
    job = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    refused, *others = await read(workshop, task)
    await put_in(workshop, task, [refused])
    half = await read_job(shop.client, job["id"])
    assert (half["status"], half["percent"], half["finished_at"]) == ("running", 0, None)
    assert (half["products"]["failed"], half["products"]["total"]) == (1, 1)
    await put_in(workshop, task, others)
    assert await claim(workshop, TRAIN) == []
    await prepare(workshop, task)
    whole = await read_job(shop.client, job["id"])
    assert (whole["products"]["queued"], whole["products"]["total"]) == (2, 3)
    assert whole["percent"] == pytest.approx(33)
    events = await events_of(shop.client, job["id"])
    check_log(events)
    [told] = [event for event in events if event["type"] == "data.validated"]
    assert told["message"] == "3 series: 2 to train, 0 unchanged, 1 refused"
    assert told["data"] == {"queued": 2, "failed": 1}


async def test_jobs_that_are_put_in_at_the_same_time_do_not_wait_for_each_other_s_halves(
    shop: Tenant, database: Database, workshop: Workshop
) -> None:
    await limit(database, shop, queued_tasks=2)
    first = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    await put_in(workshop, task, await read(workshop, task))
    second = await ask(shop.client)
    [other] = await claim(workshop, PREPARE)
    await prepare(workshop, other)
    with pytest.raises(NoRoom, match="2 series wait for room: 2 tasks of 2 are queued"):
        await prepare(workshop, task)
    await shop.client.post(f"/api/v1/training-jobs/{second['id']}/cancel")
    await prepare(workshop, task)
    assert {task.group_id for task in await claim(workshop, TRAIN)} == {UUID(first["id"])}


async def test_a_job_that_fails_between_batches_leaves_nothing_that_waits(
    shop: Tenant, workshop: Workshop, operator: Connection
) -> None:
    job = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    first, _ = await read(workshop, task)
    await put_in(workshop, task, [first])
    reason = {"code": "internal_error", "message": "the oven broke"}
    await cargo_of(workshop)[PREPARE].bury(task, reason)
    failed = await read_job(shop.client, job["id"])
    assert (failed["status"], failed["products"]["cancelled"]) == ("failed", 1)
    assert await trainings(operator) == [("bun at main", "cancelled")]
    check_log(await events_of(shop.client, job["id"]))


async def prepared_large(
    workshop: Workshop, tenant: Tenant, operator: Connection
) -> tuple[str, int]:
    """A job whose first batch was let in, and of how many series it is."""
    job = await ask(tenant.client)
    [task] = await claim(workshop, PREPARE)
    more = [_training(task, number) for number in range(2 * BATCH)]
    async with tenant_transaction(workshop.sessions, tenant.id) as session:
        await enqueue(session, tenant.id, more)
    await prepare(workshop, task)
    found = await operator.fetchval(
        "SELECT count(*) FROM tasks WHERE state = 'queued' AND kind = 'train'"
    )
    assert found == BATCH
    return job["id"], len(more) + 2


def _training(task: ClaimedTask, number: int) -> NewTask:
    payload: dict[str, Any] = {
        "product": f"p{number}",
        "location": "main",
        "data_through": "2025-03-01",
    }
    subject, key = f"p{number} at main", f"made:{number}"
    return NewTask(
        task.group_id, TRAIN, subject, payload, Priority.INTERACTIVE, unique_key=key,
        state=State.HELD,
    )  # fmt: skip


async def test_a_large_job_is_let_in_by_batches_whoever_does_it(
    shop: Tenant, workshop: Workshop, database: Database, operator: Connection
) -> None:
    job, series = await prepared_large(workshop, shop, operator)
    [frozen] = await claim(workshop, RELEASE)
    follower = await taken_over(workshop, database, RELEASE)
    with pytest.raises(StalePublish):
        await let_in_the_rest(workshop, frozen)
    assert [state for _, state in await trainings(operator)].count("queued") == BATCH
    await let_in_the_rest(workshop, follower)
    rows = await operator.fetch(
        "SELECT state, start_tag FROM tasks WHERE kind = 'train' ORDER BY id"
    )
    assert [row["state"] for row in rows] == ["queued"] * series
    tags = [row["start_tag"] for row in rows]
    assert tags == [tags[0] + number for number in range(series)]
    assert await operator.fetchval("SELECT start_tag FROM tasks WHERE kind = 'release'") == tags[0]
    assert await claim(workshop, RELEASE) == []
    assert (await read_job(shop.client, job))["products"]["queued"] == series


async def test_a_job_is_not_over_while_some_of_it_is_not_let_in(
    shop: Tenant, workshop: Workshop, operator: Connection
) -> None:
    job, series = await prepared_large(workshop, shop, operator)
    running = await claim(workshop, TRAIN)
    await operator.execute(
        "UPDATE tasks SET state = 'succeeded' WHERE state = 'queued' AND kind = 'train'"
    )
    for task in running:
        event = event_of(task, EventType.PRODUCT_TRAINED, "trained")
        async with job_transaction(workshop, task) as session:
            await settle_product(session, workshop, task, State.SUCCEEDED, event)
    found = await read_job(shop.client, job)
    assert (found["status"], found["products"]["succeeded"]) == ("running", BATCH)
    assert found["percent"] == pytest.approx(99 * BATCH / series, abs=0.01)


async def test_a_large_job_cancelled_while_it_is_let_in_lets_in_no_more(
    shop: Tenant, workshop: Workshop, operator: Connection
) -> None:
    job, series = await prepared_large(workshop, shop, operator)
    [task] = await claim(workshop, RELEASE)
    answer = await shop.client.post(f"/api/v1/training-jobs/{job}/cancel")
    assert answer.json()["products"]["cancelled"] == series
    with pytest.raises(StalePublish):
        await let_in_the_rest(workshop, task)
    assert await claim(workshop, TRAIN) == []
