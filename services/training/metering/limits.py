"""What a plan allows, and what the operator set otherwise for one tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from services.training import tables

MIB: Final = 2**20
MOST_BODY_BYTES: Final = 256 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one tenant may ask for; None: as much as the process can carry."""

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


PLANS: Final[Mapping[str, Limits]] = {
    "standard": Limits(
        requests_per_minute=600,
        body_bytes=64 * MIB,
        import_rows=100_000,
        series=2_000,
        products=10_000,
        locations=1_000,
        events=1_000,
        api_keys=100,
        queued_tasks=10_000,
        open_jobs=100,
        streams=100,
        rows_per_day=20_000_000,
        cpu_seconds_per_day=86_400,
    ),
    "unlimited": Limits(
        requests_per_minute=None,
        body_bytes=MOST_BODY_BYTES,
        import_rows=1_000_000,
        series=None,
        products=None,
        locations=None,
        events=None,
        api_keys=1_000,
        queued_tasks=None,
        open_jobs=None,
        streams=2_000,
        rows_per_day=None,
        cpu_seconds_per_day=None,
    ),
}


def limits_of(tenant: tables.Tenant) -> Limits:
    """The limits of the tenant's plan, with those the operator set for it in their place."""
    names = {field.name for field in fields(Limits)}
    own = {name: value for name, value in tenant.limits.items() if name in names}
    return replace(PLANS[tenant.plan], **own)
