"""Deciding by hand which version answers; every change is in the audit log."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.actor import Actor
from services.training.audit.record import record
from services.training.models import alias_store, aliases, store
from services.training.models.aliases import Alias, Aliases
from services.training.tables import Json, Model
from shared.errors import Problem, not_found


async def promote_model(session: AsyncSession, model_id: UUID, actor: Actor) -> UUID:
    """Make this version its series' champion. A version that is it already changes nothing."""
    series_id = await store.series_of(session, model_id)
    if series_id is not None:
        await alias_store.lock_series(session, series_id)
    model = await store.read_model(session, model_id)
    if model is None:
        raise not_found("model", model_id)
    _require_intact(model)
    before = await alias_store.read(session, model.series_id)
    await _change(
        session, model, Action.MODEL_PROMOTED, actor, before, aliases.promote(before, model.id)
    )
    return model.id


async def roll_back(session: AsyncSession, series_id: int, actor: Actor) -> UUID:
    """Undo the last change of champion; the version that answers now. 409 where there is none."""
    await alias_store.lock_series(session, series_id)
    before = await alias_store.read(session, series_id)
    try:
        after = aliases.roll_back(before)
    except aliases.NothingToRollBack:
        raise Problem(
            409,
            "nothing_to_roll_back",
            "no version stands behind the champion: promote one by its id instead",
        ) from None
    model = await store.read_model(session, after[Alias.CHAMPION])
    assert model is not None, "an alias refers to a model"
    _require_intact(model)
    await _change(session, model, Action.MODEL_ROLLED_BACK, actor, before, after)
    return model.id


def _require_intact(model: Model) -> None:
    if model.quarantined_at is not None:
        raise Problem(
            409,
            "model_quarantined",
            f"the artifact of version {model.version} was found damaged at "
            f"{model.quarantined_at.isoformat()}: choose another version, or train again",
        )


async def _change(
    session: AsyncSession,
    model: Model,
    action: Action,
    actor: Actor,
    before: Aliases,
    after: Aliases,
) -> None:
    if before == after:
        return
    await alias_store.write(session, model.tenant_id, model.series_id, before, after)
    told = {"before": _told(before), "after": _told(after)}
    record(session, actor, action, f"model:{model.id}", **told)


def _told(aliases: Aliases) -> Json:
    return {alias.value: str(model) for alias, model in aliases.items()}
