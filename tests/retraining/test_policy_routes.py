"""The policy over HTTP."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.conftest import Tenant, client_of

POLICY = "/api/v1/retraining-policy"
DEFAULT = {
    "enabled": True,
    "new_rows": 50,
    "max_age_days": 30,
    "on_degraded_accuracy": True,
    "on_corrected_data": True,
    "window": None,
    "cooldown_hours": 24,
    "updated_at": None,
    "checked_at": None,
}


async def test_the_default_is_on(tenant: Tenant) -> None:
    answer = await tenant.client.get(POLICY)
    assert (answer.status_code, answer.json()) == (200, DEFAULT)


async def test_a_policy_is_set_as_a_whole_and_audited(tenant: Tenant) -> None:
    first = await tenant.client.put(POLICY, json={"new_rows": 10, "window": {"rows": 365}})
    assert first.status_code == 200
    put = first.json()
    assert put["updated_at"] is not None
    assert put | {"updated_at": None} == DEFAULT | {
        "new_rows": 10, "window": {"days": None, "rows": 365},
    }  # fmt: skip
    again = await tenant.client.put(POLICY, json={"enabled": False})
    assert again.json() | {"updated_at": None} == DEFAULT | {"enabled": False}
    assert (await tenant.client.get(POLICY)).json() == again.json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"new_rows": 0}, "new_rows"),
        ({"max_age_days": 0}, "max_age_days"),
        ({"cooldown_hours": -1}, "cooldown_hours"),
        ({"window": {}}, "window"),
        ({"window": {"days": 100, "rows": 100}}, "window"),
        ({"window": {"days": 7}}, "window.days"),
        ({"every": 3}, "every"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
async def test_a_bad_field_is_named(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = await tenant.client.put(POLICY, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_reading_and_setting_take_their_scopes(app: FastAPI, tenant: Tenant) -> None:
    made = await tenant.client.post("/api/v1/api-keys", json={"name": "r", "scopes": ["read"]})
    async with client_of(app, made.json()["key"]) as reader:
        assert (await reader.get(POLICY)).status_code == 200
        assert (await reader.put(POLICY, json={})).status_code == 403
