"""The models' part of the API, over HTTP and on a real database and disk."""

import base64
import hashlib
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from services.training.demand.outcome import Stage
from services.training.models.aliases import Alias
from services.training.tables import AuditEntry
from shared.database import Sessions, tenant_transaction
from shared.paging import encode_cursor
from tests.conftest import Tenant, make_tenant
from tests.models.conftest import Shop

MODELS = "/api/v1/models"


async def listed(tenant: Tenant, **query: Any) -> list[dict[str, Any]]:
    answer = await tenant.client.get(MODELS, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def champion(tenant: Tenant) -> int:
    found = await listed(tenant, product="Croissant", alias="champion")
    assert len(found) == 1
    return int(found[0]["version"])


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


async def test_a_version_is_told_with_all_that_is_known(shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()

    (item,) = await listed(tenant)
    detail = (await tenant.client.get(f"{MODELS}/{model.id}")).json()

    assert item.items() <= detail.items()
    assert item["id"] == str(model.id)
    assert (item["product"], item["location"], item["version"]) == ("Croissant", "main", 1)
    assert item["scores"] == {
        "wape": 0.2, "wql": 0.1, "bias": -0.01, "mase": 0.9, "coverage80": 0.81,
    }  # fmt: skip
    assert item["baseline_scores"]["wql"] == 0.15
    assert (item["stage"], item["confidence"], item["skill"]) == ("validation", 0.85, 0.33)
    assert (item["sha256"], item["bytes"]) == (model.sha256, model.bytes)
    assert item["trained_through"] == "2026-06-30"
    assert item["created_at"].endswith("Z")
    assert datetime.fromisoformat(item["created_at"])
    assert item["aliases"] == ["champion"]
    assert detail["fold_scores"] == [{"fold": 0, "wql": 0.1}]
    assert detail["trials"] == [{"made for": "f1"}]
    assert detail["effects"] == {"weekly": {"magnitude": 2.0}}
    assert detail["lineage"]["data_sha256"] == "d" * 64


async def test_versions_are_listed_by_product_location_and_alias(
    shop: Shop, tenant: Tenant
) -> None:
    for number in range(3):
        await shop.train(f"f{number}")
    await shop.train("f9", product="Baguette")

    assert [item["version"] for item in await listed(tenant, product="Croissant")] == [3, 2, 1]
    assert [item["product"] for item in await listed(tenant, alias="champion")] == [
        "Baguette",
        "Croissant",
    ]
    assert [item["version"] for item in await listed(tenant, alias="previous")] == [2]
    assert len(await listed(tenant, location="main")) == 4
    assert await listed(tenant, location="elsewhere") == []
    assert await listed(tenant, product="Baguette", alias="challenger") == []


async def test_pages_hold_every_version_once(shop: Shop, tenant: Tenant) -> None:
    for number in range(5):
        await shop.train(f"f{number}")
        await shop.train(f"f{number}", product="Baguette")
    whole = [item["id"] for item in await listed(tenant)]

    paged, cursor = [], None
    while True:
        query = {"limit": 3} | ({} if cursor is None else {"cursor": cursor})
        page = (await tenant.client.get(MODELS, params=query)).json()
        paged += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(set(whole)) == 10
    assert paged == whole
    forged = encode_cursor("Croissant", "main", 2**63)
    assert (await tenant.client.get(MODELS, params={"cursor": forged})).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        {"alias": "winner"},
        {"limit": 0},
        {"limit": 501},
        {"cursor": "x"},
        {"cursor": encode_cursor("Croissant", "main", 1)},  # which it does not sell
        {"cursor": encode_cursor("a\0b", "main", 1)},
        {"cursor": encode_cursor(7, 1)},
        {"product": "a\0b"},
    ],
)
async def test_a_bad_question_is_refused(query: dict[str, Any], tenant: Tenant) -> None:
    answer = await tenant.client.get(MODELS, params=query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(query))


