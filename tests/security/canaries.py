"""Everything of a tenant that no other may ever see, read from its rows as the superuser does.

A canary is any text, id, digest or number of the victim's rows that is long enough to be nobody
else's by chance, and that stands in no row of the attacker's.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg

SHORTEST_TEXT = 8
SHORTEST_NUMBER = 7  # with its point: 7391.125
WALLED = """
SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p')
  AND c.relnamespace = 'public'::regnamespace
ORDER BY relname
"""
INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")
HEX = re.compile(r"\\?x?[0-9a-f]{32,}")

Rows = Mapping[str, list[dict[str, Any]]]
"""Of each table the rows of one tenant, as JSON."""


async def rows_of(dsn: str, tenant_id: UUID) -> Rows:
    connection = await asyncpg.connect(dsn)
    try:
        tables = [record[0] for record in await connection.fetch(WALLED)]
        return {table: await _rows(connection, table, tenant_id) for table in tables}
    finally:
        await connection.close()


async def _rows(
    connection: "asyncpg.Connection[asyncpg.Record]", table: str, tenant_id: UUID
) -> list[dict[str, Any]]:
    query = f'SELECT to_jsonb(t)::text FROM "{table}" t WHERE tenant_id = $1 ORDER BY 1'
    return [json.loads(record[0]) for record in await connection.fetch(query, tenant_id)]


def digest_of(rows: Rows) -> dict[str, str]:
    """One of each table, so that a difference names its table."""
    return {
        table: hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
        for table, found in rows.items()
    }


def canaries_of(victim: Rows, attacker: Rows) -> frozenset[str]:
    shared = set(_tokens(attacker))
    return frozenset(form for token in set(_tokens(victim)) - shared for form in _forms(token))


def _tokens(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _tokens(name)
            yield from _tokens(each)
    elif isinstance(value, list):
        for each in value:
            yield from _tokens(each)
    elif isinstance(value, str):
        if len(value) >= SHORTEST_TEXT and not INSTANT.fullmatch(value):
            yield value
    elif isinstance(value, float) and len(repr(value)) >= SHORTEST_NUMBER:
        yield repr(value)


def _forms(token: str) -> Iterator[str]:
    """How it may be written: as it is, and ids and digests in hex, base64 and with dashes."""
    yield token
    escaped = json.dumps(token)[1:-1]
    if escaped != token:
        yield escaped
    plain = token.removeprefix("\\x").replace("-", "")
    if not HEX.fullmatch(plain) or len(plain) % 2:
        return
    yield plain
    yield base64.b64encode(bytes.fromhex(plain)).decode().rstrip("=")


class Watch:
    """Looks for canaries. What the attacker itself named, it may be told again."""

    def __init__(self, canaries: Iterable[str], word: str) -> None:
        self._canaries = sorted({*canaries, word})
        self._named: set[str] = set()

    @property
    def looked_for(self) -> int:
        return len(self._canaries)

    def hear(self, named: Iterable[str]) -> None:
        """From now on the attacker has things of these names itself."""
        self._named.update(named)

    def found_in(self, seen: bytes, named: Iterable[str]) -> list[str]:
        """The canaries in what the attacker saw when it had just named these."""
        text = seen.decode(errors="replace")
        for name in sorted(self._named.union(named), key=len, reverse=True):
            text = text.replace(name, "…").replace(quote(name, safe=""), "…")
        return [canary for canary in self._canaries if canary in text]
