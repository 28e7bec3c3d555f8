"""A claim reads a few rows of indexes, however long the queue is and whatever has ended.

The plans are those that the server ran, of every statement within the function.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.conftest import Database
from tests.queue.real_queue import Queue

EXPLAINED = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on;
SET auto_explain.log_buffers = on;
SET auto_explain.log_format = json;
SET client_min_messages = log;
"""
ENDED = """
INSERT INTO tasks (tenant_id, group_id, kind, subject, priority, start_tag, state)
SELECT $1, gen_random_uuid(), 'bake', 'a roll', n % 3, n, 'succeeded'
FROM generate_series(1, 20000) AS n
"""
QUEUED = """
INSERT INTO tasks
  (tenant_id, group_id, kind, subject, priority, start_tag, state, created_at, unique_key)
SELECT $1, gen_random_uuid(), 'bake', 'a roll', n % 3, n, 'queued', now() - interval '1 day',
  lpad(n::text, 100, '0')
FROM generate_series(1, $2::integer) AS n
"""
RUN_ALL = """
UPDATE tasks SET state = 'running', fence = 1, attempt = 1, worker = 'w', started_at = now(),
  lease_until = now() + interval '1 hour' WHERE state = 'queued'
"""
END_ALL = """
UPDATE tasks SET state = 'succeeded', lease_until = NULL, finished_at = now()
WHERE state = 'running'
"""
CLAIM = """
SELECT * FROM claim_tasks('w', ARRAY['bake', 'sweep'], {slots}, '1 minute', {most}, '{{10min, 1h}}')
"""
MOST_ROWS = 64
MOST_PAGES = 400
TIMES = 6

Plan = Mapping[str, Any]


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("most", ["NULL", "3", "0"])
async def test_no_statement_of_a_claim_reads_more_than_a_few_rows_of_an_index(
    queue: Queue, tenant_id: UUID, database: Database, most: str, analysed: bool
) -> None:
    operator = await connect_without_autovacuum(database)
    for owner in (tenant_id, await queue.tenant()):
        await operator.execute(ENDED, owner)
        await operator.execute(QUEUED, owner, 5000)
    if analysed:
        await operator.execute("ANALYZE tasks")
    nodes = await nodes_of_a_claim(operator, most)
    await operator.close()
    read = [
        node
        for node in nodes
        if node.get("Relation Name") == "tasks" and "Scan" in node["Node Type"]
    ]
    assert {node["Index Name"] for node in read} >= {
        "ix_tasks_lease", "ix_tasks_waiting", "ix_tasks_age", "ix_tasks_claim",
    }  # fmt: skip
    assert {node["Node Type"] for node in read} <= {"Index Scan", "Index Only Scan"}
    check_few_rows(nodes)


async def test_nor_does_one_whose_task_stands_behind_all_of_a_capped_tenants(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    operator = await connect_without_autovacuum(database)
    await queue.grant(tenant_id, most_running=0)
    await operator.execute(QUEUED, tenant_id, 5000)
    behind = await queue.tenant()
    await operator.execute(QUEUED, behind, 5000)
    await operator.execute(
        "UPDATE tasks SET start_tag = start_tag + 1e6 WHERE tenant_id = $1", behind
    )
    nodes = await nodes_of_a_claim(operator, "NULL")
    claimed = await operator.fetch("SELECT tenant_id FROM tasks WHERE state = 'running'")
    await operator.close()
    assert [row["tenant_id"] for row in claimed] == [behind] * TIMES
    check_few_rows(nodes)


async def test_nor_does_one_after_thousands_have_ended_while_hundreds_run(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    operator = await connect_without_autovacuum(database)
    await end_thousands_and_queue_as_many(operator, [tenant_id, await queue.tenant()])
    for slots in (300, 1):  # which mark the dead that they pass
        await operator.execute(CLAIM.format(slots=slots, most="NULL"))
    plans = await plans_of(operator, CLAIM.format(slots=1, most="NULL"), TIMES)
    await operator.close()
    check_few_rows([node for plan in plans for node in walk(plan)])
    claims = [plan for plan in plans if plan.get("Function Name") == "claim_tasks"]
    assert [claim["Actual Rows"] for claim in claims] == [1] * TIMES
    for claim in claims:
        assert claim["Shared Hit Blocks"] + claim["Shared Read Blocks"] <= MOST_PAGES, claim


async def test_a_place_in_the_queue_is_found_as_cheaply(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    operator = await connect_without_autovacuum(database)
    await end_thousands_and_queue_as_many(operator, [tenant_id, await queue.tenant()])
    await operator.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant_id))
    plans = await plans_of(operator, "SELECT * FROM queue_reserve(1::smallint, 1.0)", times=2)
    await operator.close()
    read = [n for plan in plans for n in walk(plan) if n.get("Relation Name") == "tasks"]
    assert read
    for node in read:
        assert node["Node Type"] in ("Index Scan", "Index Only Scan")
        assert node["Actual Rows"] * node["Actual Loops"] <= MOST_ROWS, node


async def connect_without_autovacuum(
    database: Database,
) -> "asyncpg.Connection[asyncpg.Record]":
    """Statistics, and what is dead, stay as the test makes them."""
    operator = await asyncpg.connect(database.admin_dsn)
    await operator.execute("ALTER TABLE tasks SET (autovacuum_enabled = off)")
    return operator


async def end_thousands_and_queue_as_many(
    operator: "asyncpg.Connection[asyncpg.Record]", tenants: list[UUID]
) -> None:
    """As statistics take it that nothing is queued nor runs, which is when indexes look alike."""
    for owner in tenants:
        await operator.execute(ENDED, owner)
        await operator.execute(QUEUED, owner, 20_000)
    await operator.execute(RUN_ALL)
    await operator.execute(END_ALL)
    await operator.execute("ANALYZE tasks")
    for owner in tenants:
        await operator.execute(QUEUED, owner, 20_000)


async def nodes_of_a_claim(operator: "asyncpg.Connection[asyncpg.Record]", most: str) -> list[Plan]:
    plans = await plans_of(operator, CLAIM.format(slots=1, most=most), TIMES)
    return [node for plan in plans for node in walk(plan)]


def check_few_rows(nodes: list[Plan]) -> None:
    for node in nodes:
        assert node["Actual Rows"] * node["Actual Loops"] <= MOST_ROWS, node
        assert node.get("Rows Removed by Filter", 0) <= MOST_ROWS, node


async def plans_of(
    operator: "asyncpg.Connection[asyncpg.Record]", statement: str, times: int
) -> list[Plan]:
    """The plans of every statement that ran within, when it had run a few times."""
    logged: list[str] = []
    await operator.execute(EXPLAINED)
    operator.add_log_listener(lambda _, message: logged.append(message.message))
    for _ in range(times):
        await operator.execute(statement)
    found = [json.loads(text[text.index("{") :])["Plan"] for text in logged if "plan:" in text]
    assert len(found) > times
    return found


def walk(plan: Plan) -> Iterator[Plan]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from walk(below)
