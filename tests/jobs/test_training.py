"""A job from its request to the last event, by a real worker and real children."""

from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient
from prometheus_client import REGISTRY

from services.training.demand.classification import DemandClass
from services.training.jobs.store import TRAIN
from shared.database import Sessions
from tests.conftest import Tenant, make_tenant
from tests.jobs.asking import (
    ask,
    check_log,
    events_of,
    finished,
    products_of,
    read_job,
    sales_rows,
    send_rows,
    send_sales,
)
from tests.jobs.pooled_jobs import tasks_of


async def run(client: AsyncClient, **wanted: Any) -> dict[str, Any]:
    return await finished(client, (await ask(client, **wanted))["id"])


async def versions(client: AsyncClient, product: str) -> int:
    answer = await client.get("/api/v1/models", params={"product": product})
    return len(answer.json()["items"])


async def test_every_series_is_trained_and_told_of(shop: Tenant, worker: None) -> None:
    job = await run(shop.client)
    assert (job["status"], job["percent"]) == ("succeeded", 100.0)
    assert job["products"] == {
        "total": 2, "queued": 0, "running": 0, "succeeded": 2, "skipped": 0, "failed": 0,
        "cancelled": 0,
    }  # fmt: skip
    events = await events_of(shop.client, job["id"])
    check_log(events)
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["job.queued", "job.started", "data.validated"]
    assert kinds[-1] == "job.finished"
    assert kinds.count("product.trained") == 2
    assert events[-1]["data"] == {"status": "succeeded"}
    for product, item in (await products_of(shop.client, job["id"])).items():
        model = await shop.client.get(f"/api/v1/models/{item['model_id']}")
        assert (item["state"], item["family"]) == ("succeeded", "baseline")
        assert model.json()["product"] == product


async def test_what_was_trained_and_refused_is_counted(shop: Tenant, worker: None) -> None:
    await send_sales(shop.client, "new", days=10)
    by_family = {"family": "baseline"}
    counts = {
        "morrow_training_skill_count": by_family,
        "morrow_training_trials_total": by_family,
        "morrow_trainings_refused_total": {"code": "too_short"},
    }
    before = {name: counted(name, labels) for name, labels in counts.items()}
    await run(shop.client)
    since = {name: counted(name, labels) - before[name] for name, labels in counts.items()}
    assert since["morrow_training_skill_count"] == 2
    assert since["morrow_trainings_refused_total"] == 1
    classes = [
        sample.labels["demand_class"]
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "morrow_training_seconds_count"
    ]
    assert classes
    assert set(classes) <= {each.value for each in DemandClass}


def counted(name: str, labels: dict[str, str]) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_search_begins_where_the_last_one_ended(
    shop: Tenant, worker: None, sessions: Sessions
) -> None:
    asked: dict[str, Any] = {"families": ["prophet"], "max_trials": 1, "products": ["roll"]}
    await run(shop.client, **asked)
    model = (await shop.client.get("/api/v1/models", params={"product": "roll"})).json()["items"][0]
    assert (await run(shop.client, **asked))["products"]["skipped"] == 1
    forced = await run(shop.client, force=True, **asked)
    [task] = await tasks_of(sessions, shop, forced["id"], TRAIN)
    assert task.payload["config"]["first_params"] == model["params"]


async def test_the_same_training_is_not_done_twice_unless_forced(
    shop: Tenant, worker: None
) -> None:
    await run(shop.client)
    again = await run(shop.client)
    assert (again["status"], again["products"]["skipped"]) == ("succeeded", 2)
    assert await versions(shop.client, "roll") == 1
    forced = await run(shop.client, force=True)
    assert (forced["products"]["succeeded"], forced["products"]["skipped"]) == (2, 0)
    assert await versions(shop.client, "roll") == 2


async def test_changed_data_is_trained_again_and_the_rest_is_not(
    shop: Tenant, worker: None
) -> None:
    await run(shop.client)
    [last] = sales_rows("roll")[-1:]
    await send_rows(shop.client, [last | {"quantity": last["quantity"] + 7}])
    again = await run(shop.client)
    assert (again["products"]["succeeded"], again["products"]["skipped"]) == (1, 1)
    assert await versions(shop.client, "roll") == 2
    assert await versions(shop.client, "bun") == 1


async def test_a_changed_configuration_is_trained_again(shop: Tenant, worker: None) -> None:
    await run(shop.client)
    again = await run(shop.client, horizon_days=8)
    assert again["products"]["succeeded"] == 2


