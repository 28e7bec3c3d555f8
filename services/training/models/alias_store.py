"""The parts that versions play, in the database."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.models.aliases import Alias, Aliases
from services.training.tables import ModelAlias


async def lock_series(session: AsyncSession, series_id: int) -> None:
    """Hold the versions of a series until the transaction ends: numbers and aliases move singly.

    Not the lock of the series' training, which another connection of the same worker holds.
    """
    key = func.concat("models:", func.app_tenant(), ":", series_id)
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def read(session: AsyncSession, series_id: int) -> dict[Alias, UUID]:
    found = await session.execute(
        select(ModelAlias.alias, ModelAlias.model_id).where(ModelAlias.series_id == series_id)
    )
    return {Alias(alias): model_id for alias, model_id in found}


async def write(
    session: AsyncSession, tenant_id: UUID, series_id: int, before: Aliases, after: Aliases
) -> None:
    """Make `after` the whole of them for a series that is held, and had these `before`."""
    if gone := [alias.value for alias in before if alias not in after]:
        await session.execute(
            delete(ModelAlias).where(ModelAlias.series_id == series_id, ModelAlias.alias.in_(gone))
        )
    rows = [
        {"tenant_id": tenant_id, "series_id": series_id, "alias": alias.value, "model_id": model}
        for alias, model in after.items()
        if before.get(alias) != model
    ]
    if not rows:
        return
    statement = insert(ModelAlias).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "series_id", "alias"],
            set_={"model_id": statement.excluded.model_id},
        )
    )
