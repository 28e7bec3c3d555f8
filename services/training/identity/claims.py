"""What a verified token says: whose tenant, who, and what they may."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic_core import PydanticCustomError

from services.training.identity.caller import Caller, unauthorized
from shared.auth import Scope
from shared.text import clean

Claims = Mapping[str, Any]

PREFIX: Final = "morrow:"
LONGEST_SUBJECT: Final = 255  # OpenID Connect Core 1.0 §2
LATEST: Final = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class ClaimNames:
    tenant: str
    scopes: str

    def caller_of(self, claims: Claims) -> Caller:
        """Whom the claims name; 401 where that is nobody. The tenant need not exist."""
        return Caller(
            tenant_id=_tenant(claims.get(self.tenant)),
            key_id=None,
            scopes=_scopes(claims.get(self.scopes)),
            expires_at=_expiry(claims["exp"]),
            subject=_subject(claims["sub"]),
        )


def _tenant(claim: object) -> UUID:
    """A UUID in its one spelling: what else Python reads as one is none."""
    try:
        tenant_id = UUID(claim) if isinstance(claim, str) else None
    except ValueError:
        tenant_id = None
    if tenant_id is None or str(tenant_id) != claim:
        raise no_tenant()
    return tenant_id


def no_tenant() -> Exception:
    return unauthorized("the token names no tenant of this service")


def _scopes(claim: object) -> frozenset[Scope]:
    """Of a list, or of words with spaces between (RFC 8693 §4.2): ours, with or without
    `morrow:` before them. Others are not ours to judge."""
    words = claim.split(" ") if isinstance(claim, str) else claim
    named = {word.removeprefix(PREFIX) for word in _texts(words)}
    return frozenset(scope for scope in Scope if scope.value in named)


def _texts(words: object) -> list[str]:
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def _expiry(claim: object) -> dt.datetime:
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not math.isfinite(claim):
        raise unauthorized("the claim exp of the token is no number")
    seconds = min(float(claim), LATEST.timestamp())
    return dt.datetime.fromtimestamp(max(seconds, 0.0), dt.UTC)


def _subject(claim: object) -> str:
    try:
        subject = clean(claim) if isinstance(claim, str) else ""
    except PydanticCustomError:
        subject = ""
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise unauthorized(f"the claim sub of the token is no text of 1 to {LONGEST_SUBJECT}")
    return subject
