"""Keys: made by who has their scopes, rotated with an overlap, ended; and found in one way."""

import asyncio
import datetime as dt
import inspect
import sys
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.training.deps import Resources
from services.training.identity.caller import Caller
from services.training.identity.key_uses import KeyUses
from shared.auth import prefix_of
from shared.database import Sessions, tenant_transaction
from tests.conftest import OPERATOR_KEY, Tenant, client_of, make_tenant

KEYS = "/api/v1/api-keys"
ALL = ["read", "ingest", "train", "admin"]


async def made(client: httpx.AsyncClient, *scopes: str, **values: Any) -> dict[str, Any]:
    body = {"name": "till", "scopes": list(scopes)} | values
    answer = await client.post(KEYS, json=body)
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def rotated(client: httpx.AsyncClient, key_id: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{KEYS}/{key_id}/rotate", json=body)
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def status_of(app: FastAPI, key: str) -> int:
    async with client_of(app, key) as client:
        return (await client.get("/api/v1/tenant")).status_code


async def ids_of(client: httpx.AsyncClient) -> list[str]:
    return [key["id"] for key in (await client.get(KEYS)).json()["items"]]


async def test_a_key_is_kept_as_a_digest_and_shown_once(tenant: Tenant, sessions: Sessions) -> None:
    key = await made(tenant.client, "read")
    assert key["key"].startswith(key["prefix"] + "_")
    again = (await tenant.client.get(f"{KEYS}/{key['id']}")).json()
    assert again == {name: value for name, value in key.items() if name != "key"}
    secret = key["key"].removeprefix(key["prefix"] + "_")
    async with tenant_transaction(sessions, tenant.id) as session:
        kept = (await session.execute(text("SELECT api_keys::text FROM api_keys"))).scalars()
        assert not [row for row in kept if secret in row]


async def test_who_rotates_a_key_uses_either_until_the_overlap_ends(
    app: FastAPI, tenant: Tenant, sessions: Sessions
) -> None:
    old = await made(tenant.client, "read", "ingest")
    new = await rotated(tenant.client, old["id"])
    assert (new["name"], new["scopes"]) == ("till", ["read", "ingest"])
    assert new["key"] != old["key"]
    assert [await status_of(app, key["key"]) for key in (old, new)] == [200, 200]
    shown = (await tenant.client.get(f"{KEYS}/{old['id']}")).json()
    assert shown["replaced_by"] == new["id"]
    async with tenant_transaction(sessions, tenant.id) as session:
        left = "SELECT extract(epoch FROM expires_at - now()) FROM api_keys WHERE id = :id"
        seconds = await session.scalar(text(left), {"id": old["id"]})
        assert 86_000 < seconds <= 86_400
        ends = text("UPDATE api_keys SET expires_at = now() WHERE id = :id")
        await session.execute(ends, {"id": old["id"]})
    assert [await status_of(app, key["key"]) for key in (old, new)] == [401, 200]


async def test_without_an_overlap_the_old_key_ends_at_once(app: FastAPI, tenant: Tenant) -> None:
    old = await made(tenant.client, "read")
    new = await rotated(tenant.client, old["id"], overlap_seconds=0)
    assert [await status_of(app, key["key"]) for key in (old, new)] == [401, 200]


async def test_an_overlap_lengthens_no_life(tenant: Tenant) -> None:
    soon = "2100-01-01T00:00:00Z"
    old = await made(tenant.client, "read", expires_at=soon)
    new = await rotated(tenant.client, old["id"])
    assert new["expires_at"] == soon
    newer = await rotated(tenant.client, new["id"], expires_at=None, overlap_seconds=604_800)
    assert newer["expires_at"] is None
    in_a_minute = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)).isoformat()
    brief = await made(tenant.client, "read", expires_at=in_a_minute)
    await rotated(tenant.client, brief["id"], overlap_seconds=3600)
    shown = (await tenant.client.get(f"{KEYS}/{brief['id']}")).json()
    assert shown["expires_at"] == brief["expires_at"]
    shown = (await tenant.client.get(f"{KEYS}/{new['id']}")).json()
    assert shown["expires_at"] < soon


