"""What goes from the database, kind by kind, a few rows at a time.

Nothing goes that is in use: an open job keeps all of its own, and a model that plays a part its
trials.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.jobs.schemas import ENDED
from services.training.pruning.order_lines import prune_order_lines
from services.training.pruning.runs import prune_runs
from services.training.pruning.terms import Terms
from services.training.queue.pruner import Sweep
from services.training.sources.ask import SYNC

EVENTS: Final = text("""
DELETE FROM job_events e USING (
  SELECT e.job_id, e.seq FROM jobs j
  JOIN job_events e ON e.tenant_id = j.tenant_id AND e.job_id = j.id
  WHERE j.tenant_id = app_tenant() AND j.status = ANY (:ended)
    AND j.finished_at < now() - CAST(:age AS interval)
  ORDER BY j.created_at, e.job_id, e.seq LIMIT :most
) gone
WHERE e.tenant_id = app_tenant() AND e.job_id = gone.job_id AND e.seq = gone.seq
""")
TRIALS: Final = text("""
UPDATE models m SET detail = m.detail || '{"trials": []}'::jsonb
WHERE m.tenant_id = app_tenant() AND m.id IN (
  SELECT o.id FROM models o
  WHERE o.tenant_id = app_tenant() AND o.created_at < now() - CAST(:age AS interval)
    AND o.detail -> 'trials' <> '[]'::jsonb
    AND NOT EXISTS (
      SELECT FROM model_aliases a WHERE a.tenant_id = o.tenant_id AND a.model_id = o.id)
  ORDER BY o.created_at LIMIT :most FOR UPDATE SKIP LOCKED
)
""")
TICKETS: Final = text("""
DELETE FROM stream_tickets WHERE tenant_id = app_tenant() AND digest IN (
  SELECT digest FROM stream_tickets
  WHERE tenant_id = app_tenant() AND expires_at < now() - CAST(:age AS interval) LIMIT :most
)
""")
ANSWERS: Final = text("""
DELETE FROM idempotent_answers WHERE tenant_id = app_tenant() AND key IN (
  SELECT key FROM idempotent_answers
  WHERE tenant_id = app_tenant() AND created_at < now() - CAST(:age AS interval) LIMIT :most
)
""")

# Of each source the last stays, however old: it says how the source is.
SYNCS: Final = text("""
DELETE FROM source_syncs WHERE tenant_id = app_tenant() AND id IN (
  SELECT s.id FROM source_syncs s
  WHERE s.tenant_id = app_tenant() AND s.finished_at < now() - CAST(:age AS interval)
    AND EXISTS (
      SELECT FROM source_syncs later WHERE later.tenant_id = s.tenant_id
        AND later.source = s.source AND later.created_at > s.created_at)
  LIMIT :most
)
""")
SYNC_TASKS: Final = text("""
DELETE FROM tasks WHERE tenant_id = app_tenant() AND id IN (
  SELECT t.id FROM tasks t
  WHERE t.tenant_id = app_tenant() AND t.kind = :kind
    AND t.finished_at < now() - CAST(:age AS interval)
  LIMIT :most
)
""")
WEATHER: Final = text("""
DELETE FROM weather_days WHERE tenant_id = app_tenant() AND (cell, date, lead) IN (
  SELECT cell, date, lead FROM weather_days
  WHERE tenant_id = app_tenant()
    AND date < CAST(timezone('UTC', now()) - CAST(:age AS interval) AS date)
  LIMIT :most
)
""")
TRAFFIC: Final = text("""
DELETE FROM traffic_days WHERE tenant_id = app_tenant() AND (location, date) IN (
  SELECT location, date FROM traffic_days
  WHERE tenant_id = app_tenant()
    AND date < CAST(timezone('UTC', now()) - CAST(:age AS interval) AS date)
  LIMIT :most
)
""")


def sweeps_of(terms: Terms) -> list[Sweep]:
    """Every kind of row, those that others stand on last."""
    return [
        Sweep("tickets", partial(_delete, TICKETS, timedelta(0))),
        Sweep("answers", partial(_delete, ANSWERS, terms.answers)),
        Sweep("events", partial(_delete_of_ended, EVENTS, terms.events)),
        Sweep("sync_tasks", partial(_delete, SYNC_TASKS, terms.events, kind=SYNC)),
        Sweep("syncs", partial(_delete, SYNCS, terms.events)),
        Sweep("order_lines", partial(prune_order_lines, terms.order_lines)),
        Sweep("weather_days", partial(_delete, WEATHER, terms.weather)),
        Sweep("traffic_days", partial(_delete, TRAFFIC, terms.traffic)),
        Sweep("trials", partial(_delete, TRIALS, terms.trials)),
        Sweep("runs", partial(prune_runs, terms.runs)),
    ]


async def _delete(
    statement: TextClause, age: timedelta, session: AsyncSession, most: int, **more: object
) -> int:
    gone = await session.execute(statement, {"age": age, "most": most, **more})
    assert isinstance(gone, CursorResult)
    return gone.rowcount


async def _delete_of_ended(
    statement: TextClause, age: timedelta, session: AsyncSession, most: int
) -> int:
    ended = [status.value for status in ENDED]
    return await _delete(statement, age, session, most, ended=ended)
