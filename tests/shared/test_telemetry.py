"""How many connections are out of their pool, told right whatever becomes of them."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import DatabaseUnavailable, PoolLimits, make_engine
from shared.roles import API
from tests.conftest import Database, execute

APPLICATION = "pool-of-a-test"


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database.api_dsn, API, PoolLimits(size=2, max_overflow=1), APPLICATION)
    yield made
    await made.dispose()


def told(name: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"application": APPLICATION})


def in_use() -> float | None:
    return told("morrow_db_connections_in_use")


async def test_connections_count_while_they_are_out(engine: AsyncEngine) -> None:
    async with engine.connect():
        assert in_use() == 1
        async with engine.connect(), engine.connect():
            assert in_use() == 3
    assert in_use() == 0
    assert told("morrow_db_connections_most") == 3


async def test_a_pool_that_was_given_up_may_take_out_none(engine: AsyncEngine) -> None:
    async with engine.connect():
        pass
    await engine.dispose()
    assert told("morrow_db_connections_most") == 0
    async with engine.connect():
        assert told("morrow_db_connections_most") == 3


async def test_connections_that_the_server_ended_are_not_counted_twice(
    engine: AsyncEngine, database: Database
) -> None:
    async with engine.connect():
        pass
    await execute(
        database.admin_dsn,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        f"WHERE application_name = '{APPLICATION}'",
    )
    async with engine.connect():
        assert in_use() == 1
    assert in_use() == 0


async def test_connections_that_could_not_be_had_are_not_in_use(
    engine: AsyncEngine, database: Database
) -> None:
    async with engine.connect():
        pass
    name = engine.url.database
    await execute(
        database.server.url("postgres", "postgres"),
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            await engine.connect()
    assert in_use() == 0
