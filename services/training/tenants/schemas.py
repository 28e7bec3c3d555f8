"""The bodies of the tenants' routes."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from holidays import list_supported_countries
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.training.metering.usage import Kind
from shared.scalars import Number
from shared.text import Name


def _known_timezone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError(
            "unknown_timezone", "{value} is not an IANA time zone such as Europe/Berlin",
            {"value": value[:60]},
        )  # fmt: skip
    return value


Timezone = Annotated[Name, AfterValidator(_known_timezone)]
Latitude = Annotated[Number, Field(ge=-90, le=90)]
Longitude = Annotated[Number, Field(ge=-180, le=180)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["DE"])]
Subdivision = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,5}$", examples=["SH"])]


class Region(BaseModel):
    """Where a tenant or location is; its holidays are those of this country and subdivision."""

    model_config = ConfigDict(extra="forbid")

    country: Country
    subdivision: Subdivision | None = None

    @model_validator(mode="after")
    def _has_a_calendar(self) -> "Region":
        check_region(self.country, self.subdivision)
        return self


def check_region(country: str, subdivision: str | None) -> None:
    """Refuse a region whose holidays nobody could tell."""
    known = list_supported_countries()
    if country not in known:
        raise PydanticCustomError(
            "unknown_country", "no holiday calendar for country {country}", {"country": country}
        )
    if subdivision is not None and subdivision not in known[country]:
        raise PydanticCustomError(
            "unknown_subdivision",
            "{country} has no subdivision {subdivision}; known: {known}",
            {"country": country, "subdivision": subdivision, "known": ", ".join(known[country])},
        )


class TenantBody(Region):
    name: Name
    timezone: Timezone
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    plan: Literal["standard", "unlimited"] = "standard"


class TenantOut(BaseModel):
    id: UUID
    name: str
    slug: str
    country: str
    subdivision: str | None
    timezone: str
    latitude: float | None
    longitude: float | None
    currency: str | None
    plan: str
    created_at: dt.datetime


class OwnTenant(TenantOut):
    """A tenant's own record; a limit that is null is that of the machine. `usage`: what is stored;
    `used_today`: since midnight UTC."""

    limits: dict[str, int | None]
    usage: dict[str, int]
    used_today: dict[Kind, float]


class TenantCreated(BaseModel):
    """A new tenant, and its first key: it is shown this once."""

    tenant: TenantOut
    api_key: str


class TenantPage(BaseModel):
    items: list[TenantOut]
    next_cursor: str | None


class ErasureReceipt(BaseModel):
    """What was erased, or would be; it outlives its tenant.

    `rows` by table. `audit_entries`: those that tell nothing any more of what was done, while the
    chain that holds their digests stands. `spooled`: batches on the disk of the host that answered;
    other hosts erase theirs when they hear of it. `verified`: every table of the database that
    belongs to tenants, the model store and this host's disk were looked through afterwards, and
    held nothing; else `remaining` says where, and it goes on. `digest` stands in the audit log too.
    """

    tenant_id: UUID
    dry_run: bool
    rows: dict[str, int]
    audit_entries: int
    artifacts: int
    spooled: int
    asked_at: dt.datetime | None = None
    erased_at: dt.datetime | None = None
    verified: bool = False
    remaining: dict[str, int] = {}
    digest: str | None = None
