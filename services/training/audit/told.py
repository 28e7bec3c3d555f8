"""What an entry tells of its subject: what changed, no secrets, and not too much."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from services.training.tables.audit import MOST_BYTES
from shared.canonical import canonical_json, sha256_of, without_nan

Told = Mapping[str, Any]

LONGEST_TEXT: Final = 500
LONGEST_LIST: Final = 50
LONGEST_NUMBER: Final = 60
LARGEST: Final = 1e15
"""Beyond it JSON in the database takes a digit each."""
DEEPEST: Final = 6
NOT_TOLD: Final = "[not told]"
SECRETS: Final = frozenset(
    ("credentials", "secret", "token", "password", "key", "api_key", "digest", "authorization")
)


def changes(before: Told, after: Told) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of both differs: a field that only one has is in that one."""
    return _unlike(before, after), _unlike(after, before)


def told(values: Told) -> dict[str, Any]:
    """The values as JSON of at most `MOST_BYTES`: long texts and lists are cut, what is too much
    all the same is told by its digest, and fields that are named like secrets are not told."""
    cut = _cut_fields(values, 1)
    whole = canonical_json(cut)
    if len(whole) <= MOST_BYTES // 2:
        return cut
    return {"too_long": {"bytes": len(whole), "sha256": sha256_of(whole), "fields": _names(cut)}}


def _unlike(these: Told, those: Told) -> dict[str, Any]:
    missing = object()
    return {name: value for name, value in these.items() if those.get(name, missing) != value}


def _cut(value: object, depth: int) -> object:
    match value:
        case bool() | None:
            return value
        case int() | float():
            return without_nan(value) if abs(value) < LARGEST else str(value)[:LONGEST_NUMBER]
        case Mapping() if depth < DEEPEST:
            return _cut_fields(value, depth + 1)
        case list() | tuple() | set() | frozenset() if depth < DEEPEST:
            items = sorted(value) if isinstance(value, set | frozenset) else list(value)
            shown = [_cut(item, depth + 1) for item in items[:LONGEST_LIST]]
            more = len(items) - LONGEST_LIST
            return [*shown, f"… {more} more"] if more > 0 else shown
        case dt.datetime() | dt.date():
            return value.isoformat()
        case UUID():
            return str(value)
    return text_of(str(value))


def text_of(value: str) -> str:
    """The text as the database takes it, and not too long."""
    stored = value[: LONGEST_TEXT + 1].encode("utf-8", "replace").decode().replace("\0", "?")
    return stored if len(stored) <= LONGEST_TEXT else f"{stored[:LONGEST_TEXT]}…"


def _cut_fields(values: Mapping[str, Any], depth: int) -> dict[str, Any]:
    return {
        text_of(str(name)): NOT_TOLD if str(name).lower() in SECRETS else _cut(value, depth)
        for name, value in values.items()
    }


def _names(values: dict[str, Any]) -> list[str]:
    return [name[:50] for name in list(values)[:LONGEST_LIST]]
