"""How much an import made known of each series, and how much it corrected, counted as it happens.

The numbers only grow, and in the transaction of the rows they count. What is new since a training
is a difference to what that had seen: exact whatever the clocks say and however long an import
takes, and no day of sales is read for it.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_COUNT: Final = """
INSERT INTO series_growth AS g (tenant_id, series_id, known_days, corrected_days)
SELECT (SELECT app_tenant()), series_id, known, corrected FROM ({counted}) c
WHERE known > 0 OR corrected > 0
ON CONFLICT (tenant_id, series_id) DO UPDATE SET
  known_days = g.known_days + excluded.known_days,
  corrected_days = g.corrected_days + excluded.corrected_days
"""
# What is planned has no quantity yet, so a day becomes known by a new row or by an old one.
_BESIDE_KNOWN: Final = """
  SELECT i.series_id,
    count(*) FILTER (WHERE s.quantity IS NULL AND i.quantity IS NOT NULL) AS known,
    count(*) FILTER (WHERE s.quantity IS DISTINCT FROM i.quantity AND s.quantity IS NOT NULL)
      AS corrected
  FROM (SELECT series_id, date, nullif(quantity, 'NaN') AS quantity FROM pg_temp.incoming_sales) i
  LEFT JOIN sales s ON s.tenant_id = (SELECT app_tenant())
    AND s.series_id = i.series_id AND s.date = i.date
  GROUP BY i.series_id"""
_ALL_NEW: Final = """
  SELECT series_id, count(nullif(quantity, 'NaN')) AS known, 0 AS corrected
  FROM pg_temp.incoming_sales GROUP BY series_id"""
COUNT_BESIDE_KNOWN: Final = text(_COUNT.format(counted=_BESIDE_KNOWN))
COUNT_ALL_NEW: Final = text(_COUNT.format(counted=_ALL_NEW))


async def count_growth(session: AsyncSession, *, all_new: bool) -> None:
    """Count what the staged rows bring; to be called before they are written."""
    await session.execute(COUNT_ALL_NEW if all_new else COUNT_BESIDE_KNOWN)
