"""What counts something of all tenants is shown to none: of two such numbers the difference is what
others did meanwhile.

Every sequence of the database, and the operator's chain, begin where no other number lies. Then a
tenant that has everything reads its lists, page by page.
"""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from shared.postgres import RunningPostgres
from tests.conftest import OPERATOR_KEY, client_of, execute, fresh_database, settings_for
from tests.jobs.asking import ask, finished
from tests.security.furnished import FORECAST_DAY, PRODUCTS, Furnished, furnished
from tests.worker_here import working_here

FAR = 7_000_000_000_000
COUNTED_BY_ALL = re.compile(r"70000000\d{5}")
BEGIN_FAR = (
    f"SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, {FAR}) FROM pg_sequences",
    "INSERT INTO audit_heads (tenant_id, seq, hash) "
    f"VALUES ('00000000-0000-0000-0000-000000000000', {FAR}, decode(repeat('00', 32), 'hex'))",
)
OF_FORECASTS = {"product": PRODUCTS[0], "date": FORECAST_DAY}


@pytest.fixture(scope="module")
async def there(
    postgres_server: RunningPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Furnished]:
    """A tenant that has everything, and a job whose products have all ended."""
    folder = tmp_path_factory.mktemp("there")
    with fresh_database(postgres_server, template) as database:
        await execute(database.admin_dsn, *BEGIN_FAR)
        async with furnished(database, folder) as made:
            settings = settings_for(database.worker_dsn, folder, workers=2, renew_seconds=1)
            async with working_here(settings):
                asked = await ask(made.client, products=["Baguette", "Brioche"])
                job = await finished(made.client, asked["id"])
            assert job["products"]["total"] == 2
            made.ids["job_id"].insert(0, job["id"])
            yield made


async def test_no_answer_and_no_cursor_tells_a_number_that_counts_for_all(
    there: Furnished,
) -> None:
    asked = {path: await told(there.client, path) for path in paths(there)}
    found = {path: COUNTED_BY_ALL.findall(text) for path, text in asked.items()}
    assert {path: numbers for path, numbers in found.items() if numbers} == {}
    paged = {path for path, text in asked.items() if text.count('"next_cursor"') > 1}
    job = there.ids["job_id"][0]
    assert paged >= {
        f"/training-jobs/{job}/products",
        *("/training-jobs", "/models", "/audit-log", "/products", "/api-keys"),
    }


async def test_the_products_of_a_job_stand_on_its_pages_once_each(there: Furnished) -> None:
    path = f"/training-jobs/{there.ids['job_id'][0]}/products"
    whole = (await there.client.get(f"/api/v1{path}")).json()["items"]
    assert [item async for page in pages(there.client, path) for item in page["items"]] == whole


async def test_the_operator_alone_sees_how_much_the_operator_did(there: Furnished) -> None:
    async with client_of(there.app, OPERATOR_KEY) as operator:
        assert COUNTED_BY_ALL.search(await told(operator, "/audit-log"))


def paths(there: Furnished) -> Iterator[str]:
    """Of every operation by which a tenant reads, with its own in the places of the path."""
    for path, methods in there.app.openapi()["paths"].items():
        if "get" not in methods or not path.startswith("/api/v1/") or "tenants" in path:
            continue
        plain = path.removeprefix("/api/v1")
        yield re.sub(r"\{(\w+)\}", lambda found: there.ids.get(found[1], [there.key_id])[0], plain)


async def told(client: httpx.AsyncClient, path: str) -> str:
    """All that is answered, and what the cursors hold."""
    text = ""
    async for page in pages(client, path):
        text += json.dumps(page)
    return text


async def pages(client: httpx.AsyncClient, path: str) -> AsyncIterator[Any]:
    """The body of each page of one item, and with it what its cursor holds."""
    query = {"limit": 1, **(OF_FORECASTS if "forecasts" in path else {})}
    while True:
        answer = await client.get(f"/api/v1{path}", params=query)
        assert answer.is_success, (path, answer.text)
        page = answer.json() if "json" in answer.headers["content-type"] else {"text": answer.text}
        cursor = page.get("next_cursor")
        yield page if cursor is None else page | {"held": held_by(cursor)}
        if cursor is None:
            return
        assert query.get("cursor") != cursor, path
        query["cursor"] = cursor


def held_by(cursor: str) -> str:
    return base64.urlsafe_b64decode(cursor + "==").decode()
