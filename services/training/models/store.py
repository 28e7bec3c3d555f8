"""Model versions in the database: of the session's tenant, and never committed here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from services.training.demand.outcome import Stage
from services.training.models import alias_store
from services.training.models.aliases import Alias, Aliases, publish
from services.training.models.new_model import NewModel
from services.training.tables import Forecast, Model, ModelAlias, Series


@dataclass(frozen=True, slots=True)
class Version:
    """A model version with the series it belongs to and the parts it plays."""

    model: Model
    product: str
    location: str
    aliases: tuple[str, ...]


async def publish_model(
    session: AsyncSession, tenant_id: UUID, new: NewModel, alias: Alias = Alias.CHAMPION
) -> Model:
    """The next version of its series, with its forecast.

    As `champion` it answers from now on, and the champion before it becomes `previous`; but a
    `paper` stage takes the alias `paper` instead, and the baseline answers until a later version
    is published or one is promoted. Any other `alias` just moves to it.
    """
    await alias_store.lock_series(session, new.series_id)
    model = await _add_version(session, tenant_id, new)
    await _add_forecast(session, model, new)
    aliases = await alias_store.read(session, new.series_id)
    after: Aliases
    if alias is not Alias.CHAMPION:
        after = {**aliases, alias: model.id}
    elif new.stage is Stage.PAPER:
        after = {**aliases, Alias.PAPER: model.id}
    else:
        intact = await _is_intact(session, aliases.get(Alias.CHAMPION))
        after = publish(aliases, model.id, champion_is_intact=intact)
    await alias_store.write(session, tenant_id, new.series_id, aliases, after)
    return model


async def _add_version(session: AsyncSession, tenant_id: UUID, new: NewModel) -> Model:
    latest = select(func.coalesce(func.max(Model.version), 0)).where(
        Model.series_id == new.series_id
    )
    columns = {name: getattr(new, name) for name in NewModel.__slots__ if name != "forecast"}
    added = insert(Model).values(
        tenant_id=tenant_id,
        id=uuid4(),
        version=latest.scalar_subquery() + 1,
        **{**columns, "stage": new.stage.value},
    )
    return (await session.scalars(added.returning(Model))).one()


async def _add_forecast(session: AsyncSession, model: Model, new: NewModel) -> None:
    rows = [
        {
            "tenant_id": model.tenant_id,
            "model_id": model.id,
            "date": day.date,
            "mean": day.mean,
            "quantiles": list(day.quantiles),
            "open": day.open,
        }
        for day in new.forecast
    ]
    if rows:
        await session.execute(insert(Forecast), rows)


async def _is_intact(session: AsyncSession, model_id: UUID | None) -> bool:
    if model_id is None:
        return False
    intact = select(Model.id).where(Model.id == model_id, Model.quarantined_at.is_(None))
    return await session.scalar(intact) is not None


async def read_model(session: AsyncSession, model_id: UUID) -> Model | None:
    return await session.scalar(select(Model).where(Model.id == model_id))


async def series_of(session: AsyncSession, model_id: UUID) -> int | None:
    """The id of the series the model belongs to, if there is the model."""
    return await session.scalar(select(Model.series_id).where(Model.id == model_id))


async def read_version(session: AsyncSession, model_id: UUID) -> Version | None:
    found = (await session.execute(_versions().where(Model.id == model_id))).one_or_none()
    return None if found is None else _version(found)


async def list_versions(
    session: AsyncSession,
    *,
    product: str | None,
    location: str | None,
    alias: Alias | None,
    before: tuple[int, int] | None,
    most: int,
) -> list[Version]:
    """Newest version first within a series; `before` is the (series_id, version) a page ended at.

    `detail` is not read: `read_version` has it.
    """
    query = _versions().options(defer(Model.detail, raiseload=True))
    if product is not None:
        query = query.where(Series.product == product)
    if location is not None:
        query = query.where(Series.location == location)
    if alias is not None:
        query = query.where(_plays(alias))
    if before is not None:
        query = query.where(tuple_(Model.series_id, Model.version) < tuple_(*before))
    query = query.order_by(Model.series_id.desc(), Model.version.desc()).limit(most)
    return [_version(found) for found in await session.execute(query)]


def _versions() -> Select[Model, str, str, list[str] | None]:
    parts = select(func.array_agg(aggregate_order_by(ModelAlias.alias, ModelAlias.alias)))
    return select(
        Model, Series.product, Series.location, parts.where(_of_model()).scalar_subquery()
    ).join(Series, and_(Series.tenant_id == Model.tenant_id, Series.id == Model.series_id))


def _of_model() -> ColumnElement[bool]:
    return and_(
        ModelAlias.tenant_id == Model.tenant_id,
        ModelAlias.series_id == Model.series_id,
        ModelAlias.model_id == Model.id,
    )


def _plays(alias: Alias) -> ColumnElement[bool]:
    return select(ModelAlias.alias).where(_of_model(), ModelAlias.alias == alias.value).exists()


def _version(found: Row[Model, str, str, list[str] | None]) -> Version:
    model, product, location, aliases = found
    return Version(model, product, location, tuple(aliases or ()))


async def find_series(session: AsyncSession, product: str, location: str) -> int | None:
    """The id of the series of this product at this location."""
    return await session.scalar(
        select(Series.id).where(Series.product == product, Series.location == location)
    )


@dataclass(frozen=True, slots=True)
class LastTrained:
    """What there is to know of a series' last training before the next."""

    fingerprint: str
    params: dict[str, Any]


async def last_trained(session: AsyncSession, series_ids: Iterable[int]) -> dict[int, LastTrained]:
    """Of each series' newest intact version; imports are no training's."""
    found = await session.execute(
        select(Model.series_id, Model.fingerprint, Model.params)
        .ext(distinct_on(Model.series_id))
        .where(
            Model.series_id.in_(list(series_ids)),
            Model.quarantined_at.is_(None),
            ~Model.fingerprint.startswith("import:"),
        )
        .order_by(Model.series_id, Model.version.desc())
    )
    return {row.series_id: LastTrained(row.fingerprint, row.params) for row in found}


async def list_artifacts(session: AsyncSession) -> list[tuple[UUID, str]]:
    """(model id, digest) of every version of the tenant."""
    found = await session.execute(select(Model.id, Model.sha256).order_by(Model.id))
    return [(row.id, row.sha256) for row in found]


async def quarantine(session: AsyncSession, sha256: Iterable[str]) -> Sequence[UUID]:
    """Never serve these artifacts again; the versions for which that is new."""
    return await _mark(session, Model.quarantined_at.is_(None), sha256, func.now())


async def release(session: AsyncSession, sha256: Iterable[str]) -> Sequence[UUID]:
    """Serve these artifacts again, which were found to be whole; the versions released."""
    return await _mark(session, Model.quarantined_at.is_not(None), sha256, None)


async def _mark(
    session: AsyncSession, state: ColumnElement[bool], sha256: Iterable[str], at: Any
) -> Sequence[UUID]:
    changed = await session.scalars(
        update(Model)
        .where(Model.sha256.in_(list(sha256)), state)
        .values(quarantined_at=at)
        .returning(Model.id)
    )
    return changed.all()
