"""While the database is away sales are kept on the disk, and come in when it is back."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx

from tests.processes import Programs
from tests.spool.outage import Clients, Server, Shop, row, until


def spooled_files(programs: Programs, shop: Shop) -> list[Path]:
    return sorted((programs.folder / "spool" / shop.id).rglob("*.batch"))


def test_a_batch_is_acknowledged_shown_and_applied_when_the_database_is_back(
    server: Server, shop: Shop, served: Programs
) -> None:
    server.stop()
    answer = shop.send(row("rye", 2), row("bun", 7))
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert (receipt["status"], receipt["received"], receipt["position"]) == ("waiting", 2, 1)
    assert receipt["status_url"] == answer.headers["location"] == f"/api/v1/spool/{receipt['id']}"
    [file] = spooled_files(served, shop)
    assert receipt["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    second = shop.send(row("rye", 3))
    assert second.json()["position"] == 2
    page = shop.http.get("/spool").json()
    assert [item["id"] for item in page["items"]] == [receipt["id"], second.json()["id"]]
    assert shop.receipt(answer)["status"] == "waiting"

    server.start()
    until(lambda: shop.receipt(second)["status"] == "applied")
    assert shop.receipt(answer)["result"] == {
        "received": 2, "inserted": 1, "updated": 1, "unchanged": 0,
    }  # fmt: skip
    assert shop.quantities() == {"rye": 3, "bun": 7}
    assert spooled_files(served, shop) == []


def test_what_comes_while_earlier_batches_wait_overtakes_none(server: Server, shop: Shop) -> None:
    server.stop()
    kept = [shop.send(row("rye", number)) for number in range(2, 12)]
    assert {answer.status_code for answer in kept} == {202}
    server.start()
    last = shop.send(row("rye", 99))
    assert last.status_code in {200, 202}
    until(lambda: shop.waiting() == 0)
    assert shop.quantities() == {"rye": 99}
    assert [shop.receipt(answer)["status"] for answer in kept] == ["applied"] * len(kept)
    assert shop.send(row("rye", 100)).status_code == 200


def test_bad_rows_are_refused_while_the_database_is_away(
    server: Server, shop: Shop, served: Programs
) -> None:
    server.stop()
    answer = shop.send(row("rye", 2), row("rye", 3))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "duplicate_row")
    text = shop.http.post("/sales", content=b"x", headers={"Content-Type": "text/plain"})
    assert text.status_code == 415
    assert spooled_files(served, shop) == []


def test_what_is_known_of_days_waits_as_well(server: Server, shop: Shop) -> None:
    server.stop()
    answer = shop.http.post("/regressors", json={"rows": [{"date": "2026-03-01", "rain": 1}]})
    assert (answer.status_code, answer.json()["kind"]) == (202, "regressors")
    server.start()
    until(lambda: shop.receipt(answer)["status"] == "applied")
    assert shop.receipt(answer)["result"]["inserted"] == 1


def test_a_key_not_seen_lately_is_told_to_come_again_and_never_that_it_is_wrong(
    server: Server, shop: Shop, clients: Clients
) -> None:
    stranger = clients.of(f"mrw_abcdef123456_{'x' * 43}")
    revoked = shop.http.post("/api-keys", json={"name": "till", "scopes": ["ingest"]}).json()
    reader = shop.http.post("/api-keys", json={"name": "wall", "scopes": ["read"]}).json()
    till, wall = (clients.of(made["key"]) for made in (revoked, reader))
    rows = {"rows": [row("rye", 9)]}
    assert till.post("/sales", json=rows).status_code == 200
    assert wall.get("/tenant").status_code == 200
    assert shop.http.delete(f"/api-keys/{revoked['id']}").status_code == 204
    assert till.post("/sales", json=rows).status_code == 401
    server.stop()
    for client, status, code in (
        (stranger, 503, "database_unavailable"),
        (till, 503, "database_unavailable"),
        (wall, 403, "scope_missing"),
    ):
        answer = client.post("/sales", json=rows)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert stranger.post("/sales", json=rows).headers["retry-after"]
    assert shop.send(row("rye", 4)).status_code == 202


def test_a_known_key_gets_nothing_else_while_the_database_is_away(
    server: Server, shop: Shop
) -> None:
    server.stop()
    for path in ("/tenant", "/sales", "/products", f"/spool/{uuid4()}"):
        answer = shop.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), path


def test_tenants_do_not_see_each_others_batches(
    server: Server, shop: Shop, clients: Clients
) -> None:
    other = clients.shop(name="Other")
    assert other.send(row("rye", 5)).status_code == 200
    server.stop()
    answer = shop.send(row("rye", 2))
    assert other.waiting() == 0
    assert other.http.get(f"/spool/{answer.json()['id']}").status_code == 503
    server.start()
    until(lambda: shop.receipt(answer)["status"] == "applied")
    assert other.http.get(f"/spool/{answer.json()['id']}").status_code == 404
    assert other.quantities() == {"rye": 5}


def test_readiness_and_metrics_tell_what_waits(
    server: Server, shop: Shop, served: Programs
) -> None:
    server.stop()
    for number in range(3):
        assert shop.send(row("rye", number)).status_code == 202
    ready = httpx.get(f"{served.address}/health/ready")
    spool = ready.json()["checks"]["spool"]
    assert ready.status_code == 503
    assert spool["status"] == "ok"
    assert spool["detail"].startswith("3 batches of ")
    server.start()
    until(lambda: shop.waiting() == 0)
    until(lambda: httpx.get(f"{served.address}/health/ready").status_code == 200)
    ready = httpx.get(f"{served.address}/health/ready")
    assert ready.json()["checks"]["spool"] == {"status": "ok", "detail": None}


def test_a_forecast_read_before_is_told_again_as_degraded_and_to_its_tenant_alone(
    server: Server, shop: Shop, clients: Clients
) -> None:
    other = clients.shop(name="Other")
    assert other.send(row("rye", 50)).status_code == 200
    asked = {"product": "rye", "days": 3}
    before = shop.http.get("/forecasts", params=asked)
    assert (before.status_code, before.json()["degraded"]) == (200, False)
    assert "age" not in before.headers
    server.stop()
    again = shop.http.get("/forecasts", params=asked)
    assert again.status_code == 200, again.text
    assert again.headers["age"].isdecimal()
    assert again.headers["x-morrow-degraded"] == "database_unavailable"
    told = again.json()
    assert told.pop("age_seconds") >= 0
    assert told | {"degraded": False, "age_seconds": None} == before.json()
    for client, params in ((other, asked), (shop, asked | {"days": 2})):
        refused = client.http.get("/forecasts", params=params)
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")

    server.start()
    assert shop.send(row("rye", 30, "2026-03-08")).status_code in {200, 202}
    until(lambda: shop.waiting() == 0)
    now = shop.http.get("/forecasts", params=asked).json()
    assert (now["degraded"], now["data_through"]) == (False, "2026-03-08")


WAITERS = "SELECT count(*) FROM pg_locks WHERE relation = 'sales'::regclass AND NOT granted"


def test_slow_queries_are_no_outage(server: Server, programs: Programs) -> None:
    programs.settings |= {
        "MORROW_DB_POOL_SIZE": "1",
        "MORROW_DB_MAX_OVERFLOW": "0",
        "MORROW_DB_POOL_TIMEOUT": "0.5",
    }
    programs.serve()
    with ExitStack() as held:
        shop = Clients(programs.address, held).shop()
        assert shop.send(row("rye", 1)).status_code == 200
        pool = held.enter_context(ThreadPoolExecutor())
        with tables_locked(server.database.admin_dsn) as somebody_waits:
            slow = pool.submit(shop.send, row("rye", 2))
            until(somebody_waits)  # on the one connection that there is
            until(lambda: shop.send(row("rye", 3)).status_code == 503)
            assert spooled_files(programs, shop) == []
        assert slow.result().status_code == 200


@contextmanager
def tables_locked(dsn: str) -> Iterator[Callable[[], bool]]:
    """Nobody reads or writes sales meanwhile; tells whether somebody waits to."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(dsn))
    loop.run_until_complete(connection.execute("BEGIN; LOCK TABLE sales"))
    try:
        yield lambda: loop.run_until_complete(connection.fetchval(WAITERS)) > 0
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


def test_while_it_is_away_each_process_holds_the_last_limit_by_itself(
    server: Server, shop: Shop
) -> None:
    limit = "UPDATE tenants SET limits = '{\"requests_per_minute\": 4}' WHERE tenant_id = $1::uuid"
    server.tell(limit, shop.id)
    assert shop.send(row("rye", 2)).status_code == 200
    server.stop()
    statuses = [shop.send(row("rye", number)).status_code for number in range(3, 10)]
    assert statuses == [202] * 4 + [429] * 3
    server.start()
    server.tell("UPDATE tenants SET limits = '{}' WHERE tenant_id = $1::uuid", shop.id)
    server.tell("DELETE FROM request_buckets")  # which is full then
    until(lambda: shop.waiting() == 0)
    assert shop.quantities() == {"rye": 6}
