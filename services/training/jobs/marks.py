"""What a training has seen of its series, so that what came since can be told; and why the service
trains series again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.tables import Retraining, SeriesGrowth

# Of the request all that makes the next training like this one; which series it is about does not.
MARK: Final = text("""
INSERT INTO training_marks AS m
  (tenant_id, series_id, at, known_days, corrected_days, judged_days, asked)
SELECT j.tenant_id, s.series_id, now(), s.known, s.corrected, s.known,
  j.request - '{products,locations,priority,execution_mode,force}'::text[]
FROM jobs j, unnest(
  CAST(:series AS bigint[]), CAST(:known AS bigint[]), CAST(:corrected AS bigint[])
) AS s (series_id, known, corrected)
WHERE j.tenant_id = app_tenant() AND j.id = :job
ORDER BY s.series_id
ON CONFLICT (tenant_id, series_id) DO UPDATE SET at = excluded.at, asked = excluded.asked,
  known_days = excluded.known_days, corrected_days = excluded.corrected_days,
  judged_days = excluded.judged_days
WHERE m.known_days <= excluded.known_days AND m.corrected_days <= excluded.corrected_days
""")


@dataclass(frozen=True, slots=True)
class Growth:
    """How many days imports made known of a series so far, and how many they corrected."""

    known_days: int
    corrected_days: int


NO_GROWTH: Final = Growth(0, 0)


async def read_growth(session: AsyncSession) -> dict[int, Growth]:
    """Of every series of the tenant of which a day was ever known."""
    columns = SeriesGrowth.series_id, SeriesGrowth.known_days, SeriesGrowth.corrected_days
    return {row[0]: Growth(row[1], row[2]) for row in await session.execute(select(*columns))}


async def read_causes(session: AsyncSession, job_id: UUID) -> dict[int, dict[str, Any]]:
    """Why the job trains each of its series again; empty where somebody asked for the job."""
    rows = await session.execute(
        select(Retraining.series_id, Retraining.cause).where(Retraining.job_id == job_id)
    )
    return {row.series_id: row.cause for row in rows}


async def mark_seen(
    session: AsyncSession, job_id: UUID, payloads: Sequence[Mapping[str, Any]]
) -> None:
    """Note what the trainings with these payloads had seen, now that they came to an end of their
    own: trained, unchanged or refused. A mark that saw more is left as it is."""
    if payloads:
        await session.execute(
            MARK,
            {
                "job": job_id,
                "series": [payload["series_id"] for payload in payloads],
                "known": [payload["growth"]["known_days"] for payload in payloads],
                "corrected": [payload["growth"]["corrected_days"] for payload in payloads],
            },
        )
