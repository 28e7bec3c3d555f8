"""The lines of a till's orders, once nobody edits what was sold on their day.

A day whose lines are gone could not be added up again without making its sales too low. So it is
settled first: from then on syncs leave it as it is (`sources/sales/orders.py`). No day is before it
has been counted, and none while a sync reads the till, which would not know.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.kinds import SourceName
from services.training.sources.sales.orders import COUNTED, SETTLED

SETTLE: Final = text("""
WITH settled AS (
  SELECT CAST(timezone('UTC', now()) - CAST(:age AS interval) AS date)::text AS day
)
UPDATE sources s SET state = s.state || jsonb_build_object(CAST(:settled AS text), settled.day)
FROM settled
WHERE s.tenant_id = app_tenant() AND s.source = :sales AND s.holder IS NULL
  AND s.state ->> 'pass' IS NULL AND s.state ->> CAST(:counted AS text) >= settled.day
  AND coalesce(s.state ->> CAST(:settled AS text), '') < settled.day
""")
DELETE: Final = text("""
DELETE FROM order_lines o USING (
  SELECT l.order_id, l.location, l.product, l.day FROM order_lines l
  WHERE l.tenant_id = app_tenant() AND l.day < (
    SELECT CAST(s.state ->> CAST(:settled AS text) AS date) FROM sources s
    WHERE s.tenant_id = app_tenant() AND s.source = :sales
  )
  ORDER BY l.day LIMIT :most
) gone
WHERE o.tenant_id = app_tenant() AND o.order_id = gone.order_id AND o.location = gone.location
  AND o.product = gone.product AND o.day = gone.day
""")
NAMES: Final = {"sales": SourceName.SALES.value, "settled": SETTLED}


async def prune_order_lines(age: timedelta, session: AsyncSession, most: int) -> int:
    """Delete at most so many lines of days that were over `age` ago."""
    await session.execute(SETTLE, {**NAMES, "counted": COUNTED, "age": age})
    gone = await session.execute(DELETE, {**NAMES, "most": most})
    assert isinstance(gone, CursorResult)
    return gone.rowcount
