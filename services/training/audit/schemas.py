"""The record as the API shows it."""

import datetime as dt
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.training.tables.audit import AuditEntry
from services.training.tables.breakers import EVERYBODY


class AuditEntryOut(BaseModel):
    """An act. `tenant_id`: whom it concerns; null for what concerns no tenant alone. `before` and
    `after` hold what changed. Of an erased tenant `actor` to `after` are gone, and `erased` says
    so. `hash` ends the chain that `seq` counts, which is the reader's own; it is null of the
    operator's acts as a tenant sees them, for their chain counts what concerns others too."""

    seq: int | None
    at: dt.datetime
    action: str
    tenant_id: UUID | None
    actor: str | None
    key_prefix: str | None
    subject: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
    erased: bool
    hash: str


class AuditPage(BaseModel):
    items: list[AuditEntryOut]
    next_cursor: str | None


def entry_out(entry: AuditEntry, tenant_id: UUID | None) -> AuditEntryOut:
    """As its reader sees it, who is the tenant or, where that is None, the operator."""
    own = entry.tenant_id == (EVERYBODY if tenant_id is None else tenant_id)
    return AuditEntryOut(
        seq=entry.seq if own else None,
        at=entry.at,
        action=entry.action,
        tenant_id=entry.concerns or tenant_id,
        actor=entry.actor,
        key_prefix=entry.key_prefix,
        subject=entry.subject,
        before=entry.before,
        after=entry.after,
        request_id=entry.request_id,
        erased=entry.salt is None,
        hash=entry.hash.hex(),
    )
