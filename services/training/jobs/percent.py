"""How far a job is: the share of its work that is done, and the pace of that."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.pace import Left, Pace
from services.training.jobs.schemas import ProductCounts
from services.training.jobs.store import POOL, TRAIN, counted

UNTIL_IT_ENDS = 99.0

# Of a large job a few rows, its pool and the series that are at work; of the others their states.
MEASURE: Final = text("""
SELECT (
    SELECT coalesce(jsonb_object_agg(s.state, s.series), '{}') FROM (
      SELECT t.state, count(*) AS series FROM tasks t
      WHERE t.tenant_id = app_tenant() AND t.group_id = :job AND t.kind = :train
      GROUP BY t.state
    ) s
  ) AS states,
  extract(epoch FROM clock_timestamp())::float8 AS at,
  coalesce(sum(w.cost) FILTER (WHERE w.kind = :pool), 0) AS pool,
  coalesce(sum(w.cost * w.done) FILTER (WHERE w.kind = :pool), 0) AS pool_done,
  coalesce(sum(w.cost * w.done) FILTER (WHERE w.kind = :train), 0) AS parts,
  coalesce(1 - min(w.done) FILTER (WHERE w.kind = :train), 0) AS longest,
  coalesce(max(w.since * (1 / w.done - 1)) FILTER (WHERE w.kind = :train AND w.done > 0), 0)
    AS slowest
FROM (
  SELECT t.kind, t.cost, 0 AS since, CASE
    WHEN t.state = 'running' THEN coalesce((t.progress->>'fraction')::float8, 0)
    WHEN t.state IN ('held', 'waiting', 'queued') THEN 0 ELSE 1 END AS done
  FROM tasks t WHERE t.tenant_id = app_tenant() AND t.group_id = :job AND t.kind = :pool
  UNION ALL
  SELECT t.kind, t.cost, extract(epoch FROM clock_timestamp() - t.started_at)::float8,
    coalesce((t.progress->>'fraction')::float8, 0)
  FROM tasks t WHERE t.tenant_id = app_tenant() AND t.group_id = :job AND t.kind = :train
    AND t.state = 'running'
) w
""")


@dataclass(frozen=True, slots=True)
class Work:
    """In costs of tasks: a series takes one, the pool that comes before them what it costs. What is
    under way counts with the part of it that is done."""

    at: float
    counts: ProductCounts
    total: float
    left: Left

    @property
    def percent(self) -> float:
        """What is done of all; 99 until the job ends."""
        done = self.total - self.left.pool - self.left.series
        return UNTIL_IT_ENDS * done / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class HowFar:
    counts: ProductCounts
    percent: float
    eta_seconds: float | None
    pace: Pace


async def look(session: AsyncSession, job: tables.Job, width: int) -> HowFar:
    """How far the job is, which the caller has locked; of a worker that trains `width` at once."""
    work = await measure_work(session, job.id)
    if job.pace is None:
        pace = Pace.starting(work.left, work.at, width)
    else:
        pace = Pace.of_json(job.pace).heard(work.left, work.at, width)
    return HowFar(work.counts, work.percent, pace.seconds_left(work.at), pace)


async def measure_work(session: AsyncSession, job_id: UUID) -> Work:
    names = {"job": job_id, "pool": POOL, "train": TRAIN}
    found = (await session.execute(MEASURE, names)).one()
    counts = counted(found.states.items())
    left = Left(
        pool=found.pool - found.pool_done,
        series=counts.total - counts.ended - found.parts,
        running=counts.running,
        longest=found.longest,
        slowest=found.slowest,
    )
    return Work(found.at, counts, found.pool + counts.total, left)
