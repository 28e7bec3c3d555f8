"""What is known about a day, merged into what was known before."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.metering.usage import Kind, meter
from services.training.sales.binary_copy import DATE_EPOCH
from services.training.sales.bulk import copy_in
from services.training.sales.days import Ints
from services.training.sales.keys import Keys
from services.training.sales.numeric import Floats
from services.training.sales.regressor_rows import RegressorRows
from services.training.sales.schemas import ImportReceipt
from services.training.sales.series_ids import TAKE_TURNS

PAIRS_AT_A_TIME: Final = 50  # a function takes at most 100 arguments
MERGE: Final = """
WITH merged AS (
  INSERT INTO regressor_days AS known (tenant_id, location, product, date, values)
  SELECT (SELECT app_tenant()), p.location, p.product, i.date, jsonb_strip_nulls({values})
  FROM pg_temp.incoming_regressors i
  JOIN unnest(CAST(:locations AS text[]), CAST(:products AS text[]))
    WITH ORDINALITY AS p (location, product, place) ON p.place = i.place + 1
  ON CONFLICT (tenant_id, location, product, date) DO UPDATE
    SET values = known.values || excluded.values
    WHERE NOT known.values @> excluded.values
  RETURNING xmax = 0 AS new
)
SELECT count(*) FILTER (WHERE new) AS inserted, count(*) FILTER (WHERE NOT new) AS updated
FROM merged
"""


@dataclass(frozen=True, slots=True)
class Merged:
    """How many days were new, and how many learnt something."""

    inserted: int
    updated: int


async def merge_regressors(
    session: AsyncSession, keys: Keys, regressors: dict[str, Floats]
) -> Merged:
    """Add these values to what is known of their days; a NaN says nothing and changes nothing."""
    rows = _telling(regressors, len(keys.day))
    if not len(rows):
        return Merged(0, 0)
    stage = [f"value_{number} float8" for number in range(len(regressors))]
    await session.execute(
        text(
            "CREATE TEMPORARY TABLE incoming_regressors "
            f"(place bigint, date date, {', '.join(stage)}) ON COMMIT DROP"
        )
    )
    told = keys.at(rows)
    values = {f"value_{number}": regressors[name][rows] for number, name in enumerate(regressors)}
    days = (told.day - DATE_EPOCH).astype(np.int32)
    await copy_in(session, "incoming_regressors", {"place": told.place, "date": days, **values})
    merged = await session.execute(
        text(MERGE.format(values=_object(list(regressors)))),
        {
            "locations": [location for location, _ in keys.places],
            "products": [product for _, product in keys.places],
        },
    )
    row = merged.one()
    return Merged(row.inserted, row.updated)


async def store_regressors(session: AsyncSession, rows: RegressorRows) -> ImportReceipt:
    """Merge every row into what is known of its day."""
    await session.execute(TAKE_TURNS)
    merged = await merge_regressors(session, rows.keys, rows.values)
    await meter(session, {Kind.ROWS: rows.received})
    return ImportReceipt(
        received=rows.received,
        inserted=merged.inserted,
        updated=merged.updated,
        unchanged=rows.received - merged.inserted - merged.updated,
    )


def _telling(regressors: dict[str, Floats], rows: int) -> Ints:
    telling = np.zeros(rows, dtype=bool)
    for values in regressors.values():
        telling |= ~np.isnan(values)
    return np.flatnonzero(telling)


def _object(names: list[str]) -> str:
    """The SQL of the JSON object; the names were checked to be identifiers."""
    pairs = [f"'{name}', nullif(value_{number}, 'NaN')" for number, name in enumerate(names)]
    slices = [pairs[at : at + PAIRS_AT_A_TIME] for at in range(0, len(pairs), PAIRS_AT_A_TIME)]
    return " || ".join(f"jsonb_build_object({', '.join(some)})" for some in slices)
