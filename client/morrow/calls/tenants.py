"""Tenants, what they used, and what was done."""

from morrow.call import Again, Call, Pages, delete, get, listed, patch, post
from morrow.schemas.tenants import (
    AuditEntry,
    ErasureReceipt,
    LimitsBody,
    OwnTenant,
    Plan,
    Tenant,
    TenantCreated,
    Usage,
)
from morrow.values import Day, Id, Moment, day_text, given, moment_text


def create_tenant(
    name: str,
    *,
    country: str,
    timezone: str,
    subdivision: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    currency: str | None = None,
    plan: Plan = "standard",
) -> Call[TenantCreated]:
    """Make a tenant with its first API key, shown this once; for the operator."""
    body = given(
        name=name,
        country=country,
        timezone=timezone,
        subdivision=subdivision,
        latitude=latitude,
        longitude=longitude,
        currency=currency,
        plan=plan,
    )
    return post("/tenants", Again.NEVER, body)


def list_tenants() -> Pages[Tenant]:
    """Every tenant; for the operator."""
    return listed("/tenants")


def get_tenant(tenant_id: Id) -> Call[Tenant]:
    """A tenant; for the operator."""
    return get("/tenants/{tenant_id}", tenant_id=tenant_id)


def change_tenant(
    tenant_id: Id, *, plan: Plan | None = None, limits: LimitsBody | None = None
) -> Call[OwnTenant]:
    """Give a tenant another plan, or limits of its own: `{}` for none; for the operator."""
    return patch("/tenants/{tenant_id}", given(plan=plan, limits=limits), tenant_id=tenant_id)


def erase_tenant(tenant_id: Id, *, dry_run: bool) -> Call[ErasureReceipt]:
    """Erase a tenant with all it has, or say how much it would be; for the operator."""
    return delete("/tenants/{tenant_id}", {"dry_run": dry_run}, tenant_id=tenant_id)


def get_erasure(tenant_id: Id) -> Call[ErasureReceipt]:
    """The receipt of a tenant that was erased, or is being; for the operator."""
    return get("/tenants/{tenant_id}/erasure", tenant_id=tenant_id)


def get_own_tenant() -> Call[OwnTenant]:
    """The tenant of the key, with what it may, has, and used today."""
    return get("/tenant")


def get_usage(*, first: Day | None = None, last: Day | None = None) -> Call[Usage]:
    """What was used, by day of UTC, both ends included; the last thirty days if neither is said."""
    return get("/usage", {"from": day_text(first), "to": day_text(last)})


def list_audit_log(
    *, since: Moment | None = None, until: Moment | None = None, action: str | None = None
) -> Pages[AuditEntry]:
    """Who did what, newest first, from `since` to before `until`."""
    asked = {"from": moment_text(since), "to": moment_text(until), "action": action}
    return listed("/audit-log", asked)
