"""Pages of a list: `limit` and a `cursor` that holds the last item's sort key.

Whoever likes reads what it holds, so that is what the list itself tells, or a place within it, and
never a number that the whole service counts: two such say how much others did meanwhile.
"""

import base64
import binascii
import json
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic_core import PydanticCustomError

from shared.errors import Problem, invalid
from shared.text import clean

Limit = Annotated[int, Query(ge=1, le=500, description="how many items at most")]
Cursor = Annotated[
    str | None, Query(max_length=3000, description="`next_cursor` of the page before")
]

DEFAULT_LIMIT = 50


def encode_cursor(*key: str | int) -> str:
    """The sort key of the last item, in a form nobody should build by hand."""
    spelled = json.dumps(key, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(spelled).decode().rstrip("=")


def decode_cursor(
    cursor: str | None, *kinds: type[str] | type[int]
) -> tuple[str | int, ...] | None:
    """The sort key behind `cursor`, its parts of these kinds; None for the first page. Its texts
    are such as may be looked for: anyone may make a cursor."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise bad_cursor()
    try:
        return tuple(clean(part) if isinstance(part, str) else part for part in key)
    except PydanticCustomError:
        raise bad_cursor() from None


def uuid_after(cursor: str | None) -> UUID | None:
    """The id behind `cursor`, where that is the whole sort key; None for the first page."""
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError:
        raise bad_cursor() from None


def bad_cursor() -> Problem:
    return invalid("cursor", "bad_cursor", "this is no cursor of this list: leave it out")


def next_cursor(full: bool, *key: str | int) -> str | None:
    """The cursor after the item with `key`, if there may be more."""
    return encode_cursor(*key) if full else None
