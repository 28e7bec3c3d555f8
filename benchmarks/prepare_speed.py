"""How long a large job's transactions are, from its order until its series are queued: JSON.

    python -m benchmarks.prepare_speed [--series 20000]

One job of made series of 40 days each, 200 a location, prepared as a worker does, on a private
PostgreSQL that syncs; nobody trains them. Each transaction is timed at the client, for as long as
it has its connection: so long may one that writes keep the job's row from all who report or cancel.

prepare      all that happens until every series is queued
cancel       the cancellation of the job then, one transaction

Every dataset is synced to the disk, which on a slow one takes most of the time: TMPDIR=/dev/shm.
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from pydantic import SecretStr
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from services.training.jobs.cancel import cancel_job
from services.training.jobs.pipeline import cargo_of
from services.training.jobs.pool_shelf import PoolShelf
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.store import PREPARE, TRAIN, add_job
from services.training.jobs.workshop import SlotPool, Workshop
from services.training.queue.claim import claim_tasks, read_claimed
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.locks import AdvisoryLocks
from services.training.queue.task import Priority
from services.training.settings import Settings
from shared.artifacts import open_store
from shared.database import PoolLimits, connect_directly, make_engine, make_sessions
from shared.database import tenant_transaction as transaction
from shared.doorbell import Bell
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR, WORKER

SERIES = 20_000
DAYS = 40
LEASE = timedelta(hours=1)
REQUEST = TrainingRequest.model_validate({"families": ["baseline"], "horizon_days": 7})
MADE = (
    """INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan)
    VALUES ($1, 'a chain', 'chain', 'DE', 'Europe/Berlin', 'unlimited')""",
    """INSERT INTO locations (tenant_id, location, name)
    SELECT $1, 'shop ' || n, 'shop' FROM generate_series(0, $2 / 200) AS n""",
    """INSERT INTO products (tenant_id, product)
    SELECT $1, 'product ' || n FROM generate_series(1, $2) AS n""",
    """INSERT INTO series (tenant_id, location, product)
    SELECT $1, 'shop ' || n / 200, 'product ' || n FROM generate_series(1, $2) AS n""",
)
SALES = """
INSERT INTO sales (tenant_id, series_id, date, quantity)
SELECT s.tenant_id, s.id, date '2026-01-01' + day, 20 + (s.id * 7 + day * day) % 11
FROM series s, generate_series(0, $2 - 1) AS day WHERE s.tenant_id = $1
"""
WRITES = ("INSERT", "UPDATE")
QUEUED = "SELECT count(*) FROM tasks WHERE kind = 'train' AND state = 'queued'"


@dataclass(frozen=True, slots=True)
class Held:
    """For how many seconds a transaction had its connection, and whether it wrote."""

    seconds: float
    wrote: bool


class Stopwatch:
    """Times every transaction on an engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._ended: list[Held] = []
        self._began: dict[int, float] = {}
        self._wrote: set[int] = set()
        event.listen(engine.sync_engine, "checkout", self._begin)
        event.listen(engine.sync_engine, "before_cursor_execute", self._look)
        event.listen(engine.sync_engine, "checkin", self._end)

    def taken(self) -> list[Held]:
        """Those since the last time this was asked."""
        ended, self._ended = self._ended, []
        return ended

    def _begin(self, connection: object, _record: object, _proxy: object) -> None:
        self._began[id(connection)] = time.perf_counter()

    def _look(
        self, connection: Connection, _cursor: object, statement: str, *_rest: object
    ) -> None:
        if statement.lstrip().startswith(WRITES):
            self._wrote.add(id(connection.connection.dbapi_connection))

    def _end(self, connection: object, _record: object) -> None:
        took = time.perf_counter() - self._began.pop(id(connection))
        self._ended.append(Held(took, id(connection) in self._wrote))
        self._wrote.discard(id(connection))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=SERIES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres().start(folder / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            print(json.dumps(asyncio.run(run(server, folder, asked.series)), indent=2))


async def run(server: RunningPostgres, folder: Path, series: int) -> dict[str, object]:
    tenant_id, job_id = uuid4(), uuid4()
    operator = await asyncpg.connect(server.url())
    await make_series(operator, tenant_id, series)
    engine = make_engine(server.url(WORKER), WORKER, PoolLimits(size=2), "benchmark")
    watch, shop = Stopwatch(engine), workshop_of(server, folder, engine)
    await order(shop, tenant_id, job_id)
    watch.taken()
    began = time.perf_counter()
    await prepare(shop, engine)
    took, transactions = time.perf_counter() - began, watch.taken()
    queued = await operator.fetchval(QUEUED)
    if queued != series:
        raise RuntimeError(f"{queued} of {series} series are queued")
    async with transaction(shop.sessions, tenant_id) as session:
        await cancel_job(session, job_id)
    cancelled = watch.taken()
    await engine.dispose()
    await operator.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "series": series,
        "prepare": {"seconds": round(took, 1), **summary(transactions)},
        "cancel": summary(cancelled),
        "peak_rss_mib": memory,
    }


async def make_series(operator: asyncpg.Connection, tenant_id: UUID, series: int) -> None:
    for statement in MADE:
        await operator.execute(statement, tenant_id, *([series] if "$2" in statement else []))
    await operator.execute(SALES, tenant_id, DAYS)
    await operator.execute("ANALYZE")


def workshop_of(server: RunningPostgres, folder: Path, engine: AsyncEngine) -> Workshop:
    url = server.url(WORKER)
    settings = Settings(
        database_url=SecretStr(url),
        model_storage_path=str(folder / "models"),
    )
    artifacts = open_store(settings.model_root())
    connect = partial(connect_directly, url, WORKER, "benchmark")
    return Workshop(
        settings=settings,
        sessions=make_sessions(engine),
        artifacts=artifacts,
        pools=PoolShelf(artifacts),
        locks=AdvisoryLocks(connect, LEASE),
        slots=SlotPool([]),
        bell=Bell(connect),
    )


async def order(shop: Workshop, tenant_id: UUID, job_id: UUID) -> None:
    prepare = NewTask(job_id, PREPARE, "prepare", {}, Priority.INTERACTIVE)
    async with transaction(shop.sessions, tenant_id) as session:
        await add_job(session, tenant_id, job_id, REQUEST)
        await enqueue(session, tenant_id, [prepare])


async def prepare(shop: Workshop, engine: AsyncEngine) -> None:
    """Do whatever the job's tasks are, until only the trainings are left."""
    cargo = cargo_of(shop)
    kinds = [kind for kind in cargo if kind != TRAIN]
    while claims := await claim_tasks(engine, "benchmark", kinds, 1, LEASE):
        async with transaction(shop.sessions, claims[0].tenant_id) as session:
            task = await read_claimed(session, claims[0])
        await cargo[task.kind].run(task)


def summary(ended: Sequence[Held]) -> dict[str, float]:
    writing = [one.seconds for one in ended if one.wrote]
    return {
        "transactions": len(ended),
        "longest_s": round(max(one.seconds for one in ended), 3),
        "writing": len(writing),
        "longest_writing_s": round(max(writing), 3),
    }


if __name__ == "__main__":
    main()
