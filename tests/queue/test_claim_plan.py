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
SELECT $1, gen_random_uuid(), 'bake', 'a roll', n % 3, n, 'queued', now() - interval '1 day', n
FROM generate_series(1, 5000) AS n
"""
CLAIM = (
    "SELECT * FROM claim_tasks('w', ARRAY['bake', 'sweep'], 1, '1 minute', {most}, '{{10min, 1h}}')"
)
MOST_ROWS = 64

Plan = Mapping[str, Any]


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("most", ["NULL", "3", "0"])
async def test_no_statement_of_a_claim_reads_more_than_a_few_rows_of_an_index(
    queue: Queue, tenant_id: UUID, database: Database, most: str, analysed: bool
) -> None:
    operator = await asyncpg.connect(database.admin_dsn)
    await operator.execute("ALTER TABLE tasks SET (autovacuum_enabled = off)")
    for owner in (tenant_id, await queue.tenant()):
        await operator.execute(ENDED, owner)
        await operator.execute(QUEUED, owner)
    if analysed:
        await operator.execute("ANALYZE tasks")
    plans = await plans_of(operator, CLAIM.format(most=most), times=6)
    await operator.close()
    nodes = [node for plan in plans for node in walk(plan)]
    read = [
        node
        for node in nodes
        if node.get("Relation Name") == "tasks" and "Scan" in node["Node Type"]
    ]
    assert {node["Index Name"] for node in read} >= {
        "ix_tasks_lease", "ix_tasks_waiting", "ix_tasks_age", "ix_tasks_claim",
    }  # fmt: skip
    assert {node["Node Type"] for node in read} <= {"Index Scan", "Index Only Scan"}
    for node in nodes:
        assert node["Actual Rows"] * node["Actual Loops"] <= MOST_ROWS, node
        assert node.get("Rows Removed by Filter", 0) <= MOST_ROWS, node


async def test_a_place_in_the_queue_is_found_as_cheaply(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    operator = await asyncpg.connect(database.admin_dsn)
    await operator.execute(ENDED, tenant_id)
    await operator.execute(QUEUED, tenant_id)
    await operator.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant_id))
    plans = await plans_of(operator, "SELECT * FROM queue_reserve(1::smallint, 1.0)", times=2)
    await operator.close()
    read = [n for plan in plans for n in walk(plan) if n.get("Relation Name") == "tasks"]
    assert read
    for node in read:
        assert node["Node Type"] in ("Index Scan", "Index Only Scan")
        assert node["Actual Rows"] * node["Actual Loops"] <= MOST_ROWS, node


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
