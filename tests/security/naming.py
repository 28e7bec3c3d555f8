"""The names of a tenant's things, as the tenant itself is told of them."""

from typing import Any

from services.training.models.repr_digest import repr_digest
from shared.paging import encode_cursor
from tests.security.holdings import Holdings
from tests.security.shop import Shop


async def holdings_of(shop: Shop) -> Holdings:
    jobs = (await shop.ask("GET", "/training-jobs"))["items"]
    job = next(job["id"] for job in jobs if job["finished_at"])
    models = (await shop.ask("GET", "/models", params={"product": shop.products[0]}))["items"]
    of_alias = {alias: model for model in models for alias in model["aliases"]}
    champion, challenger = of_alias["champion"], of_alias["challenger"]
    return Holdings(
        tenant=str(shop.id),
        product=shop.products[0],
        location=shop.location,
        event=shop.marks.name("fair"),
        key=await _new_key(shop, "shown"),
        spare_key=await _new_key(shop, "spare"),
        old_key=await _new_key(shop, "old"),
        erased_tenant=shop.erased,
        job=job,
        spare_job=next(job["id"] for job in jobs if not job["finished_at"]),
        model=champion["id"],
        challenger=challenger["id"],
        sync=(await shop.ask("GET", "/sources"))["items"][0]["last_sync"]["id"],
        receipt=shop.receipts["applied"],
        rejected=shop.receipts["rejected"],
        breaker=f"sales:{shop.slug}",
        request_key=f"{shop.marks.word}-baseline",
        sync_request_key=f"{shop.marks.word}-sales",
        artifact=repr_digest(challenger["sha256"]),
        etag=f'"{champion["sha256"]}"',
        tenants_page=encode_cursor(str(shop.id)),
        spool_page=encode_cursor(0),
        breakers_page=encode_cursor(f"sales:{shop.slug}", str(shop.id)),
        **{name: await _second_page(shop, path) for name, path in _lists(job).items()},
    )


def _lists(job: str) -> dict[str, str]:
    return {
        "keys_page": "/api-keys",
        "jobs_page": "/training-jobs",
        "tasks_page": f"/training-jobs/{job}/products",
        "models_page": "/models",
        "locations_page": "/locations",
        "products_page": "/products",
        "audit_page": "/audit-log",
    }


async def _second_page(shop: Shop, path: str) -> str:
    cursor: str = (await shop.ask("GET", path, params={"limit": 1}))["next_cursor"]
    return cursor


async def _new_key(shop: Shop, name: str) -> str:
    wanted: dict[str, Any] = {"name": shop.marks.name(name), "scopes": ["admin"]}
    made = await shop.ask("POST", "/api-keys", json=wanted)
    key_id: str = made["id"]
    return key_id
