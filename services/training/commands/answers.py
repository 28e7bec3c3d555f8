"""What the API answers, as far as the commands read it; `--json` shows all of it."""

from typing import Literal, NotRequired, TypedDict


class Tenant(TypedDict):
    id: str
    name: str
    slug: str
    country: str
    subdivision: str | None
    timezone: str
    plan: str
    created_at: str


class TenantCreated(TypedDict):
    tenant: Tenant
    api_key: str


class ApiKey(TypedDict):
    id: str
    name: str
    prefix: str
    scopes: list[str]
    expires_at: str | None
    last_used_at: str | None
    replaced_by: str | None


class ApiKeyCreated(ApiKey):
    key: str


class ErasureReceipt(TypedDict):
    tenant_id: str
    dry_run: bool
    rows: dict[str, int]
    audit_entries: int
    artifacts: int
    spooled: int
    verified: bool
    remaining: dict[str, int]
    digest: str | None


class TenantLimits(TypedDict):
    import_rows: int
    body_bytes: int


class OwnTenant(Tenant):
    limits: TenantLimits


class ImportReceipt(TypedDict):
    """`waiting`: rows that the server keeps on its disk until its database is back."""

    received: int
    inserted: int
    updated: int
    unchanged: int
    waiting: NotRequired[int]


class Sync(TypedDict):
    source: str
    status: str
    rows: int
    error: "Failure | None"


class ProductCounts(TypedDict):
    total: int
    queued: int
    running: int
    succeeded: int
    skipped: int
    failed: int
    cancelled: int


class Failure(TypedDict):
    code: str
    message: str


class Job(TypedDict):
    id: str
    status: str
    percent: float
    products: ProductCounts
    warnings: list[Failure]
    eta_seconds: float | None


class JobProduct(TypedDict):
    product: str
    location: str
    state: str
    stage: str | None
    family: str | None
    trials: int | None
    seconds: float | None
    skill: float | None
    error: Failure | None


class EventData(TypedDict, total=False):
    stage: str
    fraction: float
    trials: int
    family: str
    skill: float
    seconds: float


class _EventAlways(TypedDict):
    seq: int
    type: str
    percent: float
    message: str


class Event(_EventAlways, total=False):
    product: str
    location: str
    data: EventData


class Day(TypedDict):
    date: str
    mean: float
    quantiles: dict[str, float]
    open: bool


class Forecast(TypedDict):
    product: str
    location: str
    family: str
    level: Literal["champion", "previous", "baseline"]
    reason: str | None
    issued_at: str
    data_through: str
    interval_coverage: float | None
    days: list[Day]


class Model(TypedDict):
    id: str
    product: str
    location: str
    version: int
    family: str
    skill: float | None
    stage: str
    bytes: int
    sha256: str
    trained_through: str
    aliases: list[str]


class DamagedArtifact(TypedDict):
    model_id: str
    sha256: str
    found: str | None


class Verification(TypedDict):
    checked: int
    corrupt: list[DamagedArtifact]


class StoredSale(TypedDict):
    date: str
    product: str
    location: str
    quantity: float | None
    stockout: int | None
