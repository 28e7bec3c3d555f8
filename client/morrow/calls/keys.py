"""API keys."""

from collections.abc import Sequence

from morrow.call import Again, Call, Pages, end, get, listed, post
from morrow.schemas.tenants import ApiKey, ApiKeyCreated, Scope
from morrow.values import KEEP, Id, Keep, Moment, given, kept, moment_text


def create_key(
    name: str,
    scopes: Sequence[Scope],
    *,
    expires_at: Moment | None = None,
    requests_per_minute: int | None = None,
) -> Call[ApiKeyCreated]:
    """Make a key with scopes that the caller has; it is shown this once."""
    body = _key(name, scopes, expires_at, requests_per_minute)
    return post("/api-keys", Again.NEVER, body)


def create_key_for_tenant(
    tenant_id: Id,
    name: str,
    scopes: Sequence[Scope],
    *,
    expires_at: Moment | None = None,
    requests_per_minute: int | None = None,
) -> Call[ApiKeyCreated]:
    """Make a key for a tenant that has lost its own; for the operator."""
    body = _key(name, scopes, expires_at, requests_per_minute)
    return post("/tenants/{tenant_id}/api-keys", Again.NEVER, body, tenant_id=tenant_id)


def list_keys() -> Pages[ApiKey]:
    """The tenant's keys, without their secrets."""
    return listed("/api-keys")


def get_key(key_id: Id) -> Call[ApiKey]:
    return get("/api-keys/{key_id}", key_id=key_id)


def rotate_key(
    key_id: Id, *, overlap_seconds: int = 86_400, expires_at: Moment | Keep | None = KEEP
) -> Call[ApiKeyCreated]:
    """Make a key in the place of one, with its name and scopes; the old one goes on for
    `overlap_seconds`, with 0 it ends at once. The new one expires when the old one would have."""
    until = expires_at if isinstance(expires_at, Keep) else moment_text(expires_at)
    body = kept(overlap_seconds=overlap_seconds, expires_at=until)
    return post("/api-keys/{key_id}/rotate", Again.NEVER, body, key_id=key_id)


def revoke_key(key_id: Id) -> Call[None]:
    """End a key, within a second in every process."""
    return end("/api-keys/{key_id}", key_id=key_id)


def _key(
    name: str, scopes: Sequence[Scope], expires_at: Moment | None, requests_per_minute: int | None
) -> dict[str, object]:
    return given(
        name=name,
        scopes=list(scopes),
        expires_at=moment_text(expires_at),
        requests_per_minute=requests_per_minute,
    )