async def test_another_tenants_model_does_not_exist(
    shop: Shop, app: FastAPI, api: httpx.AsyncClient
) -> None:
    model = await shop.train()
    other = await make_tenant(app, api, name="Elsewhere")
    async with other.client:
        answers = [
            await other.client.get(f"{MODELS}/{model.id}"),
            await other.client.get(f"{MODELS}/{model.id}/artifact"),
            await other.client.post(f"{MODELS}/{model.id}/promote"),
            await other.client.get(f"{MODELS}/{uuid4()}"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
        assert {code_of(answer) for answer in answers} == {"model_not_found"}
        assert await listed(other) == []
        verified = await other.client.post(f"{MODELS}/verify")
        assert verified.json() == {"checked": 0, "corrupt": []}


async def test_a_reader_may_look_but_not_change(shop: Shop, tenant: Tenant, app: FastAPI) -> None:
    model = await shop.train()
    body = {"name": "reader", "scopes": ["read"]}
    key = (await tenant.client.post("/api/v1/api-keys", json=body)).json()["key"]
    reader = {"Authorization": f"Bearer {key}"}

    for path in ("", f"/{model.id}", f"/{model.id}/artifact"):
        answer = await tenant.client.get(MODELS + path, headers=reader)
        assert answer.status_code == 200
    for path in ("/import", "/verify", "/rollback", f"/{model.id}/promote"):
        body = {"product": "Croissant"}
        answer = await tenant.client.post(MODELS + path, headers=reader, json=body)
        assert (answer.status_code, code_of(answer)) == (403, "scope_missing")


async def test_the_artifact_is_served_with_its_digest(shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()

    answer = await tenant.client.get(f"{MODELS}/{model.id}/artifact")

    data = shop.path(model.sha256).read_bytes()
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["ETag"] == f'"{model.sha256}"'
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Accept-Ranges"] == "bytes"


async def test_a_part_of_the_artifact_is_served(shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()
    url, data = f"{MODELS}/{model.id}/artifact", shop.path(model.sha256).read_bytes()
    tag = f'"{model.sha256}"'

    middle = await tenant.client.get(url, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (middle.status_code, middle.content) == (206, data[10:20])
    assert middle.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert middle.headers["Content-Length"] == "10"

    end = await tenant.client.get(url, headers={"Range": "bytes=-7"})
    assert (end.status_code, end.content) == (206, data[-7:])

    other = await tenant.client.get(url, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, data)

    beyond = await tenant.client.get(url, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, code_of(beyond)) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(data)}"
    assert beyond.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("field", ['"{}"', 'W/"{}"', '"x", "{}"', "*"])
async def test_who_has_the_bytes_is_not_sent_them(field: str, shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()
    url = f"{MODELS}/{model.id}/artifact"

    same = await tenant.client.get(url, headers={"If-None-Match": field.format(model.sha256)})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == f'"{model.sha256}"'

    other = await tenant.client.get(url, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_a_damaged_artifact_is_never_served_and_is_quarantined(
    shop: Shop, tenant: Tenant
) -> None:
    model = await shop.train()
    shop.damage(model)
    url = f"{MODELS}/{model.id}/artifact"

    for headers in ({}, {"Range": "bytes=0-3"}, {"If-None-Match": f'"{model.sha256}"'}):
        answer = await tenant.client.get(url, headers=headers)
        assert (answer.status_code, code_of(answer)) == (410, "artifact_corrupt")
    assert (await listed(tenant))[0]["quarantined_at"] is not None
    assert not shop.path(model.sha256).exists()
    refused = await tenant.client.post(f"{MODELS}/{model.id}/promote")
    assert (refused.status_code, code_of(refused)) == (409, "model_quarantined")


async def test_a_missing_artifact_is_quarantined(shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()
    shop.path(model.sha256).unlink()

    answer = await tenant.client.get(f"{MODELS}/{model.id}/artifact")

    assert (answer.status_code, code_of(answer)) == (410, "artifact_corrupt")
    assert (await listed(tenant))[0]["quarantined_at"] is not None


async def test_verifying_tells_what_is_damaged_or_missing(shop: Shop, tenant: Tenant) -> None:
    whole = await shop.train("f1")
    damaged = await shop.train("f2")
    missing = await shop.train("f3", product="Baguette")
    found = shop.damage(damaged)
    shop.path(missing.sha256).unlink()

    answer = await tenant.client.post(f"{MODELS}/verify")

    assert answer.status_code == 200
    assert answer.json()["checked"] == 3
    assert sorted(answer.json()["corrupt"], key=lambda item: item["found"] or "") == [
        {"model_id": str(missing.id), "sha256": missing.sha256, "found": None},
        {"model_id": str(damaged.id), "sha256": damaged.sha256, "found": found},
    ]
    quarantined = {item["id"] for item in await listed(tenant) if item["quarantined_at"]}
    assert quarantined == {str(damaged.id), str(missing.id)}
    assert (await tenant.client.get(f"{MODELS}/{whole.id}/artifact")).status_code == 200
    for model in (damaged, missing):
        answer = await tenant.client.get(f"{MODELS}/{model.id}/artifact")
        assert (answer.status_code, code_of(answer)) == (410, "artifact_corrupt")


async def test_an_artifact_that_is_whole_again_is_served_again(shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()
    data = shop.path(model.sha256).read_bytes()
    shop.damage(model)
    await tenant.client.post(f"{MODELS}/verify")

    shop.path(model.sha256).write_bytes(data)  # from a backup
    assert (await tenant.client.get(f"{MODELS}/{model.id}/artifact")).status_code == 410
    verified = await tenant.client.post(f"{MODELS}/verify")

    assert verified.json() == {"checked": 1, "corrupt": []}
    assert (await tenant.client.get(f"{MODELS}/{model.id}/artifact")).content == data


async def test_a_store_that_is_gone_condemns_nothing(shop: Shop, tenant: Tenant) -> None:
    model = await shop.train()
    shop.root.rename(shop.root.with_name("elsewhere"))

    for answer in (
        await tenant.client.post(f"{MODELS}/verify"),
        await tenant.client.get(f"{MODELS}/{model.id}/artifact"),
    ):
        assert (answer.status_code, code_of(answer)) == (503, "model_store_unavailable")
        assert answer.headers["Retry-After"] == "5"

    shop.root.with_name("elsewhere").rename(shop.root)
    assert (await tenant.client.get(f"{MODELS}/{model.id}/artifact")).status_code == 200


async def audited(sessions: Sessions, tenant: Tenant) -> list[AuditEntry]:
    async with tenant_transaction(sessions, tenant.id) as session:
        found = await session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action.startswith("model."))
            .order_by(AuditEntry.seq)
        )
        return list(found)


async def test_a_promoted_version_answers_and_the_change_is_audited(
    shop: Shop, tenant: Tenant, sessions: Sessions
) -> None:
    first, second = await shop.train("f1"), await shop.train("f2")

    answer = await tenant.client.post(f"{MODELS}/{first.id}/promote")

    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["aliases"]) == (1, ["champion"])
    assert await champion(tenant) == 1
    again = await tenant.client.post(f"{MODELS}/{first.id}/promote")
    assert again.status_code == 200
    (entry,) = await audited(sessions, tenant)
    assert entry.action == "model.promoted"
    assert entry.subject == f"model:{first.id}"
    assert (entry.actor or "").startswith("api_key:")
    assert entry.before == {"champion": str(second.id), "previous": str(first.id)}
    assert entry.after == {"champion": str(first.id), "previous": str(second.id)}


async def test_rolling_back_gives_the_previous_version_its_place(
    shop: Shop, tenant: Tenant, sessions: Sessions
) -> None:
    await shop.train("f1")
    await shop.train("f2")

    answer = await tenant.client.post(f"{MODELS}/rollback", json={"product": "Croissant"})

    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert await champion(tenant) == 1
    (second,) = await listed(tenant, alias="previous")
    assert second["version"] == 2
    (entry,) = await audited(sessions, tenant)
    assert entry.action == "model.rolled_back"
    assert (entry.before or {}).keys() == {"champion", "previous"}


async def test_a_rollback_that_leads_nowhere_is_refused(shop: Shop, tenant: Tenant) -> None:
    async def roll_back(product: str) -> httpx.Response:
        return await tenant.client.post(f"{MODELS}/rollback", json={"product": product})

    unknown = await roll_back("Pretzel")
    assert (unknown.status_code, code_of(unknown)) == (404, "series_not_found")
    untrained = await roll_back("Croissant")
    assert (untrained.status_code, code_of(untrained)) == (409, "nothing_to_roll_back")

    first = await shop.train("f1")
    await shop.train("f2")
    shop.damage(first)
    await tenant.client.post(f"{MODELS}/verify")
    damaged = await roll_back("Croissant")
    assert (damaged.status_code, code_of(damaged)) == (409, "model_quarantined")
    assert await champion(tenant) == 2


async def test_a_paper_that_is_promoted_answers(shop: Shop, tenant: Tenant) -> None:
    await shop.train("f1")
    paper = await shop.train("f2", stage=Stage.PAPER)
    assert [item["version"] for item in await listed(tenant, alias="paper")] == [2]

    await tenant.client.post(f"{MODELS}/{paper.id}/promote")

    assert await champion(tenant) == 2
    assert await listed(tenant, alias=Alias.PAPER.value) == []
