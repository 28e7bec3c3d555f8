"""What is erased is nowhere any more, whatever happens meanwhile; a receipt remains."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.app import create_app
from services.training.forecasts.schemas import ForecastOut
from services.training.tenants.erased_rows import KEPT
from services.training.tenants.erasing import Erasing
from services.training.tenants.erasure import Eraser, begin, receipt_told
from shared.canonical import digest_of_json
from shared.database import Sessions, tenant_transaction
from tests.conftest import Database, Tenant, client_of, make_tenant, settings_for
from tests.spool.made_batch import batch_of, nobody_replays
from tests.tenants.canaries import Connection, files_with, fill, tables_with

BASE = "/api/v1"
CANARY = "yellow-canary"
OTHERS = "green-canary"


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def other(app: FastAPI, api: httpx.AsyncClient) -> AsyncIterator[Tenant]:
    made = await make_tenant(app, api, name="Other")
    async with made.client:
        yield made


def eraser_of(app: FastAPI) -> Eraser:
    return Eraser(app.state.resources, app.state.spool)


def erasing_of(app: FastAPI) -> Erasing:
    return Erasing(eraser_of(app), lambda tenant_id: None)


async def erase(api: httpx.AsyncClient, tenant_id: UUID, **query: Any) -> dict[str, Any]:
    answer = await api.delete(f"{BASE}/tenants/{tenant_id}", params=query)
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def receipt_of(api: httpx.AsyncClient, tenant: Tenant) -> dict[str, Any]:
    answer = await api.get(f"{BASE}/tenants/{tenant.id}/erasure")
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def begin_only(app: FastAPI, tenant_id: UUID) -> None:
    """As far as a process comes that dies right after."""
    async with tenant_transaction(app.state.resources.sessions, tenant_id) as session:
        assert await begin(session, tenant_id)


async def long_ago(admin: Connection, tenant_id: UUID) -> None:
    await admin.execute(
        "UPDATE erasures SET touched_at = now() - interval '1 hour' WHERE tenant_id = $1", tenant_id
    )


async def leave_traces(app: FastAPI, tenant: Tenant, admin: Connection, canary: str) -> None:
    """In every table, in the record, among the artifacts, and on the disk of the spool."""
    for act in (
        tenant.client.put(f"{BASE}/products/{canary}", json={"name": canary}),
        tenant.client.post(f"{BASE}/api-keys", json={"name": canary, "scopes": ["read"]}),
        tenant.client.put(
            f"{BASE}/events/{canary}", json={"name": canary, "dates": ["2026-05-01"]}
        ),
    ):
        assert (await act).status_code < 300
    await fill(admin, tenant.id, canary)
    await admin.execute("UPDATE tenants SET name = $2 WHERE tenant_id = $1", tenant.id, canary)
    store = app.state.resources.artifacts
    kept = await store.put(str(tenant.id), f"a model of {canary}".encode())
    damaged = await store.put(str(tenant.id), canary.encode())
    path = store.root / str(tenant.id) / damaged.sha256[:2] / damaged.sha256
    path.write_text(f"{canary} damaged")
    await store.quarantine(str(tenant.id), damaged.sha256)
    (store.root / str(tenant.id) / kept.sha256[:2] / f".{kept.sha256}.partial").write_text(canary)
    for _ in range(2):
        sale = {"date": "2026-01-02", "product": canary, "quantity": 3}
        await app.state.spool.keep(batch_of(tenant.id, sale))
    app.state.spool.shelf.reject(app.state.spool.shelf.waiting(tenant.id)[0])


async def test_after_it_no_table_and_no_file_holds_a_trace_and_others_lose_nothing(
    app: FastAPI,
    api: httpx.AsyncClient,
    tenant: Tenant,
    other: Tenant,
    admin: Connection,
    tmp_path: Path,
) -> None:
    async with nobody_replays(app):
        await leave_traces(app, tenant, admin, CANARY)
        await leave_traces(app, other, admin, OTHERS)
        of_others = await tables_with(admin, OTHERS), files_with(tmp_path, OTHERS)
        held = await tables_with(admin, CANARY)
        assert {"audit_log", "models", "tasks", "api_keys", "sources", "tenants"} < held.keys()
        assert len(files_with(tmp_path, CANARY)) == 5

        counted = await erase(api, tenant.id, dry_run=True)
        assert await tables_with(admin, CANARY) == held
        erased = await erase(api, tenant.id)

        assert await tables_with(admin, CANARY) == {}
        of_tenant = await tables_with(admin, str(tenant.id))
        assert of_tenant.keys() == {"audit_log", "audit_heads", "erasures"}
        assert files_with(tmp_path, CANARY) == files_with(tmp_path, str(tenant.id)) == []
        assert (await tables_with(admin, OTHERS), files_with(tmp_path, OTHERS)) == of_others
        for part in ("rows", "artifacts", "spooled", "audit_entries"):
            assert counted[part] == erased[part], part
        assert min(erased["rows"].values()) >= 1
        assert (erased["artifacts"], erased["spooled"], erased["audit_entries"]) == (3, 2, 5)
        assert (erased["verified"], erased["remaining"]) == (True, {})
    assert (await other.client.get(f"{BASE}/tenant")).status_code == 200


async def test_a_receipt_remains_and_the_record_vouches_for_it(
    api: httpx.AsyncClient, tenant: Tenant, sessions: Sessions
) -> None:
    erased = await erase(api, tenant.id)
    kept = await api.get(f"{BASE}/tenants/{tenant.id}/erasure")
    assert (kept.status_code, kept.json()) == (200, erased)
    assert (await api.get(f"{BASE}/tenants/{uuid4()}/erasure")).status_code == 404
    assert (await api.delete(f"{BASE}/tenants/{tenant.id}")).status_code == 404
    assert (await api.delete(f"{BASE}/tenants/{tenant.id}?dry_run=true")).status_code == 404
    log = (await api.get(f"{BASE}/audit-log")).json()["items"]
    done, begun, *before = log
    assert (done["action"], begun["action"]) == ("tenant.erased", "tenant.erasure_begun")
    assert done["after"]["receipt"] == erased["digest"]
    assert done["actor"] == begun["actor"] == "operator"
    assert {(entry["erased"], entry["subject"], entry["after"]) for entry in before} == {
        (True, None, None)
    }
    async with tenant_transaction(sessions, tenant.id) as session:
        receipt = await session.get_one(tables.Erasure, tenant.id)
        assert digest_of_json(receipt_told(receipt)) == erased["digest"]


async def test_from_its_beginning_on_the_tenant_is_no_more(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, admin: Connection
) -> None:
    await begin_only(app, tenant.id)
    assert (await tenant.client.get(f"{BASE}/tenant")).status_code == 401
    assert (await api.get(f"{BASE}/tenants/{tenant.id}")).status_code == 404
    assert (await api.get(f"{BASE}/tenants")).json()["items"] == []
    assert (await api.patch(f"{BASE}/tenants/{tenant.id}", json={})).status_code == 404
    due = "SELECT count(*) FROM periodic_due('pruning', interval '0', 10)"
    assert await admin.fetchval(due) == 0
    kept = await receipt_of(api, tenant)
    assert (kept["erased_at"], kept["verified"]) == (None, False)


class Died(Exception):
    """The process did, say."""


def doomed(sessions: Sessions, steps: int) -> Any:
    """Sessions of a process that dies after so many."""
    left = steps

    def open_session(**options: Any) -> AsyncSession:
        nonlocal left
        left -= 1
        if left < 0:
            raise Died
        return sessions(**options)

    return open_session


async def test_whoever_dies_in_the_middle_leaves_a_rest_that_is_counted_once(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, admin: Connection
) -> None:
    async with nobody_replays(app):
        await leave_traces(app, tenant, admin, CANARY)
        counted = await erase(api, tenant.id, dry_run=True)
        await begin_only(app, tenant.id)
        held = app.state.resources
        for steps in (0, 1, 2, 5, 11, 23, 31, 47):
            dying = replace(held, sessions=doomed(held.sessions, steps))
            with contextlib.suppress(Died):
                await Eraser(dying, app.state.spool).erase(tenant.id)
        erased = await erase_or_read(api, tenant.id)
        assert erased["rows"] == counted["rows"]
        assert erased["audit_entries"] == counted["audit_entries"]
        assert erased["verified"]
        assert await tables_with(admin, CANARY) == {}


async def erase_or_read(api: httpx.AsyncClient, tenant_id: UUID) -> dict[str, Any]:
    answer = await api.delete(f"{BASE}/tenants/{tenant_id}")
    if answer.status_code == 404:
        answer = await api.get(f"{BASE}/tenants/{tenant_id}/erasure")
    receipt: dict[str, Any] = answer.json()
    return receipt


async def test_one_that_was_broken_off_goes_on_by_itself(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, admin: Connection
) -> None:
    await begin_only(app, tenant.id)
    await erasing_of(app).look()
    kept = await receipt_of(api, tenant)
    assert kept["erased_at"] is None, "somebody may be at it"
    await long_ago(admin, tenant.id)
    await erasing_of(app).look()
    kept = await receipt_of(api, tenant)
    assert kept["verified"]


async def test_what_is_brought_after_all_is_found_and_the_receipt_told_anew(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, admin: Connection, tmp_path: Path
) -> None:
    """By a process that was cut off while it wrote: artifacts know no foreign key."""
    erased = await erase(api, tenant.id)
    await app.state.resources.artifacts.put(str(tenant.id), CANARY.encode())
    await long_ago(admin, tenant.id)
    await erasing_of(app).look()
    assert files_with(tmp_path, CANARY) == []
    kept = await receipt_of(api, tenant)
    assert kept["artifacts"] == erased["artifacts"] + 1
    assert kept["digest"] != erased["digest"]
    last = (await api.get(f"{BASE}/audit-log")).json()["items"][0]
    assert (last["action"], last["after"]["receipt"]) == ("tenant.erased", kept["digest"])


async def test_it_is_verified_by_what_the_database_has_and_not_by_what_we_know_of(
    api: httpx.AsyncClient, tenant: Tenant, admin: Connection
) -> None:
    await admin.execute(
        "CREATE TABLE forgotten (tenant_id uuid PRIMARY KEY, note text); "
        "GRANT SELECT ON forgotten TO morrow_api"
    )
    await admin.execute("INSERT INTO forgotten VALUES ($1, 'x'), ($2, 'y')", tenant.id, uuid4())
    erased = await erase(api, tenant.id)
    assert (erased["verified"], erased["erased_at"]) == (False, None)
    assert erased["remaining"] == {"forgotten": 1}
    await admin.execute("DELETE FROM forgotten WHERE tenant_id = $1", tenant.id)
    erased = await erase(api, tenant.id)
    assert (erased["verified"], erased["remaining"]) == (True, {})


async def test_who_writes_meanwhile_is_waited_for_and_nothing_stays(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, sessions: Sessions
) -> None:
    """Transactions that began before, and end amid the erasure, at any point."""
    stop = asyncio.Event()

    async def write() -> int:
        written = 0
        while not stop.is_set():
            try:
                async with tenant_transaction(sessions, tenant.id) as session:
                    name = uuid4().hex
                    session.add(tables.Product(tenant_id=tenant.id, product=name))
                    await session.flush()
                    session.add(tables.Series(tenant_id=tenant.id, product=name, location="main"))
                    await session.flush()
                    await asyncio.sleep(0.01)
                written += 1
            except IntegrityError:
                await asyncio.sleep(0.01)
        return written

    writers = [asyncio.create_task(write()) for _ in range(2)]
    await asyncio.sleep(0.2)
    try:
        erased = await erase(api, tenant.id)
    finally:
        stop.set()
    written = sum(await asyncio.gather(*writers))
    assert erased["verified"]
    assert erased["rows"]["series"] == erased["rows"]["products"] == written
    async with tenant_transaction(sessions, tenant.id) as session:
        session.add(tables.Product(tenant_id=tenant.id, product="late"))
        with pytest.raises(IntegrityError, match="fk_products_tenants"):
            await session.flush()
        await session.rollback()


async def test_other_processes_forget_the_tenant(
    api: httpx.AsyncClient, tenant: Tenant, other: Tenant, database: Database, tmp_path: Path
) -> None:
    elsewhere = create_app(settings_for(database.api_dsn, tmp_path / "elsewhere"))
    async with elsewhere.router.lifespan_context(elsewhere):
        for each in (tenant, other):
            async with client_of(elsewhere, each.key) as client:
                assert (await client.get(f"{BASE}/tenant")).status_code == 200
            forecast = ForecastOut.model_construct(product=CANARY)
            elsewhere.state.recent_forecasts.keep(each.id, "query", forecast)
        async with nobody_replays(elsewhere) as spool:
            await spool.keep(batch_of(tenant.id, {"date": "2026-01-02"}))
            await erase(api, tenant.id)
            door, recent = elsewhere.state.resources.door, elsewhere.state.recent_forecasts
            async with asyncio.timeout(20):
                while door.recall(tenant.key) or (await receipt_of(api, tenant))["spooled"] == 0:
                    await asyncio.sleep(0.02)
            assert not (spool.shelf.root / str(tenant.id)).exists()
            assert recent.bytes > 0
            assert recent.get(tenant.id, "query") is None
            assert door.recall(other.key) is not None


async def test_who_works_for_it_publishes_nothing_more(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, admin: Connection
) -> None:
    """A worker's claim is gone with its task: the fence refuses, and so do the foreign keys."""
    await fill(admin, tenant.id, CANARY)
    await admin.execute("UPDATE tasks SET state = 'running'")
    await erase(api, tenant.id)
    fence = "UPDATE tasks SET state = 'succeeded' WHERE tenant_id = $1 AND state = 'running'"
    assert await admin.execute(fence, tenant.id) == "UPDATE 0"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await fill(admin, tenant.id, CANARY, but=KEPT | {"tenants"})
