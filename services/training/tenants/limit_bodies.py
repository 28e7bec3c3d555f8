"""What the operator may say of a tenant's limits: each by its name, within what a process bears."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.training.metering.limits import MIB, MOST_BODY_BYTES
from shared.scalars import Integer

Number = Annotated[Integer, Field(ge=1, le=10**9)]
Count = Annotated[Integer, Field(ge=0, le=10**9)]


class LimitsBody(BaseModel):
    """A tenant's own limits, in place of its plan's; null: as much as the machine bears."""

    model_config = ConfigDict(extra="forbid")

    requests_per_minute: Annotated[Integer, Field(ge=1, le=10**6)] | None = None
    body_bytes: Annotated[Integer, Field(ge=1024, le=MOST_BODY_BYTES)] = 64 * MIB
    import_rows: Annotated[Integer, Field(ge=1, le=1_000_000)] = 100_000
    series: Count | None = None
    products: Count | None = None
    locations: Number | None = None
    events: Count | None = None
    api_keys: Annotated[Integer, Field(ge=1, le=10_000)] = 100
    queued_tasks: Count | None = None
    open_jobs: Count | None = None
    streams: Annotated[Integer, Field(ge=0, le=2_000)] = 100
    rows_per_day: Count | None = None
    cpu_seconds_per_day: Count | None = None


class TenantChange(BaseModel):
    """What is named is changed. `limits` are all that differ from the plan's: `{}` for none."""

    model_config = ConfigDict(extra="forbid")

    plan: Literal["standard", "unlimited"] | None = None
    limits: LimitsBody | None = None
