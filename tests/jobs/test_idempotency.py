"""One `Idempotency-Key`, one job: whatever is repeated, and however many ask at once."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from tests.conftest import Tenant, make_tenant
from tests.jobs.asking import send_sales

JOBS = "/api/v1/training-jobs"


async def post(client: AsyncClient, key: str, **body: Any) -> Response:
    return await client.post(JOBS, json=body, headers={"Idempotency-Key": key})


async def jobs(client: AsyncClient) -> int:
    return len((await client.get(JOBS, params={"limit": 500})).json()["items"])


async def test_the_same_request_gets_the_first_answer_again(shop: Tenant) -> None:
    first, again = [await post(shop.client, "k1", horizon_days=7) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert await jobs(shop.client) == 1


async def test_the_first_answer_stays_whatever_became_of_the_job(shop: Tenant) -> None:
    first = await post(shop.client, "k1")
    await shop.client.post(f"{JOBS}/{first.json()['id']}/cancel")
    assert (await post(shop.client, "k1")).json() == first.json()


async def test_another_request_with_the_same_key_is_refused(shop: Tenant) -> None:
    await post(shop.client, "k1", horizon_days=7)
    other = await post(shop.client, "k1", horizon_days=8)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await jobs(shop.client) == 1


async def test_thirty_at_once_make_one_job(shop: Tenant) -> None:
    answers = await asyncio.gather(*(post(shop.client, "k1") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await jobs(shop.client) == 1


async def test_a_refused_request_leaves_its_key_free(shop: Tenant) -> None:
    assert (await post(shop.client, "k1", products=["cake"])).status_code == 422
    assert (await post(shop.client, "k1")).status_code == 202


async def test_other_keys_and_no_key_make_other_jobs(shop: Tenant) -> None:
    for key in ("k1", "k2"):
        await post(shop.client, key)
    for _ in range(2):
        await shop.client.post(JOBS, json={})
    assert await jobs(shop.client) == 4


async def test_a_key_is_its_tenants_own(app: FastAPI, api: AsyncClient, shop: Tenant) -> None:
    mine = await post(shop.client, "k1")
    stranger = await make_tenant(app, api)
    async with stranger.client:
        await send_sales(stranger.client, "roll")
        theirs = await post(stranger.client, "k1", horizon_days=3)
    assert theirs.status_code == 202
    assert theirs.json()["id"] != mine.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ä"])
async def test_a_key_that_is_none_is_refused(shop: Tenant, key: str) -> None:
    answer = await shop.client.post(
        JOBS, json={}, headers={b"Idempotency-Key": key.encode("latin-1")}
    )
    assert answer.status_code == 422
    assert await jobs(shop.client) == 0
