"""Tenants of a run: their sales, and a forecast to ask for before anything is measured."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from tests.conftest import BAKERY
from tests.infrastructure.kubelet.caller import Caller, NoAnswer
from tests.jobs.asking import sales_rows

PRODUCTS = ("bread", "rolls", "cake")
DAYS = 120


@dataclass(slots=True)
class Tenant:
    """`written` are the rows that were acknowledged, by product and day."""

    id: UUID
    key: str
    caller: Caller
    written: set[tuple[str, str]] = field(default_factory=set)


async def new_tenant(caller: Caller, operator_key: str, number: int) -> Tenant:
    bakery = {**BAKERY, "name": f"Bakery {number}", "plan": "unlimited"}
    made = json.loads(await _post(caller, "/tenants", operator_key, bakery))
    tenant = Tenant(UUID(made["tenant"]["id"]), made["api_key"], caller)
    rows = [row for product in PRODUCTS for row in sales_rows(product, days=DAYS)]
    await _post(caller, "/sales", tenant.key, {"rows": rows})
    return tenant


async def _post(caller: Caller, path: str, key: str, body: object) -> bytes:
    answer = await caller.ask("POST", path, key, body)
    if not 200 <= answer.status < 300:
        raise NoAnswer(f"{path}: {answer.status} {answer.content!r}")
    return answer.content
