"""Reading a chain again, from what its entries say and not from what the database says of them.

How a hash is made stands at the top of `migrations/sql/0001_audit.sql`. This is a second
implementation of it: one that was changed in the database is found like any other change.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

FIRST: Final = bytes(32)
"""What the first entry of a chain follows."""

ENTRIES: Final = """
SELECT seq, hash, salt, details_hash, action, coalesce(concerns, tenant_id) AS concerned,
  jsonb_build_array(actor, key_prefix, subject, before, after)::text AS details,
  jsonb_build_array(
    tenant_id, seq, (extract(epoch FROM at) * 1000000)::bigint, action, request_id, concerns,
    encode(details_hash, 'hex')
  )::text AS line
FROM audit_log WHERE tenant_id = $1 ORDER BY seq
"""
NOTHING: Final = "[null, null, null, null, null]"
"""The details of an entry whose tenant was erased."""


Entry = Mapping[str, Any]
"""A row of `ENTRIES`."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: its last entry."""

    seq: int
    hash: bytes


class Broken(Exception):
    """The first place at which a chain is not what was written."""

    def __init__(self, chain: UUID, seq: int, reason: str) -> None:
        self.chain, self.seq, self.reason = chain, seq, reason
        super().__init__(f"entry {seq} of the chain of {chain}: {reason}")


@dataclass(slots=True)
class Walk:
    """Along one chain from its beginning. `erased`: whose entries tell nothing any more. `known`:
    an earlier head of it that was kept elsewhere."""

    chain: UUID
    erased: Collection[UUID] = ()
    known: Head | None = None
    seq: int = 0
    hash: bytes = field(default=FIRST)

    def step(self, entry: Entry) -> None:
        """The next entry, in order of `seq`. Raises `Broken`."""
        place = self.seq + 1
        if entry["seq"] != place:
            raise Broken(self.chain, place, f"it is missing, the next is {entry['seq']}")
        if _digest(self.hash, entry["line"]) != entry["hash"]:
            raise Broken(self.chain, place, "it is not what was written here")
        self._check_details(entry)
        if self.known is not None and self.known.seq == place and self.known.hash != entry["hash"]:
            raise Broken(self.chain, place, "its hash was another once: the chain was made anew")
        self.seq, self.hash = place, entry["hash"]

    def end(self, head: Head | None) -> Head:
        """There are no more entries; `head` is what was kept of the last. Raises `Broken`."""
        if head is None:
            raise Broken(self.chain, self.seq + 1, "what is kept of the chain's end is missing")
        if head.seq != self.seq:
            there = f"{head.seq} were written, {self.seq} are here"
            raise Broken(self.chain, self.seq + 1, f"it is missing: {there}")
        if head.hash != self.hash:
            raise Broken(self.chain, self.seq, "its hash is not the one that was kept of it")
        if self.known is not None and self.known.seq > self.seq:
            raise Broken(
                self.chain, self.seq + 1, f"it is missing of {self.known.seq} that were here"
            )
        return head

    def _check_details(self, entry: Entry) -> None:
        if entry["salt"] is not None:
            if _digest(entry["salt"], entry["details"]) != entry["details_hash"]:
                raise Broken(self.chain, entry["seq"], "what it tells was changed")
        elif entry["details"] != NOTHING or entry["concerned"] not in self.erased:
            raise Broken(self.chain, entry["seq"], "what it tells is gone, and its tenant is not")


def _digest(before: bytes, line: str) -> bytes:
    return hashlib.sha256(before + line.encode()).digest()
