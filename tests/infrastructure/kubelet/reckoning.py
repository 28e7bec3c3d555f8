"""What the database and the logs of the pods say in the end, beside what clients were told."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.infrastructure.kubelet.jobs import Jobs
from tests.infrastructure.kubelet.pod import Pod
from tests.infrastructure.kubelet.tenant import PRODUCTS, Tenant

JOBS = "SELECT id, status, last_seq FROM jobs"
ENDS = "SELECT count(*) FROM job_events WHERE type = 'job.finished'"
TRAINED = "SELECT count(*) FROM job_events WHERE type = 'product.trained'"
MODELS = "SELECT count(*) FROM models"
ATTEMPTS = "SELECT count(*) FROM tasks WHERE attempt > 1"
CLAIMED_AGAIN = "SELECT count(*) FROM tasks WHERE fence > 1"
OPEN = "SELECT count(*) FROM tasks WHERE state NOT IN ('succeeded', 'skipped')"
ROWS = """
    SELECT sales.tenant_id, product, date FROM sales JOIN series
    ON (series.tenant_id, series.id) = (sales.tenant_id, sales.series_id)
    WHERE product LIKE 'till-%'
"""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """`lost_rows` were acknowledged and are not there. `handed_back` tasks were claimed again
    without an attempt, `attempted_again` with one."""

    jobs: int
    succeeded: int
    finished_events: int
    trained_events: int
    models: int
    open_tasks: int
    handed_back: int
    attempted_again: int
    lost_rows: int
    events: int
    missed: int
    told_again: int
    untold: int

    @property
    def trainings(self) -> int:
        """Each product of each job once."""
        return self.jobs * len(PRODUCTS)


async def reckon(dsn: str, tenants: Sequence[Tenant], jobs: Jobs) -> Reckoning:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(JOBS)
        stored = {(row[0], row[1], row[2].isoformat()) for row in await connection.fetch(ROWS)}
        again = await connection.fetchval(ATTEMPTS)
        last = {str(row["id"]): row["last_seq"] for row in found}
        accounts = [each.account for each in jobs.watched]
        return Reckoning(
            jobs=len(found),
            succeeded=sum(row["status"] == "succeeded" for row in found),
            finished_events=await connection.fetchval(ENDS),
            trained_events=await connection.fetchval(TRAINED),
            models=await connection.fetchval(MODELS),
            open_tasks=await connection.fetchval(OPEN),
            handed_back=await connection.fetchval(CLAIMED_AGAIN) - again,
            attempted_again=again,
            lost_rows=len({(t.id, *row) for t in tenants for row in t.written} - stored),
            events=sum(last.values()),
            missed=sum(account.missed for account in accounts),
            told_again=sum(account.again for account in accounts),
            untold=sum(account.last != last.get(account.job) for account in accounts),
        )
    finally:
        await connection.close()


def errors_in(pods: Iterable[Pod]) -> Counter[str]:
    """What pods logged as errors, and what was no log at all."""
    return Counter(
        said for pod in pods for line in _lines(pod) if (said := _fault(line)) is not None
    )


def _lines(pod: Pod) -> list[str]:
    return pod.log.read_text(errors="replace").splitlines()


def _fault(line: str) -> str | None:
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return line[:200]
    return f"{entry['event']}".strip()[:200] if entry.get("level") == "error" else None
