"""Who calls for a tenant, and what they may."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.training.audit.actor import Actor, api_key, token_subject
from shared.auth import Scope
from shared.errors import Problem


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's key, or the `subject` of a token, which has no key. Unless it is `checked`, the
    database was away, and the key was good a short while ago: such a caller gets nothing from the
    database and puts nothing into it."""

    tenant_id: UUID
    key_id: UUID | None
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    subject: str | None = None
    checked: bool = True
    key_prefix: str | None = None

    @property
    def actor(self) -> Actor:
        """As the record names who calls."""
        if self.key_id is not None:
            return api_key(self.key_id, self.key_prefix)
        return token_subject(self.subject or "")

    def with_scope(self, *scopes: Scope) -> "Caller":
        """The same, who has one of `scopes`; else 403."""
        if not self.scopes.intersection(scopes):
            named = " or ".join(repr(scope.value) for scope in scopes)
            raise Problem(403, "scope_missing", f"this {self._means} lacks the scope {named}")
        return self

    @property
    def _means(self) -> str:
        return "token" if self.key_id is None else "key"


def unauthorized(detail: str) -> Problem:
    """The answer to who is nobody that we know."""
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
