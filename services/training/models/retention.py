"""How many versions are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.models import alias_store
from services.training.models.aliases import Alias, Aliases
from services.training.settings import Settings
from services.training.tables import Forecast, Model
from shared.artifacts import ArtifactStore, StoreUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Retention:
    """With `versioning` every version is kept. Without it, those that play a part; `previous`
    counts as one only with `backup`."""

    versioning: bool
    backup: bool

    @classmethod
    def of(cls, settings: Settings) -> "Retention":
        return cls(settings.model_versioning_enabled, settings.model_backup_enabled)


async def drop_versions(session: AsyncSession, model: Model, retention: Retention) -> Sequence[str]:
    """Delete what is not to be kept of the model's series, forecasts included.

    Returns the digests that no version of the tenant names any more: after the commit, and not
    before, they are for `forget_artifacts`.
    """
    if retention.versioning:
        return ()
    await alias_store.lock_series(session, model.series_id)
    before = await alias_store.read(session, model.series_id)
    kept = _kept(before, retention)
    await alias_store.write(session, model.tenant_id, model.series_id, before, kept)
    gone = await _delete_all_but(session, model.series_id, kept.values())
    return await _unnamed(session, gone)


async def forget_artifacts(store: ArtifactStore, owner: str, sha256: Iterable[str]) -> None:
    """Delete the artifacts; one that cannot be is left behind, and logged. To be called with no
    transaction open."""
    for digest in sha256:
        try:
            await store.delete(owner, digest)
        except StoreUnavailable as error:
            log.warning("artifact_left_behind", owner=owner, sha256=digest, reason=str(error))


def _kept(aliases: Aliases, retention: Retention) -> Aliases:
    return {
        alias: model
        for alias, model in aliases.items()
        if retention.backup or alias is not Alias.PREVIOUS
    }


async def _delete_all_but(
    session: AsyncSession, series_id: int, kept: Iterable[UUID]
) -> Sequence[str]:
    dropped = Model.series_id == series_id, Model.id.not_in(list(kept))
    await session.execute(
        delete(Forecast).where(Forecast.model_id.in_(select(Model.id).where(*dropped)))
    )
    return (await session.scalars(delete(Model).where(*dropped).returning(Model.sha256))).all()


async def _unnamed(session: AsyncSession, sha256: Sequence[str]) -> Sequence[str]:
    named = await session.scalars(select(Model.sha256).where(Model.sha256.in_(list(sha256))))
    return sorted(set(sha256) - set(named))
