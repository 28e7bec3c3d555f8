"""What was used: counted with the work, once, and told by day."""

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.training.jobs.spending import spending
from services.training.jobs.workshop import SlotPool, Workshop
from services.training.metering.usage import Kind, meter
from services.training.queue.children import ChildLimits, Slot, fork_server
from services.training.queue.task import Claim, ClaimedTask
from shared.database import Sessions, tenant_transaction
from tests.conftest import Database, Tenant, execute, make_tenant
from tests.jobs.asking import ask, finished, send_sales
from tests.jobs.conftest import shop, worker, working, workshop
from tests.metering.test_requests import limit
from tests.queue import made_work

__all__ = ["shop", "worker", "working", "workshop"]


async def used(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/usage", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def used_today(client: httpx.AsyncClient) -> dict[str, Any]:
    [today] = [item for item in await used(client) if item["rows"] or item["forecasts"]]
    assert today["date"] == dt.datetime.now(dt.UTC).date().isoformat()
    return today


async def test_rows_are_counted_with_their_import_and_only_then(tenant: Tenant) -> None:
    row = {"date": "2026-01-02", "product": "p", "quantity": 1}
    for rows, status in (
        ([row], 200),
        ([row | {"quantity": "x"}], 422),
        ([row | {"quantity": 2}], 200),
    ):
        answer = await tenant.client.post("/api/v1/sales", json={"rows": rows})
        assert answer.status_code == status
    known = {"rows": [{"date": "2026-01-01", "rain": 1}]}
    assert (await tenant.client.post("/api/v1/regressors", json=known)).status_code == 200
    assert (await used_today(tenant.client))["rows"] == 3


async def test_a_training_is_metered_when_it_is_published_with_what_it_cost(
    shop: Tenant, worker: None
) -> None:
    wanted = {"families": ["prophet"], "max_trials": 1}
    job = await finished(shop.client, (await ask(shop.client, **wanted))["id"])
    assert job["products"]["succeeded"] == 2
    first = await used_today(shop.client)
    assert first["trainings"] == 2
    assert 0.02 < first["cpu_seconds"] < 60
    await finished(shop.client, (await ask(shop.client, **wanted))["id"])
    again = await used_today(shop.client)
    assert (again["trainings"], again["cpu_seconds"]) == (2, first["cpu_seconds"])
    own = (await shop.client.get("/api/v1/tenant")).json()
    assert own["used_today"]["trainings"] == 2
    assert own["limits"]["cpu_seconds_per_day"] == 86_400


async def test_what_is_rolled_back_is_not_metered_and_what_comes_at_once_is_added(
    tenant: Tenant, sessions: Sessions
) -> None:
    async def add(amount: float, *, fails: bool) -> None:
        async with tenant_transaction(sessions, tenant.id) as session:
            await meter(session, {Kind.CPU_SECONDS: amount, Kind.ROWS: 1})
            if fails:
                raise ConnectionError

    outcomes = await asyncio.gather(
        *(add(0.5, fails=number % 3 == 0) for number in range(30)), return_exceptions=True
    )
    assert sum(isinstance(each, ConnectionError) for each in outcomes) == 10
    today = await used_today(tenant.client)
    assert (today["rows"], today["cpu_seconds"]) == (20, 10.0)


async def test_forecasts_are_counted_by_series_whatever_way_they_are_served(
    app: FastAPI, tenant: Tenant
) -> None:
    await send_sales(tenant.client, "roll", "bun")
    for _ in range(3):
        answer = await tenant.client.get("/api/v1/forecasts", params={"product": "roll"})
        assert answer.status_code == 200
    assert (await tenant.client.get("/api/v1/forecasts?product=none")).status_code == 404
    assert (await tenant.client.get("/api/v1/forecasts/export")).status_code == 200
    await app.state.resources.served.tell()
    await app.state.resources.served.tell()
    assert (await used_today(tenant.client))["forecasts"] == 5


async def test_usage_is_told_by_day_beside_the_quotas(
    api: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await limit(api, tenant.id, cpu_seconds_per_day=7)
    await execute(
        database.admin_dsn,
        "INSERT INTO usage SELECT tenant_id, d::date, 'rows', 5 FROM tenants, "
        "unnest(ARRAY['2026-03-01', '2026-03-03']) d",
    )
    days = await used(tenant.client, **{"from": "2026-02-28", "to": "2026-03-03"})
    assert [day["rows"] for day in days] == [0, 5, 0, 5]
    assert days[0]["date"] == "2026-02-28"
    answer = (await tenant.client.get("/api/v1/usage")).json()
    assert len(answer["items"]) == 30
    assert answer["quotas"]["cpu_seconds"] == 7


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"from": "never"},
    ],
)
async def test_a_range_that_makes_no_sense_is_refused(
    tenant: Tenant, query: dict[str, str]
) -> None:
    refused = await tenant.client.get("/api/v1/usage", params=query)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "from")


async def test_the_first_and_the_last_day_there_is_can_be_asked_for(tenant: Tenant) -> None:
    assert len(await used(tenant.client, to="0001-01-02")) == 2
    assert len(await used(tenant.client, **{"from": "9999-12-31", "to": "9999-12-31"})) == 1


async def test_usage_of_another_tenant_is_not_seen(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    other = await make_tenant(app, api, name="Other")
    row = {"date": "2026-01-02", "product": "p", "quantity": 1}
    assert (await other.client.post("/api/v1/sales", json={"rows": [row]})).status_code == 200
    assert all(day["rows"] == 0 for day in await used(tenant.client))


async def test_a_training_that_fails_or_is_cancelled_is_metered_too(
    tenant: Tenant, workshop: Workshop
) -> None:
    """Else who cancels in time would train for nothing."""
    slot = Slot(fork_server(["tests.queue.made_work"]), ChildLimits())
    shop = replace(workshop, slots=SlotPool([slot]))
    task = ClaimedTask(Claim(tenant.id, 1, 1, 1), uuid4(), "train", "roll", {}, 1, 3, None)
    burning = asyncio.get_running_loop().create_future()

    async def train() -> None:
        async with spending(shop, task, shop.slots) as spent:
            await spent.slot.run(made_work.burn_for_ever, None, burning.set_result, 600)

    training = asyncio.create_task(train())
    await asyncio.wait({burning, training}, return_when=asyncio.FIRST_COMPLETED)
    training.cancel()
    await asyncio.wait({training})
    slot.close()
    today = (await tenant.client.get("/api/v1/tenant")).json()["used_today"]
    assert today["cpu_seconds"] == pytest.approx(slot.cpu_seconds)
    assert slot.cpu_seconds >= 1.0