async def test_a_refused_series_has_failed_with_its_reason_and_the_baseline_answers(
    shop: Tenant, worker: None
) -> None:
    await send_sales(shop.client, "new", days=10)
    job = await run(shop.client)
    assert (job["status"], job["products"]["failed"]) == ("partial", 1)
    item = (await products_of(shop.client, job["id"]))["new"]
    assert item["error"]["code"] == "too_short"
    assert "30 are needed" in item["error"]["message"]
    [event] = [e for e in await events_of(shop.client, job["id"]) if e["type"] == "product.failed"]
    assert (event["product"], event["data"]["code"]) == ("new", "too_short")
    forecast = (await shop.client.get("/api/v1/forecasts", params={"product": "new"})).json()
    assert (forecast["level"], forecast["model_id"]) == ("baseline", None)


async def test_a_job_whose_series_are_all_refused_has_failed(tenant: Tenant, worker: None) -> None:
    await send_sales(tenant.client, "new", days=10)
    job = await run(tenant.client)
    assert (job["status"], job["percent"]) == ("failed", 100.0)


async def test_a_product_of_which_no_quantity_is_known_is_refused(
    shop: Tenant, worker: None
) -> None:
    [planned] = sales_rows("plan", days=1)
    await send_rows(shop.client, [planned | {"quantity": None}])
    job = await run(shop.client)
    assert (await products_of(shop.client, job["id"]))["plan"]["error"]["code"] == "no_sales"


async def test_only_what_was_asked_for_is_trained(shop: Tenant, worker: None) -> None:
    job = await run(shop.client, products=["bun"])
    assert (await products_of(shop.client, job["id"])).keys() == {"bun"}


async def test_a_cluster_that_is_not_there_fails_at_once_and_says_so(
    shop: Tenant, worker: None
) -> None:
    job = await run(shop.client, execution_mode="cluster")
    assert job["status"] == "failed"
    assert job["execution"]["used"] is None
    assert "cluster" in job["execution"]["reason"]
    assert [event["type"] for event in await events_of(shop.client, job["id"])] == [
        "job.queued",
        "job.finished",
    ]


async def test_a_local_job_says_that_it_ran_locally(shop: Tenant, worker: None) -> None:
    job = await run(shop.client, execution_mode="local")
    assert job["execution"] == {"requested": "local", "used": "local", "reason": None}


async def test_one_tenants_jobs_train_nothing_of_another(
    app: FastAPI, api: AsyncClient, shop: Tenant, worker: None
) -> None:
    other = await make_tenant(app, api)
    async with other.client:
        await send_sales(other.client, "cake")
        job = await run(other.client)
        assert (await products_of(other.client, job["id"])).keys() == {"cake"}
        assert await versions(shop.client, "cake") == await versions(shop.client, "roll") == 0


async def test_of_more_jobs_than_a_tenant_may_run_the_last_ones_wait(
    shop: Tenant, worker: None
) -> None:
    """Three at once is the default."""
    jobs = [await ask(shop.client, force=True) for _ in range(5)]
    ended = [await finished(shop.client, job["id"]) for job in jobs]
    assert {job["status"] for job in ended} == {"succeeded"}
    spans = [(job["started_at"], job["finished_at"]) for job in ended]
    for start, _ in spans:
        assert sum(begun <= start < end for begun, end in spans) <= 3
    assert await versions(shop.client, "roll") == 5
    for job in jobs:
        check_log(await events_of(shop.client, job["id"]))


async def test_a_cancelled_job_stops_what_it_runs_and_keeps_what_it_finished(
    shop: Tenant, worker: None
) -> None:
    await send_sales(shop.client, *(f"p{number}" for number in range(12)))
    job = await ask(shop.client)
    while (await read_job(shop.client, job["id"]))["products"]["succeeded"] == 0:
        pass
    cancelled = await shop.client.post(f"/api/v1/training-jobs/{job['id']}/cancel")
    assert cancelled.status_code == 202
    counts = cancelled.json()["products"]
    assert (cancelled.json()["status"], counts["queued"], counts["running"]) == ("cancelled", 0, 0)
    after = await run(shop.client, products=["roll"], force=True)
    assert after["status"] == "succeeded"
    assert (await read_job(shop.client, job["id"]))["products"] == counts
    events = await events_of(shop.client, job["id"])
    check_log(events)
    kinds = [event["type"] for event in events]
    assert kinds[-1] == "job.finished"
    assert kinds.count("product.cancelled") == counts["cancelled"] > 0
    models = (await shop.client.get("/api/v1/models", params={"limit": 100})).json()["items"]
    assert len(models) == counts["succeeded"] + 1
