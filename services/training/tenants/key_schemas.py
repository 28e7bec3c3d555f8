"""The bodies of the routes of API keys."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.auth import Scope
from shared.scalars import Instant, Integer
from shared.text import Name

DAY: Final = 86_400
LONGEST_OVERLAP: Final = 7 * DAY


Scopes = Annotated[list[Scope], Field(min_length=1, max_length=4)]


class KeyBody(BaseModel):
    """`requests_per_minute`: of this key alone, within those of the tenant."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    scopes: Scopes
    expires_at: Instant | None = None
    requests_per_minute: Annotated[Integer, Field(ge=1, le=10**6)] | None = None


class RotationBody(BaseModel):
    """`overlap_seconds`: for how long the old key goes on. `expires_at`: of the new key; left out,
    it is that of the old one."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Annotated[Integer, Field(ge=0, le=LONGEST_OVERLAP)] = DAY
    expires_at: Instant | None = None


class KeyOut(BaseModel):
    """`last_used_at` is up to a minute behind. `replaced_by`: the key that took its place."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    replaced_by: UUID | None
    requests_per_minute: int | None


class KeyCreated(KeyOut):
    """A new key: `key` is shown this once."""

    key: str


class KeyPage(BaseModel):
    items: list[KeyOut]
    next_cursor: str | None
