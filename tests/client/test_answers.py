"""What the real service answers is what the client's types say, to the letter."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from morrow import AsyncClient, Client, Refused
from tests.client.conforming import faults_of
from tests.client.conftest import Served, Shop
from tests.conftest import OPERATOR_KEY, settings_for
from tests.jobs.asking import sales_rows
from tests.worker_here import working_here

PRODUCT = "rye/dark? 100 % #1"


class Checked:
    """A client whose every answer is held against its type; what was asked is kept by name."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self.asked: set[str] = set()

    async def do(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        method: Callable[..., Any] = getattr(self._client, operation)
        self.asked.add(operation)
        expected = inspect.signature(getattr(AsyncClient, operation)).return_annotation
        result = method(*args, **kwargs)
        if isinstance(result, AsyncGenerator):
            (item,) = get_args(expected)
            found = [each async for each in result]
            faults = [fault for each in found for fault in faults_of(each, item, operation)]
        else:
            found = await result
            faults = faults_of(found, expected, operation)
        assert faults == []
        return found


async def test_every_answer_is_of_its_type(served: Served, tmp_path: Path) -> None:
    """A tenant's whole life, with a worker at work."""
    settings = settings_for(served.database.worker_dsn, served.folder, workers=1)
    async with contextlib.AsyncExitStack() as held:
        await held.enter_async_context(working_here(settings))
        operator = Checked(await held.enter_async_context(AsyncClient(served.url, OPERATOR_KEY)))
        made = await operator.do(
            "create_tenant", "Bakery", country="DE", timezone="Europe/Berlin", subdivision="SH"
        )
        tenant = Checked(await held.enter_async_context(AsyncClient(served.url, made["api_key"])))
        await run_the_shop(tenant)
        await train(tenant)
        await tend_models(tenant, tmp_path)
        await keep_keys(tenant)
        await operate(operator, made["tenant"]["id"])
    methods = {
        name
        for name, _ in inspect.getmembers(AsyncClient, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods - tenant.asked - operator.asked == NOT_HERE


NOT_HERE = {
    *("close", "download_sales", "download_forecasts", "download_artifact"),  # answer no JSON
    *("import_sales_file", "import_regressors_file"),  # as their likes
    *("get_receipt", "discard_rejected"),  # while the database is away: `test_importing`
    *("get_sync", "sync_source"),  # `test_a_source_tells_of_its_syncs`
    "reset_circuit_breaker",  # there is none yet
}


async def run_the_shop(tenant: Checked) -> None:
    await tenant.do("live")
    await tenant.do("ready")
    rows = sales_rows(PRODUCT, 100) + sales_rows("bun", 100)
    await tenant.do("import_sales", rows)
    known = [{"date": rows[0]["date"], "footfall": 3}]
    await tenant.do("import_regressors", known)
    await tenant.do("put_location", "main", name="Main", latitude=54.3, longitude=10.1)
    loaf = await tenant.do("put_product", PRODUCT, price=4.5, unit="loaf", shelf_life_days=2)
    assert loaf["product"] == PRODUCT
    await tenant.do("put_calendar_event", "fair/2025", name="Fair", dates=["2025-03-01"])
    assert len(await tenant.do("list_locations")) == 1
    assert PRODUCT in [each["product"] for each in await tenant.do("list_products")]
    assert len(await tenant.do("read_sales", product=PRODUCT)) == 100
    assert await tenant.do("list_findings")
    assert len(await tenant.do("list_sources")) == 3
    await tenant.do("put_source", "weather", "none")
    await tenant.do("get_spool")
    await tenant.do("get_own_tenant")
    await tenant.do("list_circuit_breakers")


async def train(tenant: Checked) -> None:
    job = await tenant.do("create_job", families=["prophet"], max_trials=1, horizon_days=7)
    await tenant.do("create_stream_ticket", job["id"])
    events = await tenant.do("events", job)
    assert {"product.started", "product.trained"} <= {each["type"] for each in events}
    assert len(await tenant.do("list_events", job["id"], since=2)) == len(events) - 2
    finished = await tenant.do("wait", job["id"])
    assert finished["status"] == "succeeded"
    assert await tenant.do("get_job", job["id"]) == finished
    assert await tenant.do("list_jobs") == [finished]
    assert len(await tenant.do("list_job_products", job["id"])) == 2
    await tenant.do("cancel_job", job["id"])
    await tenant.do("get_retraining_policy")
    await tenant.do("put_retraining_policy", {"window": {"days": 300}, "new_rows": None})


async def tend_models(tenant: Checked, folder: Path) -> None:
    (model,) = await tenant.do("list_models", product=PRODUCT, alias="champion")
    await tenant.do("get_model", model["id"])
    path = folder / "model.json.gz"
    await tenant._client.download_artifact(model["id"], path)
    imported = await tenant.do("import_model", path, product="bun")
    await tenant.do("promote_model", imported["id"])
    await tenant.do("roll_back_model", "bun")
    assert (await tenant.do("verify_models"))["corrupt"] == []
    forecast = await tenant.do("get_forecast", "bun", days=3, quantiles=[0.25, "0.5"], whole=True)
    assert list(forecast["days"][0]["quantiles"]) == ["0.25", "0.5"]
    assert len(await tenant.do("list_forecasts")) == 2
    await tenant.do("explain_forecast", "bun", forecast["days"][0]["date"])
    await tenant.do("get_usage", first="2025-01-01", last="2025-01-05")
    assert await tenant.do("list_audit_log")


async def keep_keys(tenant: Checked) -> None:
    key = await tenant.do("create_key", "till", ["ingest"], expires_at="2099-01-01T00:00:00Z")
    await tenant.do("get_key", key["id"])
    newer = await tenant.do("rotate_key", key["id"], overlap_seconds=60)
    assert newer["expires_at"].startswith("2099")
    endless = await tenant.do("rotate_key", newer["id"], overlap_seconds=0, expires_at=None)
    assert endless["expires_at"] is None
    assert await tenant.do("revoke_key", endless["id"]) is None
    assert await tenant.do("list_keys")


async def operate(operator: Checked, tenant_id: str) -> None:
    await operator.do("get_tenant", tenant_id)
    await operator.do("list_tenants")
    changed = await operator.do("change_tenant", tenant_id, limits={"streams": 3, "series": None})
    assert (changed["limits"]["streams"], changed["limits"]["series"]) == (3, None)
    await operator.do("create_key_for_tenant", tenant_id, "found again", ["admin"])
    await operator.do("list_audit_log")
    assert (await operator.do("erase_tenant", tenant_id, dry_run=True))["rows"]["jobs"] == 1
    await operator.do("erase_tenant", tenant_id, dry_run=False)
    assert (await operator.do("get_erasure", tenant_id))["verified"]


def test_a_source_tells_of_its_syncs(client: Client) -> None:
    made = client.put_source(
        "sales", "http", base_url="https://till.example", credentials="t", options={}
    )
    assert (made["credentials"], made["kind"]) == ("plain", "http")
    kept = client.put_source("sales", "http", base_url="https://till.example")
    assert kept["credentials"] == "plain"
    asked = client.sync_source("sales")
    sync = client.get_sync("sales", asked["sync_id"])
    assert (sync["status"], sync["cause"]) == ("queued", "asked")
    bare = client.put_source("sales", "http", base_url="https://till.example", credentials=None)
    assert bare["credentials"] == "none"


async def test_what_is_refused_says_where(served: Served, shop: Shop) -> None:
    async with AsyncClient(served.url, shop.key) as client:
        with pytest.raises(Refused) as caught:
            await client.create_job(horizon_days=0, max_trials=1000)
        assert {fault["field"] for fault in caught.value.errors} == {"horizon_days", "max_trials"}
        assert caught.value.request_id
        with pytest.raises(Refused) as missing:
            await client.get_job("0c7a3d2c-0000-4000-8000-000000000000")
    assert (missing.value.status, missing.value.code) == (404, "job_not_found")


async def test_many_streams_of_one_client_wait_for_none(served: Served, shop: Shop) -> None:
    """Each keeps its connection: more of them than a pool usually has."""
    async with AsyncClient(served.url, OPERATOR_KEY) as operator:
        await operator.change_tenant(shop.id, limits={"streams": 110})
    async with AsyncClient(served.url, shop.key) as client:
        await client.import_sales(sales_rows("rye", 3))
        job = await client.create_job()

        async def follow(started: asyncio.Event) -> int:
            count = 0
            async for _ in client.events(job):
                count += 1
                started.set()
            return count

        begun = [asyncio.Event() for _ in range(105)]
        following = [asyncio.create_task(follow(started)) for started in begun]
        await asyncio.gather(*(started.wait() for started in begun))
        await client.cancel_job(job["id"])
        counts = await asyncio.gather(*following)
        assert counts == [len([each async for each in client.list_events(job["id"])])] * 105
