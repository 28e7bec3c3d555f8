"""Jobs over HTTP: asked for, refused by name, listed, cancelled, and nobody else's business."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from shared.paging import encode_cursor
from tests.conftest import Tenant, client_of, make_tenant
from tests.jobs.asking import ask, check_log, events_of, read_job, send_sales

JOBS = "/api/v1/training-jobs"


async def test_a_job_is_answered_at_once_with_where_to_look(shop: Tenant) -> None:
    answer = await shop.client.post(JOBS, json={})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{JOBS}/{job['id']}"
    assert (job["status"], job["percent"], job["started_at"]) == ("queued", 0, None)
    assert (await shop.client.get(answer.headers["location"])).json() == job
    [event] = await events_of(shop.client, job["id"])
    assert (event["seq"], event["type"]) == (1, "job.queued")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"products": ["roll", "cake"]}, "products.1", "unknown_product"),
        ({"locations": ["moon"]}, "locations.0", "unknown_location"),
        ({"products": []}, "products", "too_short"),
        ({"products": ["a\0b"]}, "products.0", "forbidden_character"),
        ({"horizon_days": 0}, "horizon_days", "greater_than_equal"),
        ({"horizon_days": 1.5}, "horizon_days", "int_type"),
        ({"max_trials": 0}, "max_trials", "greater_than_equal"),
        ({"families": ["oracle"]}, "families.0", "enum"),
        ({"families": []}, "families", "too_short"),
        ({"optimizer": "luck"}, "optimizer", "enum"),
        ({"priority": 1}, "priority", "enum"),
        ({"execution_mode": "moon"}, "execution_mode", "enum"),
        ({"force": "perhaps"}, "force", "bool_type"),
        ({"wat": 1}, "wat", "extra_forbidden"),
    ],
)
async def test_a_wrong_request_is_refused_by_name(
    shop: Tenant, body: dict[str, Any], field: str, code: str
) -> None:
    answer = await shop.client.post(JOBS, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert (await shop.client.get(JOBS)).json()["items"] == []


async def test_half_a_character_is_refused_like_any_other_text(shop: Tenant) -> None:
    answer = await shop.client.post(
        JOBS, content=rb'{"products": ["\ud800"]}', headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_every_unknown_name_is_named(shop: Tenant) -> None:
    answer = await shop.client.post(JOBS, json={"products": ["x", "roll", "y"]})
    assert [error["message"] for error in answer.json()["errors"]] == [
        "no product x",
        "no product y",
    ]


async def test_without_sales_there_is_nothing_to_train(tenant: Tenant) -> None:
    answer = await tenant.client.post(JOBS, json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_to_train")


async def test_a_product_that_no_chosen_location_sells_is_nothing_to_train(shop: Tenant) -> None:
    place = {"name": "Kiosk", "latitude": 54.0, "longitude": 10.0}
    assert (await shop.client.put("/api/v1/locations/kiosk", json=place)).is_success
    answer = await shop.client.post(JOBS, json={"products": ["roll"], "locations": ["kiosk"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_to_train")


async def test_jobs_are_listed_newest_first_page_by_page(shop: Tenant) -> None:
    made = [(await ask(shop.client))["id"] for _ in range(5)]
    listed, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await shop.client.get(JOBS, params=query)).json()
        listed += [job["id"] for job in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert listed == made[::-1]


@pytest.mark.parametrize(
    "key", [("2025-01-01", str(uuid4())), ("x", "y"), (1, 2), ("2025-01-01T00:00:00Z",), ()]
)
async def test_a_forged_cursor_is_refused(shop: Tenant, key: tuple[str | int, ...]) -> None:
    answer = await shop.client.get(JOBS, params={"cursor": encode_cursor(*key)})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize("key", [2**63, -(2**70), -1, "1"])
async def test_a_forged_cursor_of_products_is_refused(shop: Tenant, key: str | int) -> None:
    job = await ask(shop.client)
    answer = await shop.client.get(
        f"{JOBS}/{job['id']}/products", params={"cursor": encode_cursor(key)}
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "bad_cursor")


async def test_a_waiting_job_is_cancelled_once_and_for_all(shop: Tenant) -> None:
    job = await ask(shop.client)
    for _ in range(2):
        answer = await shop.client.post(f"{JOBS}/{job['id']}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    events = await events_of(shop.client, job["id"])
    check_log(events)
    assert [event["type"] for event in events] == ["job.queued", "job.finished"]
    assert (await read_job(shop.client, job["id"]))["percent"] == 100.0


async def test_events_are_read_from_where_one_was(shop: Tenant) -> None:
    job = await ask(shop.client)
    await shop.client.post(f"{JOBS}/{job['id']}/cancel")
    check_log(await events_of(shop.client, job["id"], since=1), first=2)
    assert await events_of(shop.client, job["id"], since=2) == []
    assert await events_of(shop.client, job["id"], since=2**53) == []


@pytest.mark.parametrize("since", ["-1", "x", str(2**80)])
async def test_a_since_that_is_none_is_refused(shop: Tenant, since: str) -> None:
    job = await ask(shop.client)
    answer = await shop.client.get(f"{JOBS}/{job['id']}/events", params={"since": since})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", JOBS + "/{}"),
        ("GET", JOBS + "/{}/products"),
        ("GET", JOBS + "/{}/events"),
        ("POST", JOBS + "/{}/cancel"),
        ("POST", "/api/v1/stream-tickets"),
    ],
)
async def test_another_tenants_job_is_not_there(
    app: FastAPI, api: AsyncClient, shop: Tenant, method: str, path: str
) -> None:
    job = await ask(shop.client)
    stranger = await make_tenant(app, api)
    async with stranger.client:
        answers = [
            await stranger.client.request(
                method,
                path.format(job_id),
                json={"job_id": job_id} if path.endswith("tickets") else None,
            )
            for job_id in (job["id"], str(uuid4()))
        ]
    theirs, nobodys = [answer.json() for answer in answers]
    assert theirs["status"] == nobodys["status"] == 404
    assert theirs["code"] == nobodys["code"] == "job_not_found"
    assert (await read_job(shop.client, job["id"]))["status"] == "queued"


async def test_another_tenants_product_is_unknown(
    app: FastAPI, api: AsyncClient, shop: Tenant
) -> None:
    stranger = await make_tenant(app, api)
    async with stranger.client:
        await send_sales(stranger.client, "cake")
        answer = await stranger.client.post(JOBS, json={"products": ["roll"]})
    assert answer.json()["errors"][0]["code"] == "unknown_product"


async def test_training_needs_the_scope_train_and_looking_read(app: FastAPI, shop: Tenant) -> None:
    keys = {}
    for scope in ("read", "train"):
        made = await shop.client.post("/api/v1/api-keys", json={"name": scope, "scopes": [scope]})
        keys[scope] = made.json()["key"]
    async with client_of(app, keys["read"]) as reader, client_of(app, keys["train"]) as trainer:
        assert (await reader.post(JOBS, json={})).status_code == 403
        job = await ask(trainer)
        assert (await reader.get(f"{JOBS}/{job['id']}")).status_code == 200
        assert (await trainer.get(f"{JOBS}/{job['id']}")).status_code == 403
        assert (await reader.post(f"{JOBS}/{job['id']}/cancel")).status_code == 403
