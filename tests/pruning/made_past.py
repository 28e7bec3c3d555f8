"""A tenant's past, made to measure: jobs, models, pools and artifacts of any age."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from shared.canonical import digest_of_json
from tests.conftest import Database
from tests.queue.real_queue import Queue


@dataclass
class Past:
    """Everything is written behind the service's back, as the server's superuser."""

    tenant_id: UUID
    connection: "asyncpg.Connection[asyncpg.Record]"
    root: Path
    series: int = 0

    async def insert(self, table: str, **values: Any) -> Any:
        columns = ", ".join(["tenant_id", *values])
        marks = ", ".join(f"${n + 1}" for n in range(len(values) + 1))
        query = f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING *"
        return await self.connection.fetchrow(query, self.tenant_id, *values.values())

    async def job(self, *, ended_days_ago: float | None, states: list[str]) -> UUID:
        """A job with an event, a ticket and a retraining, and a task in each of the states."""
        job_id = uuid4()
        ended = None if ended_days_ago is None else ago(ended_days_ago)
        await self.insert(
            "jobs",
            id=job_id,
            status="running" if ended is None else "succeeded",
            request="{}",
            execution="{}",
            finished_at=ended,
        )
        event = {"type": "job.queued", "percent": 0.0, "message": "it waits"}
        for seq in (1, 2, 3):
            await self.insert("job_events", job_id=job_id, seq=seq, **event)
        await self.insert("retrainings", job_id=job_id, series_id=self.series, cause="{}")
        await self.insert(
            "stream_tickets",
            digest=job_id.bytes,
            job_id=job_id,
            expires_at=datetime.now(UTC) + timedelta(minutes=1),
        )
        for state in states:
            await self.task(job_id, state)
        return job_id

    async def task(self, job_id: UUID, state: str, payload: str = "{}") -> None:
        await self.insert(
            "tasks",
            group_id=job_id,
            kind="train",
            subject="a roll",
            payload=payload,
            priority=0,
            start_tag=0.0,
            state=state,
        )

    async def model(
        self, version: int, sha256: str, dataset: str | None, days_old: float = 0
    ) -> UUID:
        model_id = uuid4()
        await self.insert(
            "models",
            id=model_id,
            series_id=self.series,
            version=version,
            family="prophet",
            params="{}",
            scores="{}",
            baseline_scores="{}",
            stage="mature",
            confidence=0.9,
            detail='{"trials": [{"number": 0}], "fold_scores": [1]}',
            fingerprint="f",
            sha256=sha256,
            bytes=3,
            dataset_sha256=dataset,
            horizon_days=7,
            trained_through=datetime(2026, 1, 1, tzinfo=UTC).date(),
            created_at=ago(days_old),
        )
        return model_id

    async def kept_pools(self, sha256: str) -> None:
        await self.insert(
            "kept_pools",
            job_id=uuid4(),
            horizon_days=7,
            training_window_days=1095,
            engine=1,
            series=3,
            data_through=datetime(2026, 1, 1, tzinfo=UTC).date(),
            sha256=sha256,
            bytes=3,
        )

    def artifact(self, name: str, days_old: float) -> str:
        """The digest of an artifact that was last put so long ago."""
        sha256 = digest_of_json([str(self.tenant_id), name])
        path = self.root / str(self.tenant_id) / sha256[:2] / sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        os.utime(path, (ago(days_old).timestamp(),) * 2)
        return sha256

    def artifacts(self) -> set[str]:
        return {
            path.name for path in (self.root / str(self.tenant_id)).rglob("*") if path.is_file()
        }

    async def count(self, table: str, where: str = "true") -> int:
        query = f"SELECT count(*) FROM {table} WHERE tenant_id = $1 AND {where}"
        counted: int = await self.connection.fetchval(query, self.tenant_id)
        return counted

    async def ids(self, table: str, column: str = "id") -> set[Any]:
        query = f"SELECT {column} AS it FROM {table} WHERE tenant_id = $1"
        return {row["it"] for row in await self.connection.fetch(query, self.tenant_id)}


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


async def make_past(database: Database, queue: Queue, root: Path) -> Past:
    """A new tenant with one series; the caller closes the connection."""
    connection = await asyncpg.connect(database.admin_dsn)
    past = Past(await queue.tenant(), connection, root)
    await past.insert("locations", location="main", name="main")
    await past.insert("products", product="roll")
    past.series = (await past.insert("series", location="main", product="roll"))["id"]
    return past
