"""Whether artifacts are still what their versions say, and what becomes of those that are not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.training.audit.action import Action
from services.training.audit.actor import SERVICE, Actor
from services.training.audit.record import record
from services.training.models import store
from shared.artifacts import ArtifactCorrupt, ArtifactMissing, ArtifactStore
from shared.database import Sessions, tenant_transaction

AT_ONCE = 8

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Damage:
    """A version whose artifact is not what it should be; `found` is None where it is missing."""

    model_id: UUID
    sha256: str
    found: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    checked: int
    damaged: tuple[Damage, ...]


async def verify_artifacts(
    sessions: Sessions, artifacts: ArtifactStore, tenant_id: UUID, actor: Actor
) -> Verification:
    """Hash every artifact of the tenant, with no transaction open meanwhile.

    Damaged and missing ones are quarantined; ones quarantined earlier that are whole again, from
    a backup or a training with the same outcome, are released.
    """
    async with tenant_transaction(sessions, tenant_id) as session:
        named = await store.list_artifacts(session)
    digests = sorted({sha256 for _, sha256 in named})
    found = await _digests_found(artifacts, str(tenant_id), digests)
    damaged = [sha256 for sha256 in digests if found[sha256] != sha256]
    whole = [sha256 for sha256 in digests if found[sha256] == sha256]
    async with tenant_transaction(sessions, tenant_id) as session:
        for model_id in await store.release(session, whole):
            record(session, actor, Action.MODEL_RELEASED, f"model:{model_id}")
    await condemn(sessions, artifacts, tenant_id, damaged, actor)
    return Verification(
        checked=len(named),
        damaged=tuple(
            Damage(model_id, sha256, found[sha256])
            for model_id, sha256 in named
            if found[sha256] != sha256
        ),
    )


async def condemn(
    sessions: Sessions,
    artifacts: ArtifactStore,
    tenant_id: UUID,
    sha256: Sequence[str],
    actor: Actor = SERVICE,
) -> None:
    """Quarantine artifacts, and every version that names one. The rows go first: they are what
    is asked before anything is served."""
    if not sha256:
        return
    async with tenant_transaction(sessions, tenant_id) as session:
        for model_id in await store.quarantine(session, sha256):
            record(session, actor, Action.MODEL_QUARANTINED, f"model:{model_id}")
            log.error("model_quarantined", tenant_id=str(tenant_id), model_id=str(model_id))
    for digest in sha256:
        await artifacts.quarantine(str(tenant_id), digest)


async def _digests_found(
    artifacts: ArtifactStore, owner: str, sha256: Sequence[str]
) -> dict[str, str | None]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def hashed(digest: str) -> str | None:
        async with turns:
            return await _digest_found(artifacts, owner, digest)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {digest: group.create_task(hashed(digest)) for digest in sha256}
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return {digest: task.result() for digest, task in tasks.items()}


async def _digest_found(artifacts: ArtifactStore, owner: str, sha256: str) -> str | None:
    try:
        async with artifacts.open(owner, sha256):
            return sha256
    except ArtifactCorrupt as damage:
        return damage.found
    except ArtifactMissing:
        return None
