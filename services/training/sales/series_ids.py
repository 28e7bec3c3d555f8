"""The series of an import: found, or made with their products and locations."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.metering.caps import require_within_caps, take_turns
from services.training.sales.days import Ints
from shared.errors import InputError, Problem

PLACES = "unnest(CAST(:locations AS text[]), CAST(:products AS text[]))"

# Imports of one tenant take turns: two that touch the same rows could otherwise deadlock.
TAKE_TURNS = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('sales ' || app_tenant()::text, 0))"
)
KNOWN = text(
    f"SELECT count(s.id) FROM {PLACES} AS p (location, product) "  # noqa: S608 - constants
    "LEFT JOIN series s ON s.tenant_id = app_tenant() "
    "AND s.location = p.location AND s.product = p.product"
)
ALL = text("SELECT count(*) FROM series WHERE tenant_id = app_tenant()")
IDS = text(
    f"SELECT s.id FROM {PLACES} WITH ORDINALITY AS p (location, product, place) "  # noqa: S608 - constants
    "JOIN series s ON s.tenant_id = app_tenant() "
    "AND s.location = p.location AND s.product = p.product ORDER BY p.place"
)


def _make(table: str, columns: str, values: str) -> TextClause:
    return text(
        f"INSERT INTO {table} (tenant_id, {columns}) "  # noqa: S608 - constants
        f"SELECT DISTINCT app_tenant(), {values} FROM {PLACES} AS p (location, product) "
        "ON CONFLICT DO NOTHING"
    )


MAKE = (
    _make("locations", "location, name", "p.location, p.location"),
    _make("products", "product", "p.product"),
    _make("series", "location, product", "p.location, p.product"),
)


@dataclass(frozen=True, slots=True)
class SeriesIds:
    """The id of each place, and whether not one of them was there before."""

    ids: Ints
    all_new: bool


async def find_or_make_series(
    session: AsyncSession, places: list[tuple[str, str]], most: int | None
) -> SeriesIds:
    """The series of these (location, product) pairs; 422 `series_limit` beyond `most` in all."""
    pairs = {
        "locations": [location for location, _ in places],
        "products": [product for _, product in places],
    }
    await session.execute(TAKE_TURNS)
    known = await session.scalar(KNOWN, pairs) or 0
    if known < len(places):
        await _require_room(session, len(places) - known, most)
        await take_turns(session)
        for statement in MAKE:
            await session.execute(statement, pairs)
        await require_within_caps(session, tables.Product, tables.Location)
    ids = await session.scalars(IDS, pairs)
    return SeriesIds(np.array(ids.all(), dtype=np.int64), known == 0)


async def _require_room(session: AsyncSession, new: int, most: int | None) -> None:
    there = await session.scalar(ALL) or 0
    if most is not None and there + new > most:
        message = (
            f"{there} series and {new} new ones are over the limit of {most}: "
            "send fewer products and locations, or ask for a higher limit"
        )
        fault = InputError(field="product", code="series_limit", message=message)
        raise Problem(422, "series_limit", message, [fault])
