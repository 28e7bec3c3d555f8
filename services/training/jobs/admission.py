"""Whether a job can be asked for: what it names exists, and there is something to train."""

from collections.abc import Sequence

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.training import tables
from services.training.jobs.schemas import TrainingRequest
from shared.errors import InputError, Problem


async def check_wanted(session: AsyncSession, wanted: TrainingRequest) -> None:
    """Raise a 422 that names every product and location which is not there."""
    errors = [
        *await _unknown(session, "products", tables.Product.product, wanted.products),
        *await _unknown(session, "locations", tables.Location.location, wanted.locations),
    ]
    if errors:
        named = ", ".join(error.message for error in errors[:5])
        raise Problem(422, "invalid_input", named, errors)
    if not await session.scalar(select(exists(_series(wanted)))):
        message = "none of the products sells at any of the locations"
        if wanted.products is None and wanted.locations is None:
            message = "there are no sales yet: POST /api/v1/sales first"
        raise Problem(422, "nothing_to_train", message)


def _series(wanted: TrainingRequest) -> Select[int]:
    query = select(tables.Series.id)
    if wanted.products is not None:
        query = query.where(tables.Series.product.in_(wanted.products))
    if wanted.locations is not None:
        query = query.where(tables.Series.location.in_(wanted.locations))
    return query


async def _unknown(
    session: AsyncSession,
    field: str,
    column: InstrumentedAttribute[str],
    names: Sequence[str] | None,
) -> list[InputError]:
    if names is None:
        return []
    kind = field.removesuffix("s")
    known = set(await session.scalars(select(column).where(column.in_(names))))
    return [
        InputError(
            field=f"{field}.{index}",
            code=f"unknown_{kind}",
            message=f"no {kind} {name}",
        )
        for index, name in enumerate(names)
        if name not in known
    ]
