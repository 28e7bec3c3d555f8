"""What a backup consists of. Every part is named by its SHA-256, and so is the manifest itself."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, StringConstraints

from shared.canonical import canonical_json

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Named = Mapping[str, frozenset[str]]
"""Digests of artifacts by their owner."""
NOTHING: Final[Named] = {}


class Dump(BaseModel):
    """The database, as `pg_dump` writes its custom format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Sha256
    bytes: NonNegativeInt


class Manifest(BaseModel):
    """`rows` are those of each table in the dump; `artifacts` those that the dump names, by tenant,
    and `absent` those among them that were nowhere to be had."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    taken_at: datetime
    release: str
    revision: str
    dump: Dump
    rows: Annotated[dict[str, NonNegativeInt], Field(min_length=1)]
    artifacts: dict[str, list[Sha256]]
    absent: dict[str, list[Sha256]]

    def to_bytes(self) -> bytes:
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        return cls.model_validate_json(data)

    def kept(self) -> Named:
        """The artifacts that the backup holds."""
        return without(as_named(self.artifacts), as_named(self.absent))


def as_named(listed: Mapping[str, list[str]]) -> Named:
    return {owner: frozenset(found) for owner, found in listed.items()}


def as_listed(named: Named) -> dict[str, list[str]]:
    return {owner: sorted(found) for owner, found in sorted(named.items()) if found}


def without(named: Named, others: Named) -> Named:
    return {owner: found - others.get(owner, frozenset()) for owner, found in named.items()}


def joined(named: Named, others: Named) -> Named:
    nothing: frozenset[str] = frozenset()
    owners = {*named, *others}
    return {owner: named.get(owner, nothing) | others.get(owner, nothing) for owner in owners}


def count_of(named: Named) -> int:
    return sum(map(len, named.values()))


def each_of(named: Named) -> Iterator[tuple[str, str]]:
    """Owners with each of their digests, in order."""
    for owner, found in sorted(named.items()):
        for sha256 in sorted(found):
            yield owner, sha256
