"""A real server for the session, a database of its own for each test that commits."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

import migrations
from services.training.app import create_app
from services.training.settings import Settings
from shared.database import PoolLimits, Sessions, make_engine, make_sessions
from shared.logging import configure_logging
from shared.postgres import RunningPostgres
from shared.roles import API, MIGRATOR, WORKER
from tests.postgres_fixtures import postgres_server

__all__ = ["postgres_server"]

LONGEST_FIRST = (
    "tests/chaos/test_mutants.py",
    "tests/test_main_job.py",
    "tests/commands/test_demo.py",
    "tests/jobs/test_kept_pools.py",
    "tests/security/test_corpus.py",
    "tests/streams/faults/test_faults.py",
    "tests/chaos/test_faults.py",
    "tests/streams/faults/test_mutants.py",
    "tests/security/test_schemathesis.py",
    "tests/security/test_leaks.py",
    "tests/up/test_up.py",
    "tests/jobs/test_training.py",
    "tests/jobs/test_pulling.py",
    "tests/metering/test_bounds.py",
    "tests/jobs/test_pool.py",
    "tests/commands/test_following.py",
    "tests/queue/test_leader.py",
    "tests/infrastructure/kubelet/test_rollout.py",
    "tests/chaos/test_partition.py",
    "tests/spool/test_crashes.py",
    "tests/jobs/test_pool_survival.py",
    "tests/jobs/test_fan_out_survival.py",
    "tests/client/test_survival.py",
    "tests/retraining/test_retraining.py",
    "tests/shared/test_collector.py",
)
"""The files that take longest by the clock; each is run by one worker."""

configure_logging("warning", console=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged is told in UTF-8: the wire between the workers takes nothing else."""
    report = yield
    report.sections = [
        (name, content.encode(errors="backslashreplace").decode())
        for name, content in report.sections
    ]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker ends long after the others."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


OPERATOR_KEY = "operator-key-of-quick-brown-foxes"
TEMPLATE = "template_morrow"
BAKERY = {
    "name": "Bäckerei Morgenrot",
    "country": "DE",
    "subdivision": "SH",
    "timezone": "Europe/Berlin",
    "latitude": 54.32,
    "longitude": 10.14,
    "currency": "EUR",
}


@dataclass(frozen=True)
class Database:
    """One test's own database, migrated to the head."""

    name: str
    server: RunningPostgres

    @property
    def api_dsn(self) -> str:
        return self.server.url(API, self.name)

    @property
    def worker_dsn(self) -> str:
        return self.server.url(WORKER, self.name)

    @property
    def migrator_dsn(self) -> str:
        return self.server.url(MIGRATOR, self.name)

    @property
    def admin_dsn(self) -> str:
        return self.server.url("postgres", self.name)


@dataclass(frozen=True)
class Tenant:
    id: UUID
    key: str
    client: httpx.AsyncClient


async def execute(dsn: str, *statements: str) -> None:
    """Run the statements, each on its own."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(postgres_server: RunningPostgres) -> str:
    """A database built by the real migrations, copied for each test."""
    admin = postgres_server.url("postgres", "postgres")
    asyncio.run(execute(admin, f"CREATE DATABASE {TEMPLATE} OWNER morrow_owner"))
    migrations.upgrade(postgres_server.url(MIGRATOR, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    with fresh_database(postgres_server, template) as made:
        yield made


@contextmanager
def fresh_database(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    """A copy of the template, gone in the end. Its files are copied: through the log, which is
    the other way, it would cost more than most tests."""
    name = f"test_{uuid4().hex}"
    admin = postgres_server.url("postgres", "postgres")
    copied = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER morrow_owner"
    _run_apart(execute(admin, copied))
    yield Database(name, postgres_server)
    _run_apart(execute(admin, f"DROP DATABASE {name} WITH (FORCE)"))


def _run_apart(coroutine) -> None:  # type: ignore[no-untyped-def]
    """Run in a thread: the fixture is synchronous, and a loop may be running already."""
    import threading

    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(coroutine)
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def settings_for(dsn: str, folder: Path, **values: object) -> Settings:
    defaults: dict[str, object] = {
        "database_url": SecretStr(dsn),
        "operator_key": SecretStr(OPERATOR_KEY),
        "model_storage_path": str(folder / "models"),
        "spool_path": folder / "spool",
        "db_pool_size": 5,
        "request_seconds": 300,  # how busy the machine is decides no test
    }
    return Settings(**(defaults | values))  # type: ignore[arg-type]


@pytest.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The API as it is served, started."""
    application = create_app(settings_for(database.api_dsn, tmp_path))
    async with application.router.lifespan_context(application):
        yield application


def client_of(app: FastAPI, key: str | None) -> httpx.AsyncClient:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://morrow", headers=headers)


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the operator's key."""
    async with client_of(app, OPERATOR_KEY) as client:
        yield client


async def make_tenant(app: FastAPI, api: httpx.AsyncClient, **values: object) -> Tenant:
    answer = await api.post("/api/v1/tenants", json=BAKERY | values)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return Tenant(UUID(body["tenant"]["id"]), body["api_key"], client_of(app, body["api_key"]))


@pytest.fixture
async def tenant(app: FastAPI, api: httpx.AsyncClient) -> AsyncIterator[Tenant]:
    """A tenant with a client that carries its key."""
    made = await make_tenant(app, api)
    async with made.client:
        yield made


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    """Sessions of the role morrow_api."""
    engine = make_engine(database.api_dsn, API, PoolLimits(size=3), "tests")
    yield make_sessions(engine)
    await engine.dispose()
