"""Tenants, their keys, their limits, what they used and what was done."""

from typing import Any, Literal, TypedDict

Plan = Literal["standard", "unlimited"]
Scope = Literal["read", "ingest", "train", "admin"]


class Tenant(TypedDict):
    id: str
    name: str
    slug: str
    country: str
    subdivision: str | None
    timezone: str
    latitude: float | None
    longitude: float | None
    currency: str | None
    plan: str
    created_at: str


class TenantCreated(TypedDict):
    """`api_key` is shown this once."""

    tenant: Tenant
    api_key: str


class OwnTenant(Tenant):
    """A limit that is null is that of the machine. `usage`: what is stored; `used_today`: since
    midnight UTC."""

    limits: dict[str, int | None]
    usage: dict[str, int]
    used_today: dict[str, float]


class LimitsBody(TypedDict, total=False):
    """A tenant's own limits, in place of its plan's; None: as much as the machine bears."""

    requests_per_minute: int | None
    body_bytes: int
    import_rows: int
    series: int | None
    products: int | None
    locations: int | None
    events: int | None
    api_keys: int
    queued_tasks: int | None
    open_jobs: int | None
    streams: int
    rows_per_day: int | None
    cpu_seconds_per_day: int | None


class ErasureReceipt(TypedDict):
    """What was erased, or would be. `verified`: nothing was found afterwards; else `remaining` says
    where, and it goes on."""

    tenant_id: str
    dry_run: bool
    rows: dict[str, int]
    audit_entries: int
    artifacts: int
    spooled: int
    asked_at: str | None
    erased_at: str | None
    verified: bool
    remaining: dict[str, int]
    digest: str | None


class ApiKey(TypedDict):
    """`last_used_at` is up to a minute behind. `replaced_by`: the key that took its place."""

    id: str
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    replaced_by: str | None
    requests_per_minute: int | None


class ApiKeyCreated(ApiKey):
    """`key` is shown this once."""

    key: str


class DayUsed(TypedDict):
    """`rows`: imported. `trainings`: models published. `cpu_seconds`: of the children that learnt.
    `forecasts`: of series, served."""

    date: str
    rows: int
    trainings: int
    cpu_seconds: float
    forecasts: int


class Usage(TypedDict):
    """A quota that is null has no end."""

    items: list[DayUsed]
    quotas: dict[str, int | None]


class AuditEntry(TypedDict):
    """An act. `before` and `after` hold what changed; `hash` ends the chain that `seq` counts,
    which is null of the operator's acts as a tenant sees them."""

    seq: int | None
    at: str
    action: str
    tenant_id: str | None
    actor: str | None
    key_prefix: str | None
    subject: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None
    erased: bool
    hash: str