@pytest.mark.parametrize(
    "body",
    [
        {"overlap_seconds": -1},
        {"overlap_seconds": 604_801},
        {"overlap_seconds": None},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"expires_at": "2100-01-01T00:00:00"},
        {"scopes": ALL},
    ],
)
async def test_a_rotation_that_cannot_be_is_refused(tenant: Tenant, body: dict[str, Any]) -> None:
    key = await made(tenant.client, "read")
    answer = await tenant.client.post(f"{KEYS}/{key['id']}/rotate", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert len(await ids_of(tenant.client)) == 2


async def test_of_two_who_rotate_a_key_one_does(tenant: Tenant) -> None:
    key = await made(tenant.client, "read")
    path = f"{KEYS}/{key['id']}/rotate"
    answers = await asyncio.gather(*(tenant.client.post(path, json={}) for _ in range(6)))
    codes = sorted(answer.json().get("code", "made") for answer in answers)
    assert codes == ["key_replaced"] * 5 + ["made"]
    assert len(await ids_of(tenant.client)) == 3


async def test_a_key_that_has_ended_is_not_rotated(tenant: Tenant) -> None:
    gone = await made(tenant.client, "read")
    assert (await tenant.client.delete(f"{KEYS}/{gone['id']}")).status_code == 204
    late = await made(tenant.client, "read", expires_at="2020-01-01T00:00:00Z")
    for key, code in ((gone, 404), (late, 409), ({"id": uuid4()}, 404)):
        answer = await tenant.client.post(f"{KEYS}/{key['id']}/rotate")
        assert answer.status_code == code


async def test_nobody_hands_on_a_scope_that_they_do_not_have(app: FastAPI, tenant: Tenant) -> None:
    whole = await made(tenant.client, *ALL)
    admin = await made(tenant.client, "admin")
    async with client_of(app, admin["key"]) as limited:
        refusals = [
            await limited.post(KEYS, json={"name": "more", "scopes": ["admin", "read"]}),
            await limited.post(f"{KEYS}/{whole['id']}/rotate"),
        ]
        for answer in refusals:
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_held")
        assert len(await ids_of(tenant.client)) == 3
        own = await rotated(limited, admin["id"])
        assert own["scopes"] == ["admin"]


async def test_another_tenants_key_is_none(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    other = await make_tenant(app, api, name="Other")
    key = await made(tenant.client, "read")
    for answer in (
        await other.client.post(f"{KEYS}/{key['id']}/rotate"),
        await other.client.delete(f"{KEYS}/{key['id']}"),
        await other.client.get(f"{KEYS}/{key['id']}"),
    ):
        assert answer.status_code == 404
    assert await status_of(app, key["key"]) == 200
    await other.client.aclose()


async def test_the_last_key_that_makes_keys_stays(app: FastAPI, tenant: Tenant) -> None:
    [first] = await ids_of(tenant.client)
    await made(tenant.client, "read")
    await made(tenant.client, "admin", expires_at="2020-01-01T00:00:00Z")
    refused = await tenant.client.delete(f"{KEYS}/{first}")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key")
    new = await rotated(tenant.client, first)
    refused = await tenant.client.delete(f"{KEYS}/{new['id']}")
    assert refused.json()["code"] == "last_admin_key", "the old one goes on for a day only"
    assert (await tenant.client.delete(f"{KEYS}/{first}")).status_code == 204
    assert [await status_of(app, key) for key in (tenant.key, new["key"])] == [401, 200]


async def test_of_two_who_revoke_each_other_one_stays(app: FastAPI, tenant: Tenant) -> None:
    [first] = await ids_of(tenant.client)
    for _ in range(5):
        second = await made(tenant.client, *ALL)
        async with client_of(app, second["key"]) as client:
            answers = await asyncio.gather(
                tenant.client.delete(f"{KEYS}/{second['id']}"),
                client.delete(f"{KEYS}/{first}"),
            )
        assert sorted(answer.status_code for answer in answers) in ([204, 401], [204, 409])
        if answers[1].status_code == 204:
            return


async def test_the_operator_makes_a_key_for_who_has_lost_theirs_and_the_record_says_so(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, sessions: Sessions
) -> None:
    path = f"/api/v1/tenants/{tenant.id}/api-keys"
    body = {"name": "found again", "scopes": ["admin"]}
    assert (await tenant.client.post(path, json=body)).status_code == 403
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    key = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    async with client_of(app, key["key"]) as client:
        assert key["id"] in await ids_of(client)
    async with tenant_transaction(sessions, UUID(int=0)) as session:
        acts = await session.execute(text("SELECT action, subject, concerns FROM audit_log"))
        assert ("api_key.recovered", f"api_key:{key['id']}", tenant.id) in map(tuple, acts)
    assert (await api.post(f"/api/v1/tenants/{uuid4()}/api-keys", json=body)).status_code == 404


async def test_what_is_done_to_keys_is_recorded_without_secrets(
    tenant: Tenant, sessions: Sessions
) -> None:
    key = await made(tenant.client, "read")
    new = await rotated(tenant.client, key["id"])
    await tenant.client.delete(f"{KEYS}/{key['id']}")
    async with tenant_transaction(sessions, tenant.id) as session:
        query = "SELECT action, subject, key_prefix, after::text FROM audit_log ORDER BY seq"
        acts = [tuple(row) for row in await session.execute(text(query))]
    assert [act[:2] for act in acts if act[2] is not None] == [
        ("api_key.created", f"api_key:{key['id']}"),
        ("api_key.rotated", f"api_key:{new['id']}"),
        ("api_key.revoked", f"api_key:{key['id']}"),
    ]
    assert {act[2] for act in acts} <= {prefix_of(tenant.key), None}
    for secret in (key["key"], new["key"]):
        assert secret.split("_", 2)[2] not in str(acts)


async def calls_of(app: FastAPI, key: str) -> tuple[list[str], dict[str, Any]]:
    """The functions by which a key is looked up, in their order, and the answer."""
    called: list[str] = []
    watched = {"keys.py", "auth.py", "door.py"}

    def note(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        is_resumed = frame.f_code.co_flags & inspect.CO_COROUTINE
        if event == "call" and file.name in watched and not is_resumed:
            called.append(f"{file.name}:{frame.f_code.co_name}")

    async with client_of(app, key) as client:
        sys.setprofile(note)
        try:
            answer = await client.get("/api/v1/tenant", headers={"X-Request-ID": "same"})
        finally:
            sys.setprofile(None)
    return called, answer.json()


async def test_an_unknown_prefix_and_a_wrong_secret_take_one_way(
    app: FastAPI, tenant: Tenant
) -> None:
    prefix = prefix_of(tenant.key)
    wrong = await calls_of(app, f"{prefix}_{'x' * 43}")
    unknown = await calls_of(app, f"mrw_{'0' * 12}_{'x' * 43}")
    assert wrong == unknown
    assert "auth.py:same_secret" in wrong[0]
    assert wrong[1]["code"] == "unauthorized"


async def test_a_use_is_written_once_a_minute_and_not_by_the_request(
    app: FastAPI, tenant: Tenant, sessions: Sessions
) -> None:
    resources: Resources = app.state.resources

    async def last_used() -> Any:
        async with tenant_transaction(sessions, tenant.id) as session:
            return await session.scalar(text("SELECT last_used_at FROM api_keys"))

    for _ in range(3):
        assert await status_of(app, tenant.key) == 200
    assert await last_used() is None
    await resources.door.uses.write()
    first = await last_used()
    assert first is not None
    for _ in range(3):
        assert await status_of(app, tenant.key) == 200
        await resources.door.uses.write()
    assert await last_used() == first
    caller = await resources.door.admit(tenant.key)
    await written_elsewhere(resources, caller)
    assert await last_used() == first
    async with tenant_transaction(sessions, tenant.id) as session:
        earlier = "UPDATE api_keys SET last_used_at = now() - interval '61 s'"
        await session.execute(text(earlier))
    await written_elsewhere(resources, caller)
    assert await last_used() > first


async def written_elsewhere(resources: Resources, caller: Caller) -> None:
    """By another process, which knows nothing of this one."""
    uses = KeyUses(resources.engine)
    uses.note(caller)
    await uses.write()


async def test_the_operator_key_is_no_tenants(app: FastAPI) -> None:
    assert await status_of(app, OPERATOR_KEY) == 403
