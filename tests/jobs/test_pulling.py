"""A job pulls its sources first; one that is away is told of, and ends no job by itself."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from services.training.demand.series import Series
from services.training.jobs.pipeline import cargo_of
from services.training.jobs.prepare import start
from services.training.jobs.pulling import patience, pull_sources
from services.training.jobs.store import PREPARE, TRAIN
from services.training.jobs.workshop import Workshop
from services.training.sample.upstream.mishaps import Fault, Mishap
from services.training.sources.kinds import SourceName
from services.training.tables import Task
from shared.database import tenant_transaction
from tests.conftest import Database, Tenant, execute
from tests.jobs.asking import FIRST_DAY, QUICK, ask, finished, sales_rows, send_sales
from tests.jobs.claiming import claim
from tests.sources.sample_suppliers import sample_at
from tests.sources.upstreams import Answer, Asked, Stand, said, stand

BASE = "/api/v1"
LATER = dt.datetime(2026, 5, 20, 6, tzinfo=dt.UTC)


class Supplier:
    """Serves sales of a roll by the contract, or fails at everything."""

    def __init__(self) -> None:
        self.away = False
        self.empty = False

    def __call__(self, asked: Asked) -> Answer:
        if self.away:
            return said({"error": "gone"}, 503)
        assert asked.path == "/sales"
        known = "2025-04-01T00:00:00Z"
        if self.empty:
            return said({"items": [], "next_cursor": None})
        items = [row | {"updated_at": known} for row in sales_rows("roll")]
        return said({"items": items, "next_cursor": None})


@pytest.fixture
def supplier() -> Supplier:
    return Supplier()


@pytest.fixture
async def upstream(supplier: Supplier) -> AsyncIterator[Stand]:
    async with stand(supplier) as made:
        yield made


async def connect(tenant: Tenant, upstream: Stand, source: str = "sales") -> None:
    body = {"kind": "http", "base_url": upstream.url}
    answer = await tenant.client.put(f"{BASE}/sources/{source}", json=body)
    assert answer.status_code == 200, answer.text


async def prepared(workshop: Workshop, tenant: Tenant) -> dict[str, Any]:
    """A job up to where its series are to be trained; as it is then."""
    job = await ask(tenant.client, **QUICK)
    [task] = await claim(workshop, PREPARE)
    await cargo_of(workshop)[PREPARE].run(task)
    shown: dict[str, Any] = (await tenant.client.get(f"{BASE}/training-jobs/{job['id']}")).json()
    return shown


async def events(tenant: Tenant, job: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"{BASE}/training-jobs/{job['id']}/events"
    items: list[dict[str, Any]] = (await tenant.client.get(path)).json()["items"]
    return items


async def of_sources(tenant: Tenant, job: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    told = await events(tenant, job)
    return [(each["type"], each["data"]) for each in told if each["type"].startswith("source.")]


async def test_a_job_trains_on_what_it_pulled(
    tenant: Tenant, workshop: Workshop, upstream: Stand
) -> None:
    await connect(tenant, upstream)
    job = await prepared(workshop, tenant)
    assert await of_sources(tenant, job) == [
        ("source.started", {"source": "sales"}),
        ("source.finished", {"source": "sales", "rows": 70}),
    ]
    assert job["warnings"] == []
    [task] = await claim(workshop, TRAIN)
    assert (task.payload["product"], task.payload["degraded"]) == ("roll", [])


async def test_a_tenant_without_sources_waits_for_none(tenant: Tenant, workshop: Workshop) -> None:
    await send_sales(tenant.client, "roll")
    job = await prepared(workshop, tenant)
    assert await of_sources(tenant, job) == []
    assert len(await claim(workshop, TRAIN)) == 1


async def test_sales_that_were_pulled_lately_are_trained_on_and_the_job_says_so(
    tenant: Tenant, workshop: Workshop, upstream: Stand, supplier: Supplier
) -> None:
    await connect(tenant, upstream)
    await prepared(workshop, tenant)
    await claim(workshop, TRAIN)
    supplier.away = True
    job = await prepared(workshop, tenant)
    [_, (type_, data)] = await of_sources(tenant, job)
    assert (type_, data["source"], data["code"]) == ("source.degraded", "sales", "upstream_status")
    [warning] = job["warnings"]
    assert warning["code"] == "sales_degraded"
    assert "503" in warning["message"]
    assert job["products"]["failed"] == 0


async def test_a_job_that_is_prepared_again_pulls_nothing_again(
    tenant: Tenant, workshop: Workshop, upstream: Stand, supplier: Supplier
) -> None:
    """It had to wait for room, say; what was away is remembered."""
    await send_sales(tenant.client, "roll")
    await connect(tenant, upstream)
    supplier.away = True
    await ask(tenant.client, **QUICK)
    [task] = await claim(workshop, PREPARE)
    await start(workshop, task)
    first = await pull_sources(workshop, task)
    asked = len(upstream.asked)
    assert asked > 0
    assert await pull_sources(workshop, task) == first
    assert list(first.degraded) == [SourceName.SALES]
    assert len(upstream.asked) == asked


@pytest.mark.parametrize(
    ("name", "synced_at", "seconds"),
    [
        (SourceName.SALES, LATER, 120),
        (SourceName.WEATHER, None, 120),
        (SourceName.WEATHER, LATER, 30),
        (SourceName.TRAFFIC, LATER, 30),
    ],
)
def test_a_job_waits_shorter_for_what_it_has_already(
    name: SourceName, synced_at: dt.datetime | None, seconds: float
) -> None:
    assert patience(name, synced_at, 120) == seconds


async def test_sales_that_are_too_old_fail_the_series_with_the_reason(
    tenant: Tenant, workshop: Workshop, upstream: Stand, supplier: Supplier, database: Database
) -> None:
    await connect(tenant, upstream)
    await prepared(workshop, tenant)
    days = workshop.settings.stale_sales_days
    await execute(
        database.admin_dsn, f"UPDATE sources SET synced_at = now() - interval '{days + 1} days'"
    )
    supplier.away = True
    job = await prepared(workshop, tenant)
    assert (job["status"], job["products"]["failed"]) == ("failed", 1)
    path = f"{BASE}/training-jobs/{job['id']}/products"
    [product] = (await tenant.client.get(path)).json()["items"]
    assert product["error"]["code"] == "sales_stale"
    assert "503" in product["error"]["message"]


async def test_old_sales_whose_last_day_is_young_will_do(
    tenant: Tenant, workshop: Workshop, upstream: Stand, supplier: Supplier
) -> None:
    """They were pushed, say, while the source was away."""
    await send_sales(tenant.client, "roll")
    supplier.away = True
    await connect(tenant, upstream)
    last = dt.datetime(2025, 3, 16, 12, tzinfo=dt.UTC)
    assert dt.date.fromisoformat(sales_rows("roll")[-1]["date"]) == last.date()
    for now, failed in ((last + dt.timedelta(days=3), 0), (last + dt.timedelta(days=4), 1)):
        then = replace(workshop, supply=replace(workshop.supply, clock=lambda now=now: now))
        job = await prepared(then, tenant)
        assert job["products"]["failed"] == failed


async def test_a_job_of_which_no_sales_come_fails_with_the_reason(
    tenant: Tenant, worker: None, upstream: Stand, supplier: Supplier
) -> None:
    supplier.empty = True
    await connect(tenant, upstream)
    job = await ask(tenant.client, **QUICK)
    ended = await finished(tenant.client, job["id"])
    assert (ended["status"], ended["products"]["total"]) == ("failed", 0)
    assert "no sales came" in ended["execution"]["reason"]


async def test_a_model_says_which_source_was_away(
    tenant: Tenant, worker: None, upstream: Stand, supplier: Supplier
) -> None:
    await send_sales(tenant.client, "roll")
    supplier.away = True
    await connect(tenant, upstream, "traffic")
    job = await ask(tenant.client, **QUICK)
    ended = await finished(tenant.client, job["id"])
    assert (ended["status"], ended["products"]["succeeded"]) == ("succeeded", 1)
    assert [warning["code"] for warning in ended["warnings"]] == ["traffic_degraded"]
    [model] = (await tenant.client.get(f"{BASE}/models")).json()["items"]
    shown = (await tenant.client.get(f"{BASE}/models/{model['id']}")).json()
    [degraded] = shown["lineage"]["degraded"]
    assert (degraded["source"], degraded["last_synced_at"]) == ("traffic", None)
    assert degraded["basis"] == "none"
    assert "its place is empty" in ended["warnings"][0]["message"]


async def test_weather_comes_into_the_datasets_also_when_its_supplier_is_away(
    tenant: Tenant, workshop: Workshop
) -> None:
    await send_sales(tenant.client, "roll")
    now = dt.datetime.combine(FIRST_DAY + dt.timedelta(days=70), dt.time(6), dt.UTC)
    then = replace(workshop, supply=replace(workshop.supply, clock=lambda: now))
    async with sample_at(now) as (url, sample):
        body = {"kind": "open-meteo", "base_url": url}
        assert (await tenant.client.put(f"{BASE}/sources/weather", json=body)).status_code == 200
        await prepared(then, tenant)
        read = await dataset(then, tenant)
        sample.mishaps.faults["weather"] = Fault(Mishap.STATUS)
        job = await prepared(then, tenant)
        again = await dataset(then, tenant)
    assert read.regressors == ("precipitation", "temp_mean")
    assert set(read.foreseen) == {"precipitation", "temp_mean"}
    came = [sample.skies.as_came(day.date())["temp_mean"] for day in read.history.index]
    assert list(read.history["temp_mean"]) == came
    assert read.plan["temp_mean"].notna().all()
    assert again.to_bytes() == read.to_bytes()
    [warning] = job["warnings"]
    assert "what is stored serves" in warning["message"]


async def dataset(workshop: Workshop, tenant: Tenant) -> Series:
    """What the series that was last put in to be trained is trained on."""
    async with tenant_transaction(workshop.sessions, tenant.id) as session:
        last = select(Task).where(Task.kind == TRAIN).order_by(Task.id.desc()).limit(1)
        task = (await session.scalars(last)).one()
    kept = await workshop.artifacts.get(str(tenant.id), task.payload["dataset"])
    return Series.from_bytes(kept)
