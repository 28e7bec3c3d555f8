"""Bodies of the sources' routes."""

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
)
from pydantic_core import PydanticCustomError

from services.training.sources.kinds import Kind, SourceName
from shared.errors import InputError
from shared.text import Text


class Cause(StrEnum):
    """Why a sync was begun."""

    ASKED = "asked"
    SCHEDULED = "scheduled"
    JOB = "job"


class SyncStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


OPEN = (SyncStatus.QUEUED, SyncStatus.RUNNING)


def _address(value: str) -> str:
    """A prefix to which paths are added: no query, no fragment, no user in it."""
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        sound = sound and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        sound = False
    if not sound or any(character.isspace() for character in value):
        raise PydanticCustomError(
            "bad_address",
            "give http(s)://host[:port][/prefix], without user, query or fragment",
        )
    return value.rstrip("/")


Address = Annotated[Text, AfterValidator(_address)]


def _visible(value: object) -> object:
    if isinstance(value, str) and not VISIBLE.fullmatch(value):
        raise PydanticCustomError(
            "forbidden_character", "a token is of visible ASCII characters, for it goes in a header"
        )
    return value


VISIBLE: Final = re.compile(r"[\x21-\x7e]*")
Secret = Annotated[
    SecretStr,
    Field(min_length=1, max_length=4096, json_schema_extra={"pattern": r"^[\x21-\x7e]+$"}),
    BeforeValidator(_visible),
]


class TokenBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: Secret


class SourceBody(BaseModel):
    """How a source is connected. `credentials` are a token, alone or as `{"token": …}`; they are
    never returned. Left out, those that are kept stay, as long as kind and host stay; null: none.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    base_url: Address | None = None
    credentials: Secret | TokenBody | None = None
    options: dict[str, JsonValue] = {}

    @property
    def token(self) -> str | None:
        given = self.credentials
        secret = given.token if isinstance(given, TokenBody) else given
        return None if secret is None else secret.get_secret_value()


class FaultOut(BaseModel):
    code: str
    message: str
    upstream: str | None = None
    retry_after: float | None = None
    errors: list[InputError] | None = None


class WarningOut(BaseModel):
    code: str
    message: str


class SyncOut(BaseModel):
    """One pull of a source. A page is kept wholly or not at all, and a sync that ended early is
    taken up where it ended by the next."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source: SourceName
    kind: Kind
    cause: Cause
    status: SyncStatus
    pages: int
    rows: int
    warnings: list[WarningOut]
    error: FaultOut | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class SyncAsked(BaseModel):
    sync_id: UUID


class Gap(BaseModel):
    """Days on which nothing is known, both ends among them."""

    location: str
    first: dt.date
    last: dt.date
    days: int


class Freshness(BaseModel):
    """`never`: nothing was pulled yet. `age_seconds`: since the last sync that succeeded."""

    status: Literal["fresh", "stale", "never", "pushed", "none"]
    age_seconds: float | None


class BreakerState(BaseModel):
    """`state` is null while no process has called the upstream."""

    name: str
    state: str | None


class SourceOut(BaseModel):
    """A source and how it is. `data_through` is the last day of which something is known at every
    location that has any; `gaps` the longest ones, at most 100."""

    source: SourceName
    kind: Kind
    base_url: str | None
    options: dict[str, Any]
    credentials: Literal["none", "sealed", "plain"]
    last_sync: SyncOut | None
    data_through: dt.date | None
    gaps: list[Gap]
    gap_days: int
    freshness: Freshness
    breaker: BreakerState | None


class SourceList(BaseModel):
    items: list[SourceOut]
    next_cursor: None = None
