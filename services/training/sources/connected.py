"""A source with its credentials opened, beside the tenant's places."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.metering.limits import limits_of
from services.training.sources.addresses import usual_address
from services.training.sources.faults import SourceFault
from services.training.sources.kinds import Kind, SourceName
from services.training.sources.options import OPTIONS
from services.training.sources.run import Connected, Location, Supply
from services.training.tables import Source, Tenant
from shared.sealed import SealBroken, Sealer

LOCATIONS: Final = text("""
SELECT l.location, l.latitude, l.longitude, coalesce(l.timezone, t.timezone) AS timezone
FROM locations l JOIN tenants t USING (tenant_id)
WHERE l.tenant_id = app_tenant() ORDER BY l.location
""")


def place_of(tenant_id: UUID, name: SourceName) -> str:
    """What credentials are sealed for."""
    return f"{tenant_id} {name.value}"


async def read_connected(session: AsyncSession, source: Source, supply: Supply) -> Connected:
    """`SourceFault` where the credentials cannot be opened."""
    name, kind = SourceName(source.source), Kind(source.kind)
    tenant = await session.get_one(Tenant, source.tenant_id)
    options = OPTIONS[name, kind].model_validate(source.options)
    return Connected(
        name=name,
        kind=kind,
        base_url=source.base_url or usual_address(kind, supply.hosts),
        own_address=source.base_url is not None,
        options=options,
        token=open_credentials(source, supply.sealer),
        slug=tenant.slug,
        zone=ZoneInfo(tenant.timezone),
        most_series=limits_of(tenant).series,
        locations=await read_locations(session),
    )


async def read_locations(session: AsyncSession) -> tuple[Location, ...]:
    rows = await session.execute(LOCATIONS)
    return tuple(
        Location(row.location, row.latitude, row.longitude, ZoneInfo(row.timezone)) for row in rows
    )


def open_credentials(source: Source, sealer: Sealer) -> str | None:
    if source.credentials is None:
        return None
    try:
        return sealer.open(
            source.credentials, place_of(source.tenant_id, SourceName(source.source))
        )
    except SealBroken as broken:
        raise SourceFault(
            "credentials_unreadable", f"the credentials cannot be opened ({broken}): send them anew"
        ) from None
