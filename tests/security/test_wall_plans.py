"""The wall costs an index condition: what the product asks most reads its tenant's rows alone, and
who is asking is found out once, not for every row.

The plans are those that ran, as the service's own role.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.walled_sales import ASKED, Asking, Stock, stock_tenant
from services.training.tables import Table
from shared.database import PoolLimits, make_engine, make_sessions, tenant_transaction
from shared.postgres import RunningPostgres
from shared.roles import API
from tests.conftest import Database, execute, fresh_database

SHOWN = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
}
TENANTS, SERIES, DAYS, HORIZON = 10, 40, 60, 28
OWN = "tenant_id = (current_setting('app.tenant_id'::text))::uuid"
SPARE = 1.3
"""How many more rows may be read than are told."""

Node = dict[str, Any]


@pytest.fixture(scope="module")
def shown(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    """A database that tells its clients every plan that it runs."""
    with fresh_database(postgres_server, template) as made:
        yield made


@pytest.fixture(scope="module")
async def stock(shown: Database) -> Stock:
    admin = await asyncpg.connect(shown.admin_dsn)
    stocks = [await stock_tenant(admin, SERIES, DAYS) for _ in range(TENANTS)]
    await admin.execute("VACUUM ANALYZE")
    for name, value in SHOWN.items():
        await admin.execute(f"ALTER DATABASE {shown.name} SET {name} = '{value}'")
    await admin.close()
    return stocks[TENANTS // 2]


@pytest.fixture
async def session(shown: Database, stock: Stock) -> AsyncIterator[AsyncSession]:
    engine = make_engine(shown.api_dsn, API, PoolLimits(size=1), "plans")
    async with tenant_transaction(make_sessions(engine), stock.tenant_id) as opened:
        yield opened
    await engine.dispose()


async def scans_of(session: AsyncSession, asking: Asking, stock: Stock) -> list[Node]:
    """Every node that read a table, of the plans that ran for one question."""
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    told: list[str] = []
    driver.add_log_listener(lambda _, message: told.append(message.message))
    rows = await asking(session, stock, 3)
    assert rows in (DAYS, DAYS * SERIES, HORIZON)
    await session.execute(text("SELECT 1"))  # the last plan is told when the next begins
    plans = [json.loads(plan[plan.index("{") :])["Plan"] for plan in told if "plan:" in plan]
    return [
        node
        for plan in plans
        if Table.metadata.tables.keys() & {node.get("Relation Name") for node in walk(plan)}
        for node in walk(plan)
        if "Scan" in node["Node Type"]
    ]


def walk(plan: Node) -> Iterator[Node]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from walk(below)


def faults(scans: list[Node]) -> list[str]:
    """What in these scans grows with other tenants' rows, or asks for each row who is asking."""
    found = []
    for node in scans:
        name = node.get("Relation Name") or node.get("Index Name") or node["Node Type"]
        if node["Node Type"] in ("Seq Scan", "Sample Scan", "Tid Scan"):
            found.append(f"{name}: all of it is read")
        by_index = node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Index Scan")
        if by_index and OWN not in node.get("Index Cond", ""):
            found.append(f"{name}: the tenant is not in {node.get('Index Cond')}")
        if "tenant" in node.get("Filter", ""):
            found.append(f"{name}: the tenant is asked for each row: {node['Filter']}")
        if node.get("Rows Removed by Filter", 0) > SPARE * node["Actual Rows"]:
            found.append(f"{name}: {node['Rows Removed by Filter']} rows are read for nothing")
    return found


@pytest.mark.parametrize("name", ASKED)
async def test_a_question_reads_its_own_tenants_part_of_an_index(
    session: AsyncSession, stock: Stock, name: str
) -> None:
    scans = await scans_of(session, ASKED[name], stock)
    tables = {node["Relation Name"] for node in scans if "Relation Name" in node}
    assert tables >= ({"forecasts", "models", "series"} if name == "forecast" else {"sales"})
    assert faults(scans) == []


@pytest.mark.parametrize(
    ("planted", "mended", "name", "told"),
    [
        (
            "ALTER FUNCTION app_tenant() VOLATILE SET search_path = pg_catalog",  # not inlined
            "ALTER FUNCTION app_tenant() STABLE RESET search_path",
            "forecast",
            "the tenant is asked for each row",
        ),
        (
            "ALTER FUNCTION app_tenant() SET search_path = pg_catalog",
            "ALTER FUNCTION app_tenant() RESET search_path",
            "snapshot",
            "the tenant is not in",
        ),
        (
            "ALTER POLICY tenant ON sales USING (tenant_id::text = app_tenant()::text)",
            "ALTER POLICY tenant ON sales USING (tenant_id = app_tenant())",
            "history",
            "the tenant is asked for each row",
        ),
        (
            "ALTER TABLE forecasts DROP CONSTRAINT pk_forecasts",
            "ALTER TABLE forecasts ADD CONSTRAINT pk_forecasts "
            "PRIMARY KEY (tenant_id, model_id, date)",
            "forecast",
            "forecasts: all of it is read",
        ),
    ],
)
async def test_a_wall_that_costs_more_would_be_found(
    shown: Database, stock: Stock, planted: str, mended: str, name: str, told: str
) -> None:
    await execute(shown.admin_dsn, planted)
    engine = make_engine(shown.api_dsn, API, PoolLimits(size=1), "plans")
    async with tenant_transaction(make_sessions(engine), stock.tenant_id) as session:
        found = faults(await scans_of(session, ASKED[name], stock))
    await engine.dispose()
    await execute(shown.admin_dsn, mended)
    assert any(told in fault for fault in found), found
