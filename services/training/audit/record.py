"""Adding to the record, in the transaction of what is recorded.

The tenant's chain is locked from its new entry until the transaction ends. So entries wait in the
session and are written when it commits, after all else: the lock is held as long as a commit takes,
nothing else is locked after it, and no two transactions can wait for each other.
"""

from typing import Final

import structlog
from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR, Actor
from services.training.audit.told import Told, changes, text_of, told
from services.training.tables.audit import AuditEntry
from services.training.tables.breakers import EVERYBODY
from shared.database import TenantSession

WAITING: Final = "audit_entries"


def record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    subject: str,
    *,
    before: Told | None = None,
    after: Told | None = None,
) -> None:
    """Have an entry written when the session commits, with the id of the request.

    Of `before` and `after` only what differs is kept, cut to size; an act that changed nothing
    leaves no entry. An act of the operator is one of nobody's tenant that concerns the session's.
    """
    if session.in_nested_transaction():
        raise RuntimeError("record outside of savepoints: one that is rolled back would be told of")
    if before is not None and after is not None:
        before, after = changes(before, after)
        if not before and not after:
            return
    tenant_id = session.info["tenant_id"]
    by_operator = actor == OPERATOR and tenant_id != EVERYBODY
    entry = {
        "tenant_id": EVERYBODY if by_operator else tenant_id,
        "concerns": tenant_id if by_operator else None,
        "action": action.value,
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
        "actor": actor.name,
        "key_prefix": actor.key_prefix,
        "subject": text_of(subject),
        "before": None if before is None else told(before),
        "after": None if after is None else told(after),
    }
    session.info.setdefault(WAITING, []).append(entry)


@event.listens_for(TenantSession, "before_commit")
def _write(session: Session) -> None:
    entries = session.info.pop(WAITING, [])
    if entries:
        session.flush()
        # In the order of their chains, as everybody takes these locks.
        for entry in sorted(entries, key=lambda entry: str(entry["tenant_id"])):
            session.execute(insert(AuditEntry).values(entry))


@event.listens_for(TenantSession, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    if not ended.nested:
        session.info.pop(WAITING, None)
