"""A key that ends at one process ends at all: for requests at once, for what outlives one within
a second. Three real API processes, and a PostgreSQL that goes away."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from services.training.identity import key_watch
from tests.processes import Programs, programs_on
from tests.spool.outage import Clients, Server, Shop, migrated_server, row

PROMISED_SECONDS = 1.0
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with migrated_server() as made:
        yield made


@pytest.fixture(scope="module")
def processes(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Programs]]:
    """Three API processes on one database."""
    with ExitStack() as held:
        made = [
            held.enter_context(programs_on(server.database, tmp_path_factory.mktemp(name)))
            for name in ("first", "second", "third")
        ]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Programs.serve, made))
        yield made


@pytest.fixture
def clients(processes: list[Programs]) -> Iterator[list[Clients]]:
    with ExitStack() as held:
        yield [Clients(programs.address, held) for programs in processes]


@pytest.fixture
def shop(clients: list[Clients]) -> Shop:
    """A tenant as the first process sees it."""
    opened = clients[0].shop()
    assert opened.send(row("rye", 1)).status_code == 200
    return opened


@pytest.fixture
def job(shop: Shop) -> str:
    """Nobody works here, so it goes on for ever."""
    job_id: str = shop.http.post("/training-jobs", json={}).json()["id"]
    return job_id


def new_key(shop: Shop, *scopes: str) -> dict[str, Any]:
    made = shop.http.post("/api-keys", json={"name": "till", "scopes": list(scopes)})
    assert made.status_code == 201, made.text
    key: dict[str, Any] = made.json()
    return key


def revoke(shop: Shop, key: dict[str, Any]) -> None:
    assert shop.http.delete(f"/api-keys/{key['id']}").status_code == 204


def watch(clients: Clients, job: str, key: str | None, query: str = "") -> ClientConnection:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    address = clients.address.replace("http", "ws")
    return connect(
        f"{address}/api/v1/training-jobs/{job}/ws{query}",
        additional_headers=headers,
        open_timeout=PATIENCE_SECONDS,
    )


def closed_with(socket: ClientConnection) -> int | None:
    """The code with which the server closes, after all that it has to say."""
    try:
        while True:
            socket.recv(timeout=PATIENCE_SECONDS)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@contextmanager
def away(server: Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_the_next_request_is_refused_at_every_process(clients: list[Clients], shop: Shop) -> None:
    for _ in range(5):
        key = new_key(shop, "read")
        tills = [client.of(key["key"]) for client in clients]
        assert [till.get("/tenant").status_code for till in tills] == [200, 200, 200]
        revoke(shop, key)
        assert [till.get("/tenant").status_code for till in tills] == [401, 401, 401]


def test_streams_are_closed_at_every_process(clients: list[Clients], shop: Shop, job: str) -> None:
    key, other = new_key(shop, "read"), new_key(shop, "read")
    till = clients[2].of(key["key"])
    ticket = till.post("/stream-tickets", json={"job_id": job}).json()["ticket"]
    with (
        watch(clients[1], job, key["key"]) as by_key,
        watch(clients[2], job, None, f"?ticket={ticket}") as by_ticket,
        watch(clients[1], job, other["key"]) as stays,
        till.stream(
            "GET", f"/training-jobs/{job}/events", headers={"Accept": "text/event-stream"}
        ) as sent,
    ):
        lines = sent.iter_lines()
        assert next(lines) == "id: 1"
        revoke(shop, key)
        assert [closed_with(socket) for socket in (by_key, by_ticket)] == [1008, 1008]
        assert not [line for line in lines if line.startswith("id:")]
        stays.recv(timeout=PATIENCE_SECONDS)
        with pytest.raises(TimeoutError):
            stays.recv(timeout=PROMISED_SECONDS)


def test_a_stream_lasts_as_long_as_the_overlap_of_its_rotated_key(
    clients: list[Clients], shop: Shop, job: str
) -> None:
    key = new_key(shop, "read")
    with watch(clients[1], job, key["key"]) as stream:
        made = shop.http.post(f"/api-keys/{key['id']}/rotate", json={"overlap_seconds": 1})
        assert made.status_code == 201
        assert closed_with(stream) == 1008


def test_a_stream_lasts_no_longer_than_its_key(
    clients: list[Clients], shop: Shop, job: str
) -> None:
    key = new_key(shop, "read")
    brief = {"expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))}
    made = shop.http.post(f"/api-keys/{key['id']}/rotate", json=brief)
    with watch(clients[1], job, made.json()["key"]) as stream:
        assert closed_with(stream) == 1008


def test_a_key_that_ended_elsewhere_is_known_no_more_when_the_database_goes(
    server: Server, clients: list[Clients], shop: Shop
) -> None:
    ended, good = new_key(shop, "ingest"), new_key(shop, "ingest")
    tills = [Shop(shop.id, key["key"], clients[1].of(key["key"])) for key in (ended, good)]
    assert [till.send(row("rye", 2)).status_code for till in tills] == [200, 200]
    revoke(shop, ended)
    time.sleep(PROMISED_SECONDS)
    with away(server):
        assert [till.send(row("rye", 3)).status_code for till in tills] == [503, 202]


def test_a_ticket_dies_with_its_key(clients: list[Clients], shop: Shop, job: str) -> None:
    key = new_key(shop, "read")
    till = clients[1].of(key["key"])
    first, second = (
        till.post("/stream-tickets", json={"job_id": job}).json()["ticket"] for _ in range(2)
    )
    with watch(clients[2], job, None, f"?ticket={first}") as stream:
        stream.recv(timeout=PATIENCE_SECONDS)
        revoke(shop, key)
        with pytest.raises(InvalidStatus) as refused:
            watch(clients[2], job, None, f"?ticket={second}")
        assert refused.value.response.status_code == 401


def test_processes_look_often_enough() -> None:
    assert 2 * key_watch.LOOK_SECONDS < PROMISED_SECONDS
