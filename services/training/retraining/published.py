"""What was published and what came of it: champions' forecasts of days whose actuals arrived."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.retraining.accuracy import Accuracy, Promised, judge

# Sold-out days show less than the demand, and where the latest training lost to the baseline the
# champion is not what is served.
CHAMPIONS: Final = text("""
SELECT a.series_id, m.id AS model_id, m.scores, m.baseline_scores
FROM model_aliases a JOIN models m ON m.tenant_id = a.tenant_id AND m.id = a.model_id
WHERE a.tenant_id = app_tenant() AND a.alias = 'champion'
  AND a.series_id = ANY (CAST(:series AS bigint[])) AND m.quarantined_at IS NULL
  AND NOT EXISTS (
    SELECT FROM model_aliases p WHERE p.tenant_id = a.tenant_id
      AND p.series_id = a.series_id AND p.alias = 'paper')
""")
DAYS: Final = text("""
SELECT s.series_id, s.quantity, f.quantiles
FROM unnest(CAST(:series AS bigint[]), CAST(:models AS uuid[])) AS c (series_id, model_id)
JOIN forecasts f ON f.tenant_id = app_tenant() AND f.model_id = c.model_id
JOIN sales s ON s.tenant_id = app_tenant() AND s.series_id = c.series_id AND s.date = f.date
WHERE f.open AND s.quantity IS NOT NULL AND s.stockout IS NOT TRUE AND s.open IS NOT FALSE
ORDER BY s.series_id, s.date
""")


async def judge_published(session: AsyncSession, series_ids: Sequence[int]) -> dict[int, Accuracy]:
    """Of the series that a champion answers for, and whose actuals are enough to judge it."""
    found = await session.execute(CHAMPIONS, {"series": list(series_ids)})
    champions = {row.series_id: row for row in found}
    models = [row.model_id for row in champions.values()]
    rows = (await session.execute(DAYS, {"series": list(champions), "models": models})).all()
    days: dict[int, list[Row[Any]]] = {}
    for row in rows:
        days.setdefault(row.series_id, []).append(row)
    judged = {series: _judge(of, champions[series]) for series, of in days.items()}
    return {series: accuracy for series, accuracy in judged.items() if accuracy is not None}


def _judge(days: Sequence[Row[Any]], champion: Row[Any]) -> Accuracy | None:
    promised = Promised(
        wql=champion.scores.get("wql"),
        baseline_wql=champion.baseline_scores.get("wql"),
        coverage80=champion.scores.get("coverage80"),
    )
    actual = np.array([day.quantity for day in days], dtype=np.float64)
    return judge(actual, np.array([day.quantiles for day in days], dtype=np.float64), promised)
