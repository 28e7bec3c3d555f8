"""The bucket of requests against one that counts by hand, while time passes as it is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.metering.bucket import Taken, take_request
from shared.database import PoolLimits, make_engine
from shared.roles import API
from tests.conftest import Database, Tenant

PER_MINUTE = 30.0


@dataclass
class Oracle:
    """What a bucket may hold: no less than if the test took no time, no more than if it took all
    that it took so far."""

    rate: float = PER_MINUTE
    least: float = PER_MINUTE
    most: float = PER_MINUTE
    began: float = field(default_factory=time.monotonic)

    def pass_time(self, seconds: float) -> None:
        self.least = min(self.rate, self.least + seconds * self.rate / 60)
        self.most = min(self.rate, self.most + seconds * self.rate / 60)

    def check(self, taken: Taken) -> None:
        slack = (time.monotonic() - self.began) * self.rate / 60 + 1e-6
        if taken.taken:
            assert self.most + slack >= 1
            self.least, self.most = self.least - 1, self.most - 1
        else:
            assert self.least < 1
        assert self.least - 1e-6 <= taken.remaining <= self.most + slack
        self.least = max(self.least, taken.remaining - slack)


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database.api_dsn, API, PoolLimits(size=8), "tests")
    yield made
    await made.dispose()


@pytest.fixture
async def clock(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Who may move the time of the buckets, and set limits."""
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def pass_time(clock: asyncpg.Connection, seconds: float) -> None:
    await clock.execute(
        "UPDATE request_buckets SET refilled_at = refilled_at - make_interval(secs => $1)", seconds
    )


async def limit(clock: asyncpg.Connection, tenant_id: UUID, rate: str) -> None:
    await clock.execute(
        "UPDATE tenants SET limits = jsonb_build_object('requests_per_minute', $2::jsonb) "
        "WHERE tenant_id = $1",
        tenant_id,
        rate,
    )


async def taken(engine: AsyncEngine, tenant_id: UUID, key_id: UUID | None = None) -> Taken:
    found = await take_request(engine, tenant_id, key_id)
    assert found is not None
    return found


async def test_it_is_a_bucket_that_is_filled_evenly(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    await limit(clock, tenant.id, str(PER_MINUTE))
    random, oracle = Random(7), Oracle()
    outcomes = set()
    for _ in range(300):
        if random.random() < 0.3:
            seconds = random.choice([0.1, 1.0, 2.0, 5.0, 90.0 if random.random() < 0.1 else 0.5])
            await pass_time(clock, seconds)
            oracle.pass_time(seconds)
        found = await taken(engine, tenant.id)
        oracle.check(found)
        outcomes.add(found.taken)
    assert outcomes == {True, False}


async def test_who_asks_at_once_shares_what_there_is(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    await limit(clock, tenant.id, "20")
    began = time.monotonic()
    found = await asyncio.gather(*(taken(engine, tenant.id) for _ in range(200)))
    most = 20 + (time.monotonic() - began) * 20 / 60
    assert 20 <= sum(each.taken for each in found) <= most


async def test_who_asks_while_the_bucket_is_being_made_finds_it_full(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    for _ in range(150):
        await clock.execute("DELETE FROM request_buckets")
        found = await asyncio.gather(*(taken(engine, tenant.id) for _ in range(8)))
        assert all(each.taken for each in found), found


async def test_a_clock_that_goes_back_starves_nobody(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    await limit(clock, tenant.id, "3")
    for _ in range(3):
        await taken(engine, tenant.id)
    await pass_time(clock, -7200)
    outcomes = [(await taken(engine, tenant.id)).taken for _ in range(5)]
    assert outcomes == [True] * 3 + [False] * 2


async def test_a_key_takes_from_both_and_gives_back_what_the_tenant_has_not(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    key_id = await clock.fetchval(
        "UPDATE api_keys SET requests_per_minute = 5 WHERE tenant_id = $1 RETURNING id", tenant.id
    )
    await limit(clock, tenant.id, "8")
    assert [(await taken(engine, tenant.id, key_id)).taken for _ in range(7)].count(True) == 5
    spent = await taken(engine, tenant.id, key_id)
    assert (spent.rate, spent.taken) == (5, False)
    others = [await taken(engine, tenant.id, uuid4()) for _ in range(5)]
    assert [other.taken for other in others] == [True] * 3 + [False] * 2
    await clock.execute("UPDATE request_buckets SET tokens = 4 WHERE holder = $1", key_id)
    refused = [await taken(engine, tenant.id, key_id) for _ in range(3)]
    assert {(each.rate, each.taken) for each in refused} == {(8, False)}
    assert await clock.fetchval(
        "SELECT tokens FROM request_buckets WHERE holder = $1", key_id
    ) == pytest.approx(4, abs=0.5)


async def test_a_lower_limit_holds_at_once(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    assert (await taken(engine, tenant.id)).rate == 600
    await limit(clock, tenant.id, "2")
    outcomes = [(await taken(engine, tenant.id)).taken for _ in range(4)]
    assert outcomes == [True, True, False, False]


async def test_without_a_limit_nothing_is_kept(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    await limit(clock, tenant.id, "null")
    assert await take_request(engine, tenant.id, None) is None
    assert await take_request(engine, uuid4(), None) is None
    kept = "SELECT count(*) FROM request_buckets WHERE holder = $1"
    assert await clock.fetchval(kept, tenant.id) == 0
    await clock.execute(
        "UPDATE tenants SET limits = '{}', plan = 'unlimited' WHERE tenant_id = $1", tenant.id
    )
    assert await take_request(engine, tenant.id, None) is None


async def test_a_refusal_writes_nothing(
    engine: AsyncEngine, clock: asyncpg.Connection, tenant: Tenant
) -> None:
    await limit(clock, tenant.id, "1")
    await taken(engine, tenant.id)
    version = "SELECT xmin::text || ctid::text FROM request_buckets WHERE tenant_id = $1"
    before = await clock.fetchval(version, tenant.id)
    assert not (await taken(engine, tenant.id)).taken
    assert await clock.fetchval(version, tenant.id) == before
