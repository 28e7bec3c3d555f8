"""Bringing a model in: only the bytes that were announced, and only as a challenger."""

import base64
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.training.app import create_app
from services.training.models import bundle_reader, upload
from services.training.models.bundle import pack
from services.training.settings import Settings
from tests.conftest import Tenant
from tests.models.conftest import Shop
from tests.models.made_models import made_bundle

IMPORT = "/api/v1/models/import"
PROPHET = dict.fromkeys(bundle_reader.PROPHET_KEYS) | {
    "growth": "linear",
    "history_dates": json.dumps({"name": "ds", "data": ["2026-03-01T00:00:00.000"]}),
    "__prophet_version": "1.5.0",
}


def digest_of(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


async def bring_in(
    tenant: Tenant,
    data: bytes,
    *,
    digest: str | None = None,
    media_type: str = "application/gzip",
    **query: str,
) -> httpx.Response:
    headers = {"Content-Type": media_type, "Repr-Digest": digest or digest_of(data)}
    return await tenant.client.post(IMPORT, content=data, headers=headers, params=query)


def fault(answer: httpx.Response) -> tuple[int, str]:
    body: dict[str, Any] = answer.json()
    return answer.status_code, body["errors"][0]["code"] if body.get("errors") else body["code"]


async def test_what_was_exported_comes_in_as_a_challenger_and_can_be_promoted(
    shop: Shop, tenant: Tenant
) -> None:
    first = await shop.train("f1")
    champion = await shop.train("f2")
    exported = await tenant.client.get(f"/api/v1/models/{first.id}/artifact")

    answer = await bring_in(
        tenant, exported.content, digest=exported.headers["Repr-Digest"],
        media_type=exported.headers["Content-Type"],
    )  # fmt: skip

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["Location"] == f"/api/v1/models/{body['id']}"
    assert (body["version"], body["aliases"]) == (3, ["challenger"])
    assert body["sha256"] == first.sha256
    assert body["horizon_days"] == 3
    assert body["scores"]["wape"] == 0.2
    detail = (await tenant.client.get(answer.headers["Location"])).json()
    assert detail["lineage"]["source"] == "import"
    assert detail["lineage"]["data_sha256"] == "d" * 64

    promoted = await tenant.client.post(f"/api/v1/models/{body['id']}/promote")
    assert promoted.json()["aliases"] == ["champion"]
    assert (await tenant.client.get(f"/api/v1/models/{champion.id}")).json()["aliases"] == [
        "previous"
    ]


async def test_prophets_own_json_comes_in_for_the_product_that_is_named(
    shop: Shop, tenant: Tenant
) -> None:
    plain = json.dumps(PROPHET).encode()

    nameless = await bring_in(tenant, plain, media_type="application/json")
    assert fault(nameless) == (422, "product_missing")
    answer = await bring_in(tenant, plain, media_type="application/json", product="Baguette")

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["product"], body["location"], body["family"]) == ("Baguette", "main", "prophet")
    assert (body["stage"], body["confidence"], body["aliases"]) == ("paper", 0, ["challenger"])
    assert body["trained_through"] == "2026-03-01"
    served = await tenant.client.get(f"/api/v1/models/{body['id']}/artifact")
    assert (served.content, served.headers["Content-Type"]) == (plain, "application/json")

    zipped = await bring_in(tenant, gzip.compress(plain, mtime=0), product="Baguette")
    assert zipped.status_code == 201
    assert (await tenant.client.get(f"/api/v1/models/{body['id']}")).json()["aliases"] == []


async def test_bytes_other_than_announced_are_refused(shop: Shop, tenant: Tenant) -> None:
    data = pack(made_bundle())

    other = await bring_in(tenant, data, digest=digest_of(data + b"!"))
    assert fault(other) == (422, "digest_mismatch")
    headers = {"Content-Type": "application/gzip"}
    unannounced = await tenant.client.post(IMPORT, content=data, headers=headers)
    assert fault(unannounced) == (422, "digest_missing")
    malformed = await bring_in(tenant, data, digest="sha-256=:AAAA:")
    assert fault(malformed) == (422, "digest_malformed")

    assert (await tenant.client.get("/api/v1/models")).json()["items"] == []
    assert [path for path in shop.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_json"),
        (b"{}", "not_a_model"),
        (gzip.compress(b"{}", mtime=0)[:-1], "not_gzip"),
        (b"\0" * 1000, "not_json"),
        (b"[" * 100_000, "too_deep"),
        (gzip.compress(json.dumps(PROPHET | {"growth": "a\0"}).encode()), "not_storable"),
        (json.dumps(PROPHET)[:-1].encode() + b', "growth": "flat"}', "duplicate_key"),
    ],
)
async def test_bytes_that_are_no_model_are_refused(
    data: bytes, code: str, shop: Shop, tenant: Tenant
) -> None:
    answer = await bring_in(tenant, data, product="Croissant")

    assert fault(answer) == (422, code)
    assert [path for path in shop.root.rglob("*") if path.is_file()] == []


async def test_a_product_without_sales_is_refused(shop: Shop, tenant: Tenant) -> None:
    data = pack(made_bundle(product="Pretzel"))

    assert fault(await bring_in(tenant, data)) == (404, "series_not_found")
    assert (await bring_in(tenant, data, product="Croissant")).status_code == 201
    elsewhere = await bring_in(tenant, data, product="Croissant", location="harbour")
    assert fault(elsewhere) == (404, "series_not_found")


async def test_only_models_are_taken(tenant: Tenant) -> None:
    answer = await bring_in(tenant, b"a,b", media_type="text/csv")

    assert fault(answer) == (415, "unsupported_media_type")


async def test_more_than_the_limit_is_refused_before_it_is_read(tenant: Tenant) -> None:
    async def endless() -> AsyncIterator[bytes]:
        raise AssertionError("the body was asked for")
        yield b""

    answer = await tenant.client.post(
        IMPORT,
        content=endless(),
        headers={"Content-Length": str(upload.MOST_BYTES + 1), "Repr-Digest": digest_of(b"")},
    )

    assert fault(answer) == (413, "artifact_too_large")


async def test_without_versioning_an_import_outlives_the_next_promotion(
    shop: Shop, tenant: Tenant, app: FastAPI
) -> None:
    old, champion = await shop.train("f1"), await shop.train("f2")
    settings: Settings = app.state.resources.settings
    frugal = create_app(
        settings.model_copy(
            update={"model_versioning_enabled": False, "model_backup_enabled": False}
        )
    )
    async with frugal.router.lifespan_context(frugal):
        transport = httpx.ASGITransport(frugal)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://morrow", headers=tenant.client.headers
        ) as client:
            frugal_tenant = Tenant(tenant.id, tenant.key, client)
            answer = await bring_in(frugal_tenant, pack(made_bundle(days=5)))
            kept = (await client.get("/api/v1/models")).json()["items"]
            assert {item["version"] for item in kept} == {2, 3}
            assert not shop.path(old.sha256).exists()

            await client.post(f"/api/v1/models/{answer.json()['id']}/promote")
            (left,) = (await client.get("/api/v1/models")).json()["items"]
            assert (left["version"], left["aliases"]) == (3, ["champion"])
            assert not shop.path(champion.sha256).exists()
            assert shop.path(left["sha256"]).exists()
